//! Shares of a bandit's arms by Thompson sampling, for a conversion metric.

use serde::{Deserialize, Serialize};

use crate::assignment::hash::BUCKETS;
use crate::random::Random;

/// What an arm has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conversions {
    /// Units that converted.
    pub converted: u64,
    /// Units, those included.
    pub units: u64,
}

/// How weights are found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Draws of all arms' rates; the weights' own error is below 1 / (2 sqrt(draws)).
    pub draws: u32,
    /// The least share of an arm: above 0, so that every arm stays measurable and propensities stay bounded.
    pub least_share: f64,
}

impl Default for Rules {
    fn default() -> Self {
        Self { draws: 10_000, least_share: 0.01 }
    }
}

/// Weights of the arms in buckets, 10,000 together: in proportion to how often each has the greatest rate, drawn from its
/// posterior Beta(1 + converted, 1 + not) (Thompson, 1933; Chapelle and Li, 2011). The same seed gives the same weights.
///
/// None without arms, or if `least_share` of all arms exceeds 1.
pub fn weights(arms: &[Conversions], rules: &Rules, mut random: Random) -> Option<Vec<u16>> {
    let spread = 1.0 - rules.least_share * arms.len() as f64;
    if arms.is_empty() || !(0.0..=1.0).contains(&rules.least_share) || spread < 0.0 {
        return None;
    }
    let mut best = vec![0_u32; arms.len()];
    for _ in 0..rules.draws.max(1) {
        let mut greatest = (-1.0, 0);
        for (at, arm) in arms.iter().enumerate() {
            let failed = arm.units.saturating_sub(arm.converted);
            let rate = random.beta(1.0 + arm.converted as f64, 1.0 + failed as f64);
            if rate > greatest.0 {
                greatest = (rate, at);
            }
        }
        best[greatest.1] += 1;
    }
    let share = |wins: &u32| rules.least_share + spread * f64::from(*wins) / f64::from(rules.draws.max(1));
    Some(in_buckets(&best.iter().map(share).collect::<Vec<_>>()))
}

/// Shares as whole buckets, by the largest remainders, earlier arms first.
fn in_buckets(shares: &[f64]) -> Vec<u16> {
    let scaled: Vec<f64> = shares.iter().map(|share| share * f64::from(BUCKETS)).collect();
    // A share of 1 % is 100 buckets, not 99 and a rounding error.
    let mut buckets: Vec<u16> = scaled.iter().map(|share| (share + 1e-9).floor() as u16).collect();
    let mut order: Vec<usize> = (0..shares.len()).collect();
    let rest = |at: usize| scaled[at] - scaled[at].floor();
    order.sort_by(|a, b| rest(*b).total_cmp(&rest(*a)).then(a.cmp(b)));
    let missing = usize::from(BUCKETS).saturating_sub(buckets.iter().map(|b| usize::from(*b)).sum());
    for at in order.into_iter().cycle().take(missing) {
        buckets[at] += 1;
    }
    buckets
}

/// The arm of one decision and the probability of it, from published weights and a seed of the decision or the unit.
///
/// None if all weights are 0.
pub fn draw(weights: &[u16], mut random: Random) -> Option<(usize, f64)> {
    let whole: usize = weights.iter().map(|weight| usize::from(*weight)).sum();
    if whole == 0 {
        return None;
    }
    let mut point = random.below(whole);
    for (at, weight) in weights.iter().enumerate() {
        let weight = usize::from(*weight);
        if point < weight {
            return Some((at, weight as f64 / whole as f64));
        }
        point -= weight;
    }
    None
}
