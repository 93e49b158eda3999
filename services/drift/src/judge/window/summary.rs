//! The window as a whole: one event, whatever drifted.

use std::collections::{BTreeMap, BTreeSet};

use millrace_schemas::envelope::{DriftEvent, DriftKind, Subject};

use super::{Inputs, NotMeasured};
use crate::judge::detail::percent;
use crate::window::WHOLE;

/// The method of the finding on the share of drifted columns.
const SHARE: &str = "drifted_share";

/// The summary; adds the finding on the share of drifted columns.
pub(super) fn of(
    inputs: &Inputs<'_>,
    findings: &mut Vec<DriftEvent>,
    undefined: &[NotMeasured],
) -> DriftEvent {
    let of_columns = |events: &[DriftEvent], drifted: bool| -> BTreeSet<String> {
        let whole = events.iter().filter(|e| e.segment.is_none() && e.subject == inputs.about.subject);
        let judged = whole.filter(|e| e.threshold.is_some() && (e.drifted || !drifted));
        judged.filter_map(|e| e.column.clone()).collect()
    };
    let (judged, drifted) = (of_columns(findings, false), of_columns(findings, true));
    let rows = inputs.current.get(WHOLE).map_or(0, |profile| profile.rows() as i64);
    let mut event = inputs.about.event(DriftKind::Summary, Subject::Dataset, WHOLE, SHARE);
    event.rows = rows;
    if let Some(Ok(reference)) = inputs.against.get(WHOLE) {
        event.reference_rows = reference.rows() as i64;
    }
    if !judged.is_empty() {
        let share = drifted.len() as f64 / judged.len() as f64;
        let threshold = inputs.thresholds.drifted_share();
        event.statistic = Some(share);
        event.effect = Some(share);
        event.threshold = Some(threshold);
        event.drifted = share > threshold;
        event.severity = if threshold > 0.0 { share / threshold } else { 0.0 };
        event.detail = format!("{} of {} columns drifted.", drifted.len(), judged.len());
        findings.push(DriftEvent { kind: DriftKind::Finding, ..event.clone() });
    }
    event.values = values(findings, undefined, (&judged, &drifted));
    event.detail = detail(inputs, findings, undefined, (&judged, &drifted));
    event.seal();
    event
}

/// Bytes of distributions that a summary carries: a message must stay below Kafka's 1 MB.
const MOST_BYTES: usize = 600_000;

/// The distributions of all columns over all rows, as far as they fit into one event.
pub(super) fn distributions(inputs: &Inputs<'_>) -> BTreeMap<String, String> {
    let (Some(Ok(reference)), Some(current)) = (inputs.against.get(WHOLE), inputs.current.get(WHOLE)) else {
        return BTreeMap::new();
    };
    let mut bytes = 0;
    let columns = reference.columns().zip(current.columns());
    let all = columns.map(|(a, b)| super::distribution([a, b], WHOLE));
    let fit = all.take_while(|(name, shown)| {
        bytes += name.len() + shown.len();
        bytes <= MOST_BYTES
    });
    fit.collect()
}

fn values(
    findings: &[DriftEvent],
    undefined: &[NotMeasured],
    (judged, drifted): (&BTreeSet<String>, &BTreeSet<String>),
) -> BTreeMap<String, f64> {
    let mut values: BTreeMap<String, f64> = [
        ("columns".to_owned(), judged.len() as f64),
        ("drifted_columns".to_owned(), drifted.len() as f64),
        ("judged".to_owned(), findings.iter().filter(|e| e.threshold.is_some()).count() as f64),
        ("drifted".to_owned(), findings.iter().filter(|e| e.drifted).count() as f64),
        ("not_judged".to_owned(), undefined.len() as f64),
        ("severity".to_owned(), findings.iter().map(|e| e.severity).fold(0.0, f64::max)),
    ]
    .into();
    if !judged.is_empty() {
        values.insert(SHARE.to_owned(), drifted.len() as f64 / judged.len() as f64);
    }
    for event in findings.iter().filter(|e| e.column.is_none() && e.segment.is_none()) {
        let name = if event.method == "classifier" { "auc" } else { event.method.as_str() };
        if let Some(statistic) = event.statistic {
            values.insert(name.to_owned(), statistic);
        }
    }
    values
}

/// How many reasons a summary tells.
const REASONS: usize = 5;

fn detail(
    inputs: &Inputs<'_>,
    findings: &[DriftEvent],
    undefined: &[NotMeasured],
    (judged, drifted): (&BTreeSet<String>, &BTreeSet<String>),
) -> String {
    let mut sentences = match judged.is_empty() {
        true => vec!["No column could be judged.".to_owned()],
        false => vec![format!("{} of {} columns drifted.", drifted.len(), judged.len())],
    };
    if inputs.thresholds.calibration.is_none() {
        sentences.push("Thresholds are conventional, not calibrated.".to_owned());
    }
    let errors = findings.iter().filter_map(|event| event.error);
    if let Some(error) = errors.reduce(f64::max) {
        sentences.push(format!(
            "The window is too large to keep every value: distribution functions are off by at most {}, p-values are of a sample.",
            percent(error)
        ));
    }
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for missing in undefined {
        *reasons.entry(missing.reason.as_str()).or_default() += 1;
    }
    let mut reasons: Vec<(&str, usize)> = reasons.into_iter().collect();
    reasons.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let more = reasons.len().saturating_sub(REASONS);
    for (reason, count) in reasons.into_iter().take(REASONS) {
        let first = undefined.iter().find(|missing| missing.reason == reason);
        let name = first.map(named).unwrap_or_default();
        let others = if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
        sentences.push(format!("Not judged: {name}{others}: {reason}."));
    }
    if more > 0 {
        sentences.push(format!("Not judged for {more} more reasons."));
    }
    sentences.join(" ")
}

fn named(missing: &NotMeasured) -> String {
    let column = missing.column.clone().unwrap_or_else(|| "all columns".to_owned());
    let of = if missing.segment == WHOLE { String::new() } else { format!(" in {}", missing.segment) };
    let by = missing.measure.map(|measure| format!(" ({measure})")).unwrap_or_default();
    format!("{column}{of}{by}")
}
