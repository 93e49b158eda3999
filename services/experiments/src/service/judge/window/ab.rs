//! Arms that share the units: the one that is better becomes champion.

use millrace_schemas::envelope::{Decided, ExperimentResult};
use millrace_topics::ExperimentDefinition;

use super::{Closed, End, values};
use crate::service::judge::arms::{Found, Looked};
use crate::service::judge::experiment::Experiment;

pub(super) fn judge(
    experiment: &mut Experiment,
    closed: &Closed<'_>,
    looked: Looked,
) -> Vec<ExperimentResult> {
    let definition = experiment.definition.clone();
    let over = closed.age_ms >= definition.max_ms;
    let early = closed.age_ms < definition.min_ms;
    let found = find(&definition, &looked);
    let mut said = match (&found, looked.stopped.is_empty()) {
        (_, false) => format!("nothing may be concluded: {}", looked.stopped.join("; ")),
        (Some((Decided::Promote, found)), _) => format!("{} is better: {}", found.arm, found.detail),
        (Some((_, found)), _) => format!("{} is worse: {}", found.arm, found.detail),
        (None, _) if over => "nothing was shown within the declared time".to_owned(),
        (None, _) => "no arm is seen to differ".to_owned(),
    };
    if early {
        said.push_str("; it has not run as long as declared");
    }
    let evidence = found.map(|(_, found)| found.evidence.clone()).unwrap_or_default();
    let end = end(&definition, found, over).filter(|_| looked.stopped.is_empty() && !early);
    let decided = closed.end(experiment, end, &said, evidence);
    if over && decided.is_none() {
        said.push_str("; the declared time is over: decide");
    }
    let figures = values(&looked, closed.counted);
    let mut events = looked.comparisons;
    events.extend(decided);
    events.push(experiment.status(closed.end_ms, said, figures, closed.in_force));
    events
}

/// The best of the arms that are better; where all are worse, the first of them.
fn find<'a>(definition: &ExperimentDefinition, looked: &'a Looked) -> Option<(Decided, &'a Found)> {
    match looked.better.first() {
        Some(best) => Some((Decided::Promote, best)),
        None if looked.worse.len() + 1 == definition.arms.len() => {
            looked.worse.first().map(|first| (Decided::Rollback, first))
        }
        None => None,
    }
}

fn end<'a>(
    definition: &'a ExperimentDefinition,
    found: Option<(Decided, &Found)>,
    over: bool,
) -> Option<End<'a>> {
    let control = definition.control()?;
    match found {
        Some((Decided::Promote, found)) => Some((Decided::Promote, definition.arm(&found.arm)?)),
        Some((decided, _)) => Some((decided, control)),
        None => over.then_some((Decided::Keep, control)),
    }
}
