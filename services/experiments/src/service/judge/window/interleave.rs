//! Whom users prefer, of two rankers that make every list together.

use std::collections::BTreeMap;

use millrace_report::text::p_equals;
use millrace_schemas::envelope::{Decided, ExperimentResult};
use millrace_topics::{ExperimentArm, ExperimentDefinition};

use super::{Closed, End};
use crate::interleave::preference::Summary;
use crate::service::judge::experiment::Experiment;
use crate::service::judge::result::{about, count};

pub(super) fn judge(experiment: &mut Experiment, closed: &Closed<'_>) -> Vec<ExperimentResult> {
    let definition = experiment.definition.clone();
    let (Some(control), Some(arm)) = (definition.control(), definition.arms.get(1)) else {
        return Vec::new();
    };
    let frame = experiment.frame(closed.end_ms, closed.in_force);
    let found = experiment.preference.summary(definition.alpha);
    let event = preference(&frame, control, arm, &found);
    let end = end(&definition, control, arm, &found, closed.age_ms);
    let decided = closed.end(experiment, end, &event.detail, vec![event.id.clone()]);
    let detail = event.detail.clone();
    let figures = [("lists", closed.counted.rows), ("ended_lists", experiment.ended)];
    let figures = figures.map(|(name, lists)| (name.to_owned(), Some(lists as f64)));
    let mut events = vec![event];
    events.extend(decided);
    events.push(experiment.status(closed.end_ms, detail, BTreeMap::from(figures), closed.in_force));
    events
}

/// Told from the arm's side, as all differences are: the summary counts from the control's.
fn preference(
    frame: &ExperimentResult,
    control: &ExperimentArm,
    arm: &ExperimentArm,
    found: &Summary,
) -> ExperimentResult {
    let valid = &found.always_valid;
    // Zero without a sign where nobody has a preference.
    let estimate = 0.0 - found.advantage;
    let users = count(found.wins + found.losses + found.ties);
    let verdict = if found.wins + found.losses == 0 {
        "no user has a preference yet".to_owned()
    } else if valid.win_rate.0 <= 0.5 && valid.win_rate.1 >= 0.5 {
        format!("whether users prefer {} or {} is open", arm.name, control.name)
    } else {
        let (liked, other) = if estimate > 0.0 { (arm, control) } else { (control, arm) };
        format!("users prefer {} to {}", liked.name, other.name)
    };
    let detail = format!(
        "{verdict}: {} users won by {}, {} by {}, {} even; sign test {}, at any time {}",
        found.losses,
        arm.name,
        found.wins,
        control.name,
        found.ties,
        p_equals(found.p_value),
        p_equals(valid.p_value)
    );
    let figures = [
        ("wins", found.losses as f64),
        ("losses", found.wins as f64),
        ("ties", found.ties as f64),
        ("fixed_p_value", found.p_value),
    ];
    ExperimentResult {
        method: Some("sign_sequence".to_owned()),
        estimate: Some(estimate),
        low: Some(0.5 - valid.win_rate.1),
        high: Some(0.5 - valid.win_rate.0),
        p_value: Some(valid.p_value),
        units: users,
        control_units: users,
        detail,
        values: figures.into_iter().map(|(name, value)| (name.to_owned(), Some(value))).collect(),
        ..about(frame, "preference", &arm.name, &control.name, None)
    }
}

fn end<'a>(
    definition: &ExperimentDefinition,
    control: &'a ExperimentArm,
    arm: &'a ExperimentArm,
    found: &Summary,
    age_ms: i64,
) -> Option<End<'a>> {
    let valid = &found.always_valid;
    let seen = valid.wins + valid.losses >= definition.burn_in_units && valid.p_value <= definition.alpha;
    match (seen && age_ms >= definition.min_ms, age_ms >= definition.max_ms) {
        (true, _) if valid.losses > valid.wins => Some((Decided::Promote, arm)),
        (true, _) => Some((Decided::Rollback, control)),
        (false, true) => Some((Decided::Keep, control)),
        (false, false) => None,
    }
}
