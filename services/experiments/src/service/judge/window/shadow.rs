//! Two versions on the same rows, as a whole and by segment; what would have changed; whether the gate is passed.

use millrace_schemas::envelope::{Decided, ExperimentResult};
use millrace_topics::{ExperimentArm, ExperimentDefinition};

use super::{Closed, rows, standings};
use crate::canary::declared::level;
use crate::canary::{Action, Criterion, Decision, Evidence, decide};
use crate::service::judge::experiment::Experiment;
use crate::service::judge::release::{criterion, paired, stand};
use crate::service::judge::scores::{ScoreMetric, requests};

pub(super) fn judge(experiment: &mut Experiment, closed: &Closed<'_>) -> Vec<ExperimentResult> {
    let definition = experiment.definition.clone();
    let (Some(control), Some(arm)) = (definition.control(), definition.arms.get(1)) else {
        return Vec::new();
    };
    let criteria = definition.canary.as_ref().map_or(&[][..], |canary| &canary.criteria);
    let canary = definition.canary.as_ref();
    let alpha = canary.map_or(definition.alpha, |canary| level(definition.alpha, canary, 1));
    let frame = experiment.frame(closed.end_ms, closed.in_force);
    let mut events = comparisons(experiment, &frame, control, arm, alpha);
    let mut detail = changed(experiment);
    let mut decided = None;
    if let Some(decision) = gate(experiment, &definition, alpha, closed.age_ms) {
        stand(&mut events, &decision, criteria);
        let passed = if decision.action == Action::Promote { "passed" } else { "not passed" };
        detail = format!("gate {passed}: {}; {detail}", standings(&decision));
        let end = match decision.action {
            Action::Promote => Some((Decided::Promote, arm)),
            Action::RollBack => Some((Decided::Rollback, control)),
            Action::KeepChampion => Some((Decided::Keep, control)),
            Action::Extend | Action::Pause => None,
        };
        let named = |event: &&ExperimentResult| {
            event.segment.is_none() && criteria.iter().any(|one| event.metric.as_ref() == Some(&one.metric))
        };
        let evidence = events.iter().filter(named).map(|event| event.id.clone()).collect();
        decided = closed.end(experiment, end, &detail, evidence);
    }
    events.extend(decided);
    let scored = ("scored_rows".to_owned(), Some(experiment.scores.seen() as f64));
    let values = rows(closed.counted).into_iter().chain([scored]).collect();
    events.push(experiment.status(closed.end_ms, detail, values, closed.in_force));
    events
}

/// Every metric of scores that says something, of all rows and of those of each segment.
fn comparisons(
    experiment: &Experiment,
    frame: &ExperimentResult,
    control: &ExperimentArm,
    arm: &ExperimentArm,
    alpha: f64,
) -> Vec<ExperimentResult> {
    let scores = &experiment.scores;
    let mut segments = vec![None];
    for (at, column) in experiment.definition.segments.iter().enumerate() {
        segments.extend(
            scores.values(at).into_iter().map(|value| Some((at, format!("{column}={value}"), value))),
        );
    }
    let mut events = Vec::new();
    for metric in ScoreMetric::ALL {
        for segment in &segments {
            let within = segment.as_ref().map(|(at, _, value)| (*at, value.as_str()));
            let name = segment.as_ref().map(|(_, name, _)| name.as_str());
            let found = scores.measure(metric, within, alpha);
            events.extend(found.map(|found| paired(frame, metric, &arm.name, &control.name, name, &found)));
        }
    }
    events
}

/// What the criteria say; none without any.
fn gate(
    experiment: &mut Experiment,
    definition: &ExperimentDefinition,
    alpha: f64,
    age_ms: i64,
) -> Option<Decision> {
    let canary = definition.canary.as_ref().filter(|canary| !canary.criteria.is_empty())?;
    for (at, one) in canary.criteria.iter().enumerate() {
        let evidence = evidence(experiment, &one.metric, alpha);
        experiment.looks.offer(at, evidence, one.required, canary.looks);
    }
    let gate: Vec<Criterion> = canary.criteria.iter().map(|one| criterion(definition, one)).collect();
    Some(decide(&gate, &experiment.looks.evidence(), age_ms >= definition.max_ms))
}

fn evidence(experiment: &Experiment, metric: &str, alpha: f64) -> Option<Evidence> {
    let [before, after] = &experiment.requests;
    match ScoreMetric::of(metric) {
        Some(metric) => {
            let found = experiment.scores.measure(metric, None, alpha).ok()?;
            Some(Evidence::of(&found.tested, found.support))
        }
        None => requests(metric, before, after, alpha).map(|(_, evidence)| evidence),
    }
}

/// Decisions that the other version would have taken otherwise.
fn changed(experiment: &Experiment) -> String {
    let changed = experiment.scores.changed();
    let said = changed.iter().map(|((from, to), rows)| format!("{rows} rows from {from} to {to}"));
    match changed.is_empty() {
        true => "no decision would have changed".to_owned(),
        false => format!("would have changed {}", said.collect::<Vec<_>>().join(", ")),
    }
}
