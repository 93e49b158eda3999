//! What is asked for, and the arms that it takes.

use millrace_schemas::envelope::{Arm, ArmRole, Deployment, Draw};
use millrace_topics::ModelRef;

use super::{BASELINE, CANARY, CONTROL, Error, arm, refuse};

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

/// An arm that is wanted.
pub(super) struct Wanted {
    pub(super) name: String,
    pub(super) version: ModelRef,
    pub(super) share: f64,
}

impl Plan {
    pub(super) fn mode(&self) -> &'static str {
        match self {
            Plan::Champion => Deployment::CHAMPION,
            Plan::Shares { mode, .. } => mode,
            Plan::Canary { .. } => Deployment::CANARY,
            Plan::Interleave { .. } => Deployment::INTERLEAVE,
        }
    }

    pub(super) fn check(&self, request: &Request, champion: &ModelRef) -> Result<(), Error> {
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
    pub(super) fn wanted(&self, champion: &ModelRef) -> Vec<Wanted> {
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

    pub(super) fn shadows(&self, champion: &ModelRef) -> Vec<Arm> {
        match self {
            Plan::Canary { version, .. } => {
                vec![arm(BASELINE, champion, ArmRole::Shadow), arm(CANARY, version, ArmRole::Shadow)]
            }
            _ => Vec::new(),
        }
    }
}
