//! Whom users prefer, of two rankers.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use millrace_statistics::bisect::boundary;
use millrace_statistics::distribution::binomial;
use serde::{Deserialize, Serialize};

/// What users' requests said so far; a user counts once.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Preference {
    users: BTreeMap<String, Requests>,
    sequence: SignSequence,
}

/// One user's requests: how many each ranker won, how many were even.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Requests {
    won: u64,
    lost: u64,
    even: u64,
}

/// What a preference is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Users of whom the first ranker won more requests.
    pub wins: u64,
    /// Users of whom it won fewer.
    pub losses: u64,
    /// Users without a preference, also those who never clicked; not part of the tests.
    pub ties: u64,
    /// (wins + ties / 2) / users - 1 / 2, in [-1/2, 1/2] (Chapelle et al., "Large-scale validation and analysis of
    /// interleaved search evaluation", 2012).
    pub advantage: f64,
    /// Two-sided exact sign test of wins and losses; valid when looked at once.
    pub p_value: f64,
    /// May be looked at at any time.
    pub always_valid: SignSummary,
}

/// What an always-valid sign sequence says.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SignSummary {
    /// Users whose first decided request the first ranker won.
    pub wins: u64,
    /// Users whose first decided request it lost.
    pub losses: u64,
    /// The probability that it wins one: the interval that holds at every look, at the level asked for.
    pub win_rate: (f64, f64),
    /// The least of all looks.
    pub p_value: f64,
}

impl Preference {
    /// Takes the final outcome of one request: `Greater` if the first ranker earned more.
    pub fn add(&mut self, user: &str, outcome: Ordering) {
        let requests = match self.users.get_mut(user) {
            Some(requests) => requests,
            None => self.users.entry(user.to_owned()).or_default(),
        };
        let undecided = requests.won + requests.lost == 0;
        match outcome {
            Ordering::Greater => requests.won += 1,
            Ordering::Less => requests.lost += 1,
            Ordering::Equal => requests.even += 1,
        }
        if undecided && outcome != Ordering::Equal {
            self.sequence.add(outcome == Ordering::Greater);
        }
    }

    /// The preference so far; the interval of the always-valid sequence has level 1 - `alpha`.
    pub fn summary(&self, alpha: f64) -> Summary {
        let count = |order: Ordering| {
            self.users.values().filter(|user| user.won.cmp(&user.lost) == order).count() as u64
        };
        let (wins, losses, ties) = (count(Ordering::Greater), count(Ordering::Less), count(Ordering::Equal));
        let users = (wins + losses + ties).max(1) as f64;
        Summary {
            wins,
            losses,
            ties,
            advantage: (wins as f64 - losses as f64) / (2.0 * users),
            p_value: sign_test(wins, losses),
            always_valid: self.sequence.summary(alpha),
        }
    }
}

/// Two-sided exact binomial test that wins and losses are equally likely: twice the smaller tail, at most 1.
pub fn sign_test(wins: u64, losses: u64) -> f64 {
    (2.0 * binomial::sf(wins.max(losses), wins + losses, 0.5)).min(1.0)
}

/// A sign test that may be looked at after every user.
///
/// The likelihood ratio of a uniform mixture over the win rate against a fixed one is a martingale with mean 1 (Robbins,
/// "Statistical methods related to the law of the iterated logarithm", 1970): by Ville's inequality it ever reaches
/// 1 / alpha with probability alpha at most. A user enters once, at the first request that decided: later ones would
/// change what has been looked at.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SignSequence {
    wins: u64,
    losses: u64,
    /// The greatest log likelihood ratio against 1/2.
    greatest: f64,
}

impl Default for SignSequence {
    fn default() -> Self {
        Self { wins: 0, losses: 0, greatest: 0.0 }
    }
}

impl SignSequence {
    /// Takes one user.
    pub fn add(&mut self, won: bool) {
        *(if won { &mut self.wins } else { &mut self.losses }) += 1;
        self.greatest = self.greatest.max(self.log_ratio(0.5));
    }

    /// The p-value now: the least of all looks.
    pub fn p_value(&self) -> f64 {
        libm::exp(-self.greatest)
    }

    /// What it says, with an interval of level 1 - `alpha`.
    pub fn summary(&self, alpha: f64) -> SignSummary {
        let bound = -libm::log(alpha);
        let rate = if self.wins + self.losses == 0 {
            0.5
        } else {
            self.wins as f64 / (self.wins + self.losses) as f64
        };
        let outside = |at: f64| self.log_ratio(at) >= bound;
        let win_rate = (boundary(0.0, rate, outside), boundary(1.0, rate, outside));
        SignSummary { wins: self.wins, losses: self.losses, win_rate, p_value: self.p_value() }
    }

    /// ln of B(wins + 1, losses + 1) / (rate^wins (1 - rate)^losses).
    fn log_ratio(&self, rate: f64) -> f64 {
        let (wins, losses) = (self.wins as f64, self.losses as f64);
        let term = |count: f64, p: f64| if count > 0.0 { count * libm::log(p) } else { 0.0 };
        libm::lgamma(wins + 1.0) + libm::lgamma(losses + 1.0)
            - libm::lgamma(wins + losses + 2.0)
            - term(wins, rate)
            - term(losses, 1.0 - rate)
    }
}
