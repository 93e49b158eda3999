//! What evidence says of a step.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::analysis::Tested;

/// Which way a metric is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// More is better: AUC, conversions.
    Higher,
    /// Less is better: log loss, errors, latency.
    Lower,
}

/// What a canary must not be worse in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Criterion {
    /// The metric's name.
    pub metric: String,
    /// Which way it is good.
    pub better: Better,
    /// How much worse is accepted, in the metric's unit, not negative.
    pub margin: f64,
    /// Support (labelled positives, units, requests) below which nothing is decided: what the declared power needs.
    pub required: u64,
}

/// What is known of a criterion: the interval of canary less baseline, which must hold at every look.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// Labelled positives, units or requests that it rests on.
    pub support: u64,
}

impl Evidence {
    /// Of a test's interval: DeLong's, a confidence sequence's, that of two shares. Latency is compared as a share too: of
    /// requests slower than the baseline's p99, which is 1 % if nothing has changed.
    pub fn of(tested: &Tested, support: u64) -> Self {
        Self { low: tested.low, high: tested.high, support }
    }
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The step is passed.
    Promote,
    /// The canary is worse.
    RollBack,
    /// Not decided yet.
    Extend,
    /// There is nothing to decide on, or an operator said so.
    Pause,
    /// The maximum duration is over without a decision.
    KeepChampion,
}

/// What a criterion says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Not worse than the margin, at the interval's level.
    Good,
    /// Worse than the margin.
    Worse,
    /// The margin lies within the interval.
    Undecided,
    /// Below the required support.
    TooFew,
    /// Nothing is known.
    NoEvidence,
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Good => "good",
            Self::Worse => "worse",
            Self::Undecided => "undecided",
            Self::TooFew => "too few",
            Self::NoEvidence => "no evidence",
        })
    }
}

/// An action and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// What is to be done.
    pub action: Action,
    /// What each criterion said, in their order.
    pub standings: Vec<(String, Standing)>,
}

impl Criterion {
    /// What the evidence says of it: Good needs the whole interval on the good side of the margin, Worse the whole interval
    /// on the other side. An interval that is no number says nothing.
    pub fn standing(&self, evidence: Option<&Evidence>) -> Standing {
        let Some(evidence) = evidence.filter(|evidence| !(evidence.low.is_nan() || evidence.high.is_nan()))
        else {
            return Standing::NoEvidence;
        };
        if evidence.support < self.required {
            return Standing::TooFew;
        }
        let (least, most) = match self.better {
            Better::Higher => (evidence.low, evidence.high),
            Better::Lower => (-evidence.high, -evidence.low),
        };
        if least > -self.margin {
            Standing::Good
        } else if most < -self.margin {
            Standing::Worse
        } else {
            Standing::Undecided
        }
    }
}

/// What a step's evidence (in the order of the criteria) asks for; `over` says that the maximum duration is reached.
///
/// One criterion that is worse rolls back, all must be good to promote; no evidence at all pauses, whatever the time.
/// Promotion by all needs no correction for their number (an intersection of tests); for rollback by any each interval has
/// level 1 - alpha over the number of criteria.
pub fn decide(criteria: &[Criterion], evidence: &[Option<Evidence>], over: bool) -> Decision {
    let of =
        |(at, criterion): (usize, &Criterion)| criterion.standing(evidence.get(at).and_then(Option::as_ref));
    let found: Vec<Standing> = criteria.iter().enumerate().map(of).collect();
    let all = |standing: Standing| found.iter().all(|one| *one == standing);
    let action = if all(Standing::NoEvidence) {
        Action::Pause
    } else if found.contains(&Standing::Worse) {
        Action::RollBack
    } else if all(Standing::Good) {
        Action::Promote
    } else if over {
        Action::KeepChampion
    } else {
        Action::Extend
    };
    let names = criteria.iter().map(|criterion| criterion.metric.clone());
    Decision { action, standings: names.zip(found).collect() }
}
