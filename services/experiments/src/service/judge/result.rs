//! Events about experiments.

use std::collections::BTreeMap;

use millrace_report::text::{digits, p_equals, signed};
use millrace_schemas::envelope::{Decided, ExperimentResult, ResultKind};
use millrace_topics::ExperimentMetric;

use super::arms::Compared;
use crate::analysis::Undefined;
use crate::analysis::always_valid::Looks;

/// An event about one metric of one arm; its id names the window and what it is about.
pub fn about(
    frame: &ExperimentResult,
    metric: &str,
    arm: &str,
    control: &str,
    segment: Option<&str>,
) -> ExperimentResult {
    ExperimentResult {
        id: ExperimentResult::id_of(&[
            &frame.id,
            "comparison",
            &frame.window_end_ms.to_string(),
            metric,
            arm,
            segment.unwrap_or_default(),
        ]),
        kind: ResultKind::Comparison,
        metric: Some(metric.to_owned()),
        arm: Some(arm.to_owned()),
        control: Some(control.to_owned()),
        segment: segment.map(str::to_owned),
        ..frame.clone()
    }
}

/// A comparison of units.
#[allow(clippy::too_many_arguments)]
pub fn comparison(
    frame: &ExperimentResult,
    metric: &ExperimentMetric,
    arm: &str,
    control: &str,
    units: [u64; 2],
    compared: &Compared,
    looks: &Looks,
    corrected: f64,
) -> ExperimentResult {
    let Compared { always, welch, raw, means, reduction, .. } = compared;
    let method = if metric.expected_effect.is_some() { "msprt" } else { "confidence_sequence" };
    let shown = |number: f64| Some(number).filter(|number| number.is_finite());
    let mut values = BTreeMap::from([
        ("control_mean".to_owned(), shown(means[0])),
        ("arm_mean".to_owned(), shown(means[1])),
        ("standard_error".to_owned(), shown(always.standard_error)),
        ("fixed_low".to_owned(), shown(welch.low)),
        ("fixed_high".to_owned(), shown(welch.high)),
        ("fixed_p_value".to_owned(), shown(welch.p_value)),
        ("running_low".to_owned(), shown(looks.low)),
        ("running_high".to_owned(), shown(looks.high)),
        ("running_p_value".to_owned(), shown(looks.p_value)),
    ]);
    if let Some(reduction) = reduction {
        values.insert("variance_reduction".to_owned(), shown(*reduction));
        values.insert("raw_estimate".to_owned(), shown(raw.difference));
        values.insert("raw_low".to_owned(), shown(raw.low));
        values.insert("raw_high".to_owned(), shown(raw.high));
        values.insert("raw_p_value".to_owned(), shown(raw.p_value));
    }
    let detail = format!(
        "{} of {arm} less {control}: {} ({} to {} at any time, {}), {} against {} over {} and {} units",
        metric.name,
        signed(always.difference),
        signed(always.low),
        signed(always.high),
        p_equals(corrected),
        digits(means[1], 4),
        digits(means[0], 4),
        units[1],
        units[0]
    );
    ExperimentResult {
        method: Some(method.to_owned()),
        estimate: shown(always.difference),
        low: shown(always.low),
        high: shown(always.high),
        p_value: shown(corrected),
        units: count(units[1]),
        control_units: count(units[0]),
        detail,
        values,
        ..about(frame, &metric.name, arm, control, None)
    }
}

/// A comparison that says nothing, and why.
pub fn undefined(
    frame: &ExperimentResult,
    metric: &str,
    arm: &str,
    control: &str,
    units: [u64; 2],
    why: &Undefined,
) -> ExperimentResult {
    ExperimentResult {
        units: count(units[1]),
        control_units: count(units[0]),
        detail: format!("{metric} of {arm} less {control}: {why}"),
        ..about(frame, metric, arm, control, None)
    }
}

/// A decision; what it asks to deploy is put in by whoever decides.
pub fn decision(
    frame: &ExperimentResult,
    decided: Decided,
    detail: String,
    evidence: Vec<String>,
) -> ExperimentResult {
    let event = ExperimentResult {
        kind: ResultKind::Decision,
        decision: Some(decided),
        detail,
        evidence,
        ..frame.clone()
    };
    ExperimentResult { id: decision_id(&frame.id, &event), ..event }
}

/// The id that a decision of a run has.
pub fn decision_id(run: &str, event: &ExperimentResult) -> String {
    ExperimentResult::id_of(&[
        run,
        "decision",
        &event.decision.map(|decided| decided.to_string()).unwrap_or_default(),
        &event.phase.to_string(),
        &event.step.to_string(),
        &event.time_ms.to_string(),
    ])
}

/// The experiment as a whole.
pub fn status(
    frame: &ExperimentResult,
    detail: String,
    values: BTreeMap<String, Option<f64>>,
) -> ExperimentResult {
    ExperimentResult {
        id: ExperimentResult::id_of(&[&frame.id, "status", &frame.time_ms.to_string(), &detail]),
        kind: ResultKind::Status,
        detail,
        values,
        ..frame.clone()
    }
}

/// Counts are far below the greatest.
pub fn count(units: u64) -> i64 {
    i64::try_from(units).unwrap_or(i64::MAX)
}
