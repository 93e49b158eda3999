//! Whether a window meets a trigger's condition, and in which words.

use millrace_schemas::envelope::{DriftEvent, DriftKind, RetrainRequest, Subject, TrainMode, TriggerKind};

use super::Served;
use crate::retrain::{Direction, Measurement, Trigger, When, Window};

/// Why a trigger fires.
#[derive(Debug)]
pub(super) struct Fired {
    pub(super) reason: String,
    pub(super) evidence: Vec<String>,
}

/// What a window says of a metric.
#[derive(Debug)]
pub(super) enum Judged {
    /// Nothing: it was not measured, or too few labels have come.
    No,
    Good,
    Bad(Fired),
}

/// Whether a subject of these kinds drifted at least so severely. Estimates assume what they would have to prove, and
/// never fire.
pub(super) fn drift(window: &Window<'_>, subjects: &[Subject], severity: f64) -> Option<Fired> {
    let counts = |event: &&DriftEvent| {
        event.kind == DriftKind::Finding
            && event.drifted
            && event.severity >= severity
            && event.subject != Subject::Estimate
            && subjects.contains(&event.subject)
    };
    let mut found: Vec<&DriftEvent> = window.events.iter().filter(counts).collect();
    found.sort_by(|a, b| {
        let rank = |event: &DriftEvent| event.rank.unwrap_or(i32::MAX);
        rank(a).cmp(&rank(b)).then(b.severity.total_cmp(&a.severity)).then(a.id.cmp(&b.id))
    });
    let worst = found.first()?;
    let others = match found.len() - 1 {
        0 => String::new(),
        1 => " One more finding is as severe.".to_owned(),
        n => format!(" {n} more findings are as severe."),
    };
    let reason = format!("{}{others}", quote(worst));
    Some(Fired { reason, evidence: found.iter().map(|event| event.id.clone()).collect() })
}

/// The event in its own words, or, without any, its figures.
fn quote(event: &DriftEvent) -> String {
    if !event.detail.is_empty() {
        return event.detail.clone();
    }
    let name = event.column.as_deref().unwrap_or(&event.topic);
    let of = event.segment.as_ref().map(|segment| format!(" in {segment}")).unwrap_or_default();
    format!("{name}{of}: {} is {:.1} times its threshold.", event.method, event.severity)
}

/// Whether the metric of a performance trigger is where it must not be.
pub(super) fn performance(window: &Window<'_>, when: &When) -> Judged {
    let When::Performance { metric, segment, better, bound, margin, coverage, maturity, .. } = when else {
        return Judged::No;
    };
    let asked = |m: &&Measurement| m.metric == *metric && m.segment == *segment;
    let Some(found) = window.measurements.iter().find(asked) else { return Judged::No };
    if !found.value.is_finite() || found.coverage < *coverage || found.maturity < *maturity {
        return Judged::No;
    }
    let worse_than = |limit: f64| match better {
        Direction::Higher => found.value < limit,
        Direction::Lower => found.value > limit,
    };
    let sign = if *better == Direction::Higher { -1.0 } else { 1.0 };
    let of_champion = margin.and_then(|margin| found.champion.map(|own| (own, own + sign * margin)));
    let against = match (bound, of_champion) {
        (Some(bound), _) if worse_than(*bound) => format!("the bound {bound}"),
        (_, Some((own, limit))) if worse_than(limit) => format!("the champion's own {own:.4} by the margin"),
        (None, None) => return Judged::No,
        _ => return Judged::Good,
    };
    let side = if *better == Direction::Higher { "below" } else { "above" };
    let of = segment.as_ref().map(|segment| format!(" in {segment}")).unwrap_or_default();
    let (low, high) = found.interval;
    let reason = format!(
        "{metric}{of} is {:.4} ({low:.4} to {high:.4}) on {} labels, {side} {against}; {:.0} % of the predictions have a label.",
        found.value,
        found.rows,
        100.0 * found.coverage
    );
    Judged::Bad(Fired { reason, evidence: vec![found.event.clone()] })
}

impl Fired {
    pub(super) fn request(self, trigger: &Trigger, served: &Served, window: (i64, i64)) -> RetrainRequest {
        let (start, end) = window;
        let (train_from_ms, train_to_ms) = trigger.range.at(end);
        let mode = if served.new_columns.is_empty() {
            trigger.mode.unwrap_or(TrainMode::Stateful)
        } else {
            TrainMode::Stateless
        };
        let columns = match served.new_columns.as_slice() {
            [] => String::new(),
            new => format!(" The model does not know {}, so it must be trained afresh.", new.join(", ")),
        };
        RetrainRequest {
            id: RetrainRequest::id_of(&trigger.name, &served.model, &served.version, start, end),
            time_ms: end,
            trigger: trigger.name.clone(),
            kind: match trigger.when {
                When::Drift { .. } => TriggerKind::Drift,
                When::Performance { .. } => TriggerKind::Performance,
                When::Volume { .. } => TriggerKind::Volume,
                When::Time(_) => TriggerKind::Time,
            },
            model: served.model.clone(),
            version: served.version.clone(),
            mode,
            train_from_ms,
            train_to_ms,
            reason: self.reason + &columns,
            evidence: self.evidence,
            window_start_ms: start,
            window_end_ms: end,
        }
    }
}
