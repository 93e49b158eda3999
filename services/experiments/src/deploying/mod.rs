//! The next deployment of a prediction topic: made of what is asked for and of what serves, or refused with the reason.
//!
//! Pure: the caller reads the deployments there are, has the versions checked, and writes. `millrace deploy` and the
//! service that carries decisions out call the same functions.
//!
//! - [`next`]: what is asked for, as an event;
//! - [`restore`]: an earlier deployment once more;
//! - [`check`]: whether an event may be written, whoever made it;
//! - [`versions`]: which versions an event names, to be checked before it is written.

mod arms;
mod error;
mod refuse;
mod request;
mod restore;

use millrace_schemas::envelope::{Arm, ArmRole, Deployment};
use millrace_topics::ModelRef;

pub use error::Error;
pub use refuse::check;
pub use request::{Asked, Plan, Request};
pub use restore::{Restored, restore};

use request::Wanted;

/// The arm of units that belong to no experiment; no arm of a deployment has its name.
pub const CHAMPION: &str = "champion";
/// The champion's own arm of an A/B test, where none is named.
pub const CONTROL: &str = "control";
/// The new version's arm of a canary release.
pub const CANARY: &str = "canary";
/// The champion's arm of a canary release, as large as the canary's.
pub const BASELINE: &str = "baseline";

/// The event that does what is asked for, on top of `history`: every deployment of the application, with offsets, in order.
pub fn next(request: &Request, asked: &Asked, history: &[(i64, Deployment)]) -> Result<Deployment, Error> {
    let last = last_of(history, &request.topic).map(|(_, last)| last);
    let champion = match (&request.champion, last) {
        (Some(champion), _) => champion.clone(),
        (None, Some(last)) => ModelRef { model: last.model.clone(), version: last.version.clone() },
        (None, None) => return Err(Error::NoChampion(request.topic.clone())),
    };
    let mut next = Deployment::champion(&request.topic, &champion.model, &champion.version, asked.time_ms);
    (next.set_by, next.reason) = (asked.by.clone(), asked.reason.clone());
    next.cause.clone_from(&asked.cause);
    request.plan.check(request, &champion)?;
    next.mode = request.plan.mode().to_owned();
    if let Plan::Shares { draw, .. } = request.plan {
        next.draw = draw;
    }
    if let Plan::Interleave { method, .. } = &request.plan {
        next.method.clone_from(method);
    }
    let wanted = request.plan.wanted(&champion);
    let before = last.filter(|last| takes_on(last, &next, &champion, &wanted));
    name(&mut next, request, before);
    arms::give(&mut next, &wanted, &champion, history)?;
    next.arms.extend(request.plan.shadows(&champion));
    let shadows = request.shadows.iter();
    next.arms.extend(shadows.map(|(name, version)| arm(name, version, ArmRole::Shadow)));
    check(&next, history)?;
    Ok(next)
}

/// The versions that an event names, each once, the champion first.
pub fn versions(deployment: &Deployment) -> Vec<ModelRef> {
    let champion = ModelRef { model: deployment.model.clone(), version: deployment.version.clone() };
    let mut versions = vec![champion];
    for arm in &deployment.arms {
        let version = ModelRef { model: arm.model.clone(), version: arm.version.clone() };
        if !versions.contains(&version) {
            versions.push(version);
        }
    }
    versions
}

/// The deployment of a topic that is in force.
pub fn last_of<'a>(history: &'a [(i64, Deployment)], topic: &str) -> Option<(i64, &'a Deployment)> {
    history.iter().rev().find(|(_, one)| one.topic == topic).map(|(offset, one)| (*offset, one))
}

fn arm(name: &str, version: &ModelRef, role: ArmRole) -> Arm {
    let ModelRef { model, version } = version.clone();
    Arm { arm: name.to_owned(), model, version, role, buckets: Vec::new() }
}

/// Whether the next deployment goes on with the experiment of the last one: the same mode, champion and arms' versions.
fn takes_on(last: &Deployment, next: &Deployment, champion: &ModelRef, wanted: &[Wanted]) -> bool {
    let same = |arm: &Wanted| {
        last.arms.iter().any(|old| {
            old.role == ArmRole::Serving
                && (&old.arm, &old.model, &old.version)
                    == (&arm.name, &arm.version.model, &arm.version.version)
        })
    };
    let others = wanted.iter().filter(|arm| arm.version != *champion);
    last.mode == next.mode
        && (&last.model, &last.version) == (&next.model, &next.version)
        && next.mode != Deployment::CHAMPION
        && others.clone().count() > 0
        && others.clone().all(same)
}

/// The experiment's name, salt and namespace: as asked for, else as before, else new.
fn name(next: &mut Deployment, request: &Request, before: Option<&Deployment>) {
    if next.mode == Deployment::CHAMPION {
        return;
    }
    let asked = &request.experiment;
    let before = before.filter(|before| asked.as_ref().is_none_or(|name| *name == before.experiment));
    next.experiment = asked.clone().or(before.map(|b| b.experiment.clone())).unwrap_or_default();
    let fresh = || match next.experiment.as_str() {
        "" => format!("{}/{}/{}", next.topic, next.mode, next.time_ms),
        name => name.to_owned(),
    };
    next.salt = request.salt.clone().or(before.map(|b| b.salt.clone())).unwrap_or_else(fresh);
    match (&request.namespace, before) {
        (Some((namespace, from, to)), _) => {
            next.namespace.clone_from(namespace);
            (next.namespace_from, next.namespace_to) = (i32::from(*from), i32::from(*to));
        }
        (None, Some(before)) => {
            next.namespace.clone_from(&before.namespace);
            (next.namespace_from, next.namespace_to) = (before.namespace_from, before.namespace_to);
        }
        (None, None) => {}
    }
}

#[cfg(test)]
mod tests;
