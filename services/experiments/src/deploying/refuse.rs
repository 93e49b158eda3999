//! What is refused before it is written.

use std::collections::BTreeSet;

use millrace_schemas::envelope::{Arm, ArmRole, Deployment};
use millrace_topics::ModelRef;

use super::{CHAMPION, Error};
use crate::assignment::{self, Allocation, Buckets};

/// Whether a deployment may be written on top of `history`, whoever made it: `millrace deploy`, or a decision.
pub fn check(next: &Deployment, history: &[(i64, Deployment)]) -> Result<(), Error> {
    names(next)?;
    buckets(next)?;
    if next.mode == Deployment::INTERLEAVE {
        let serving = next.arms.iter().filter(|arm| arm.role == ArmRole::Serving);
        let version = |arm: &Arm| ModelRef { model: arm.model.clone(), version: arm.version.clone() };
        rankers(&serving.map(version).collect::<Vec<_>>(), &next.method)?;
    }
    salt(next, history)?;
    namespace(next, history)
}

/// A bucket has one arm, and there are 10,000.
fn buckets(next: &Deployment) -> Result<(), Error> {
    let serving = next.arms.iter().filter(|arm| arm.role == ArmRole::Serving);
    let laid = |arm: &Arm| Ok(assignment::Arm { name: arm.arm.clone(), buckets: Buckets::of(&arm.buckets)? });
    let laid = serving.map(laid).collect::<Result<Vec<_>, assignment::Error>>()?;
    if !laid.is_empty() {
        Allocation::of(laid)?;
    }
    Ok(())
}

/// Names of arms are told apart in predictions by arm and role.
fn names(next: &Deployment) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    for arm in &next.arms {
        let refuse = |why| Err(Error::ArmName { name: arm.arm.clone(), why });
        if arm.arm.trim().is_empty() {
            return refuse("it is empty");
        }
        if arm.arm == CHAMPION && arm.role == ArmRole::Serving {
            return refuse("units that belong to no experiment have it; call the champion's own arm control");
        }
        if !seen.insert((arm.role == ArmRole::Serving, arm.arm.as_str())) {
            return refuse("there are two of it");
        }
    }
    Ok(())
}

/// The same salt assigns alike: what one experiment did to its units would show in the other.
fn salt(next: &Deployment, history: &[(i64, Deployment)]) -> Result<(), Error> {
    if next.arms.is_empty() || next.salt.is_empty() {
        return Ok(());
    }
    let other = history.iter().find(|(_, one)| {
        one.salt == next.salt && (&one.topic, &one.experiment) != (&next.topic, &next.experiment)
    });
    other.map_or(Ok(()), |(offset, one)| {
        Err(Error::SharedSalt { salt: next.salt.clone(), other: called(one), offset: *offset })
    })
}

/// Of one namespace, experiments that run at once have parts that do not overlap.
fn namespace(next: &Deployment, history: &[(i64, Deployment)]) -> Result<(), Error> {
    if next.namespace.is_empty() {
        return Ok(());
    }
    let (namespace, from, to) = (next.namespace.clone(), next.namespace_from, next.namespace_to);
    if from < 0 || from >= to || to > 10_000 {
        return Err(Error::Part { namespace, from, to });
    }
    let topics: BTreeSet<&str> = history.iter().map(|(_, one)| one.topic.as_str()).collect();
    let in_force = topics.into_iter().filter(|topic| *topic != next.topic);
    for (offset, one) in in_force.filter_map(|topic| super::last_of(history, topic)) {
        let apart = one.namespace_to <= from || to <= one.namespace_from;
        if one.namespace == namespace && !apart {
            return Err(Error::SharedNamespace { namespace, from, to, other: called(one), offset });
        }
    }
    Ok(())
}

/// Methods by name, and how many rankings they take.
pub(super) fn rankers(versions: &[ModelRef], method: &str) -> Result<(), Error> {
    let takes = match method {
        "team_draft" | "probabilistic" => "two or more",
        "balanced" | "debiased_balanced" | "optimized" => "two",
        other => return Err(Error::Method(other.to_owned())),
    };
    let given = versions.iter().collect::<BTreeSet<_>>().len();
    if given < 2 || given != versions.len() || (takes == "two" && given != 2) {
        return Err(Error::Rankers { method: method.to_owned(), takes, given });
    }
    Ok(())
}

fn called(one: &Deployment) -> String {
    match one.experiment.as_str() {
        "" => format!("the {} on `{}`", one.mode, one.topic),
        name => format!("experiment `{name}` on `{}`", one.topic),
    }
}
