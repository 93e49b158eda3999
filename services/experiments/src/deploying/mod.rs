//! The next deployment of a prediction topic: made of what is asked for and of what serves, or refused with the reason.
//!
//! Pure: the caller reads the deployments there are, has the versions checked, and writes. `millrace deploy` and the
//! service that carries decisions out call the same functions.
//!
//! - [`next`]: what is asked for, as an event;
//! - [`restore`]: an earlier deployment once more;
//! - [`versions`]: which versions an event names, to be checked before it is written.

mod arms;
mod refuse;
mod restore;

use millrace_schemas::envelope::{Arm, ArmRole, Deployment, Draw};
use millrace_topics::ModelRef;

pub use restore::restore;

use crate::assignment;

/// The arm of units that belong to no experiment; no arm of a deployment has its name.
pub const CHAMPION: &str = "champion";
/// The champion's own arm of an A/B test, where none is named.
pub const CONTROL: &str = "control";
/// The new version's arm of a canary release.
pub const CANARY: &str = "canary";
/// The champion's arm of a canary release, as large as the canary's.
pub const BASELINE: &str = "baseline";

/// Who asks for a deployment, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// A person or a service.
    pub by: String,
    /// Why.
    pub reason: String,
    /// The id of the decision that asks for it; empty: a command.
    pub cause: String,
    /// When, in ms.
    pub time_ms: i64,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The stem of the prediction topic.
    pub topic: String,
    /// Whether the topic is of lists.
    pub interleaves: bool,
    /// The champion; `None`: the one that serves.
    pub champion: Option<ModelRef>,
    /// Versions that only watch, with the names of their arms.
    pub shadows: Vec<(String, ModelRef)>,
    /// How arms share the traffic.
    pub plan: Plan,
    /// What the experiment is called and how it assigns. What is `None` is taken on from the deployment that serves, if
    /// that is of the same mode and versions; else it is new.
    pub experiment: Option<String>,
    /// The salt; `None`: as for `experiment`.
    pub salt: Option<String>,
    /// The namespace and the experiment's part of it, from and to; `None`: as for `experiment`.
    pub namespace: Option<(String, u16, u16)>,
}

/// How arms share the traffic.
#[derive(Debug, Clone, PartialEq)]
pub enum Plan {
    /// The champion serves all.
    Champion,
    /// Arms of versions have shares of the units, or of the events. An arm of the champion's version is the control; where
    /// none is, the control has what the others leave.
    Shares {
        /// [`Deployment::AB`] or [`Deployment::BANDIT`].
        mode: &'static str,
        /// The arms: name, version, share of 0 to 1.
        arms: Vec<(String, ModelRef, f64)>,
        /// What arms are drawn by.
        draw: Draw,
    },
    /// A new version has a share; a baseline arm of the champion is as large, or what is left above one half. Both
    /// versions score every event, the one that does not answer as shadow.
    Canary {
        /// The new version.
        version: ModelRef,
        /// Its share of 0 to 1.
        share: f64,
    },
    /// Every list is made of all these versions' rankings.
    Interleave {
        /// The rankers, at least two.
        versions: Vec<ModelRef>,
        /// How lists are made.
        method: String,
    },
}

/// Why a deployment is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// Nothing serves yet, and no champion is named.
    #[error("nothing serves `{0}` yet: name the champion")]
    NoChampion(String),
    /// Arms or shares that are none.
    #[error(transparent)]
    Assignment(#[from] assignment::Error),
    /// An arm's name that is none.
    #[error("`{name}` cannot name an arm: {why}")]
    ArmName {
        /// The name.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A share that is less than one bucket.
    #[error("arm `{arm}`: a share of {share} is less than one of 10,000 buckets; leave the arm out")]
    TooSmall {
        /// The arm.
        arm: String,
        /// The share.
        share: f64,
    },
    /// Rankings of a topic that has none.
    #[error("`{0}` has no rankings: there are no lists to interleave")]
    NoRankings(String),
    /// A way to make lists that is unknown.
    #[error(
        "there is no interleaving `{0}`; there are team_draft, balanced, debiased_balanced, probabilistic, optimized"
    )]
    Method(String),
    /// Lists are made of at least two rankings, and some methods take two alone.
    #[error("{method} takes {takes} different versions, not {given}")]
    Rankers {
        /// The method.
        method: String,
        /// How many it takes.
        takes: &'static str,
        /// How many there are.
        given: usize,
    },
    /// The canary is the champion.
    #[error("{0} serves already: a canary is another version")]
    SameVersion(String),
    /// A salt that another experiment has.
    #[error(
        "the salt `{salt}` is that of {other} (deployment {offset}): the same units would meet the same arms; give each its own"
    )]
    SharedSalt {
        /// The salt.
        salt: String,
        /// Which experiment has it.
        other: String,
        /// Where.
        offset: i64,
    },
    /// A part of a namespace that another experiment has.
    #[error("namespace `{namespace}`: {from} to {to} overlaps the part of {other} (deployment {offset})")]
    SharedNamespace {
        /// The namespace.
        namespace: String,
        /// The part's first bucket.
        from: i32,
        /// The first one after it.
        to: i32,
        /// Which experiment has some of it.
        other: String,
        /// Where.
        offset: i64,
    },
    /// A part of a namespace that is none.
    #[error("namespace `{namespace}`: {from} to {to} is no part of 0 to 10000")]
    Part {
        /// The namespace.
        namespace: String,
        /// The part's first bucket.
        from: i32,
        /// The first one after it.
        to: i32,
    },
    /// An earlier deployment that is not there.
    #[error("{0}")]
    NoSuchDeployment(String),
}

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
    refuse::names(&next)?;
    refuse::salt(&next, history)?;
    refuse::namespace(&next, history)?;
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

/// An arm that is wanted.
struct Wanted {
    name: String,
    version: ModelRef,
    share: f64,
}

impl Plan {
    fn mode(&self) -> &'static str {
        match self {
            Plan::Champion => Deployment::CHAMPION,
            Plan::Shares { mode, .. } => mode,
            Plan::Canary { .. } => Deployment::CANARY,
            Plan::Interleave { .. } => Deployment::INTERLEAVE,
        }
    }

    fn check(&self, request: &Request, champion: &ModelRef) -> Result<(), Error> {
        match self {
            Plan::Interleave { .. } if !request.interleaves => Err(Error::NoRankings(request.topic.clone())),
            Plan::Interleave { versions, method } => refuse::rankers(versions, method),
            Plan::Canary { version, .. } if version == champion => {
                Err(Error::SameVersion(version.to_string()))
            }
            _ => Ok(()),
        }
    }

    /// The arms that answer, the champion's own first, where there is one.
    fn wanted(&self, champion: &ModelRef) -> Vec<Wanted> {
        let wanted = |name: &str, version: &ModelRef, share| Wanted {
            name: name.to_owned(),
            version: version.clone(),
            share,
        };
        match self {
            Plan::Champion => Vec::new(),
            Plan::Shares { arms, .. } => {
                let (mut own, others): (Vec<_>, Vec<_>) = arms
                    .iter()
                    .map(|(name, version, share)| wanted(name, version, *share))
                    .partition(|arm| arm.version == *champion);
                let left = 1.0 - others.iter().map(|arm| arm.share).sum::<f64>();
                if own.is_empty() && left >= 0.00005 {
                    own.push(wanted(CONTROL, champion, left));
                }
                own.into_iter().chain(others).collect()
            }
            Plan::Canary { version, share } => {
                let baseline = wanted(BASELINE, champion, share.min(1.0 - share).max(0.0));
                let canary = wanted(CANARY, version, *share);
                let all = [baseline, canary].into_iter();
                all.filter(|arm| arm.share > 0.0 || arm.name == CANARY).collect()
            }
            Plan::Interleave { versions, .. } => {
                versions.iter().map(|version| wanted(&version.to_string(), version, 0.0)).collect()
            }
        }
    }

    fn shadows(&self, champion: &ModelRef) -> Vec<Arm> {
        match self {
            Plan::Canary { version, .. } => {
                vec![arm(BASELINE, champion, ArmRole::Shadow), arm(CANARY, version, ArmRole::Shadow)]
            }
            _ => Vec::new(),
        }
    }
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
