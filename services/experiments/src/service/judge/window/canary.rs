//! A new version whose share grows: a step is passed, or the release ends.

use millrace_schemas::envelope::{Decided, ExperimentResult};

use super::{Closed, standings, values};
use crate::canary::{Action, State};
use crate::service::judge::arms::Looked;
use crate::service::judge::deploy::serving;
use crate::service::judge::experiment::Experiment;
use crate::service::judge::release::Judged;

pub(super) fn judge(
    experiment: &mut Experiment,
    closed: &Closed<'_>,
    looked: Looked,
) -> Vec<ExperimentResult> {
    let definition = experiment.definition.clone();
    let frame = experiment.frame(closed.end_ms, closed.in_force);
    let Some(canary) = &mut experiment.canary else { return Vec::new() };
    let trusted = looked.stopped.is_empty();
    let judged = canary.look(&definition, closed.counted, trusted, &frame);
    let said = judged.decision.as_ref().map(standings).unwrap_or_default();
    let mut said = format!("step {}: {said}", frame.step + 1);
    if canary.release.state() == State::WaitingForData {
        said.push_str("no rows came: it waits");
    }
    if !trusted {
        said = format!("{said}; arms say nothing: {}", looked.stopped.join("; "));
    }
    let decided = decide(experiment, closed, &judged, &said);
    let figures = values(&looked, closed.counted);
    // Metrics that are no criteria are told beside.
    let named: Vec<Option<String>> = judged.comparisons.iter().map(|event| event.metric.clone()).collect();
    let beside = looked.comparisons.into_iter().filter(|event| !named.contains(&event.metric));
    let mut events = judged.comparisons;
    events.extend(beside);
    events.extend(decided);
    events.push(experiment.status(closed.end_ms, said, figures, closed.in_force));
    events
}

fn decide(
    experiment: &mut Experiment,
    closed: &Closed<'_>,
    judged: &Judged,
    said: &str,
) -> Option<ExperimentResult> {
    let definition = experiment.definition.clone();
    let release = &experiment.canary.as_ref()?.release;
    let (state, step) = (release.state(), release.step());
    let evidence: Vec<String> = judged.comparisons.iter().map(|event| event.id.clone()).collect();
    let details: Vec<&str> = judged.comparisons.iter().map(|event| event.detail.as_str()).collect();
    let detail = format!("{said}; {}", details.join("; "));
    let (decided, arm) = match judged.decision.as_ref()?.action {
        Action::Promote if state == State::Promoted => (Decided::Promote, definition.arms.get(1)),
        Action::Promote => {
            let before = experiment.deployment.as_ref().map(|(_, deployment)| deployment.clone());
            let next = serving(&definition, step, None, before.as_ref(), experiment.phase).ok();
            let (end_ms, in_force) = (closed.end_ms, closed.in_force);
            return Some(experiment.ask(Decided::Advance, detail, evidence, next, end_ms, in_force));
        }
        Action::RollBack => (Decided::Rollback, definition.control()),
        Action::KeepChampion => (Decided::Keep, definition.control()),
        Action::Extend | Action::Pause => return None,
    };
    Some(experiment.end(decided, detail, evidence, arm, closed.end_ms, closed.in_force))
}
