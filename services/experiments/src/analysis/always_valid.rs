//! Tests and intervals that may be looked at any time.

use serde::{Deserialize, Serialize};

use super::{Effect, Tested};

/// An asymptotic confidence sequence, by the mixture of a normal with variance rho^2.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfidenceSequence {
    /// The number of units of both arms at which the interval is to be tightest.
    pub tuned_for_units: f64,
}

impl Default for ConfidenceSequence {
    fn default() -> Self {
        Self { tuned_for_units: 5000.0 }
    }
}

impl ConfidenceSequence {
    /// I. Waudby-Smith, D. Arbour, R. Sinha, E. H. Kennedy and A. Ramdas, "Time-uniform central limit theory and asymptotic
    /// confidence sequences", 2021 (v7): the interval is equation 9, rho^2 161, the p-value 155. Asymptotic: early looks,
    /// before the central limit theorem holds, are left out by a burn-in.
    pub fn test(&self, effect: &Effect, null: f64, alpha: f64) -> Tested {
        let n = effect.units as f64;
        let log = libm::log(alpha);
        let rho = (-2.0 * log + libm::log(-2.0 * log + 1.0)) / self.tuned_for_units;
        let grown = n * rho + 1.0;
        let variance = effect.standard_error * effect.standard_error;
        // The variance of one unit is that of the effect times n.
        let width = (variance * n * 2.0 * grown / (n * n * rho) * (0.5 * libm::log(grown) - log)).sqrt();
        let squared = (effect.difference - null) * (effect.difference - null) * n / variance;
        let evidence = rho * squared / (2.0 * grown) - 0.5 * libm::log(grown);
        effect.tested(width, libm::exp(-evidence).min(1.0))
    }
}

/// The mixture sequential probability ratio test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Msprt {
    /// The standard deviation of effects that are expected, in the effect's unit: the smaller, the longer until a decision
    /// and the smaller the effects that are seen early.
    pub expected_effect: f64,
}

impl Msprt {
    /// R. Johari, P. Koomen, L. Pekelis and D. Walsh, "Always valid inference: continuous monitoring of A/B tests", 2022:
    /// with V the variance of the effect and tau its expected deviation, the ratio is
    /// sqrt(V / (V + tau^2)) exp(tau^2 (effect - null)^2 / (2 V (V + tau^2))), the p-value its inverse, and the interval
    /// what it does not reject. For equal arms of n units V = 2 sigma^2 / n, as printed there.
    pub fn test(&self, effect: &Effect, null: f64, alpha: f64) -> Tested {
        let v = effect.standard_error * effect.standard_error;
        let tau = self.expected_effect * self.expected_effect;
        let off = effect.difference - null;
        let evidence = 0.5 * libm::log(v / (v + tau)) + tau * off * off / (2.0 * v * (v + tau));
        let bound = libm::log((v + tau) / v) - 2.0 * libm::log(alpha);
        effect.tested((v * (v + tau) / tau * bound).sqrt(), libm::exp(-evidence).min(1.0))
    }
}

/// The looks at one comparison: the least p-value and what all intervals have in common.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Looks {
    /// Units of both arms below which a look says nothing.
    pub burn_in_units: u64,
    /// How many looks counted.
    pub looks: u64,
    /// The least p-value.
    pub p_value: f64,
    /// The greatest lower end.
    pub low: f64,
    /// The least upper end; below `low` where looks contradict each other, which has probability alpha at most.
    pub high: f64,
}

impl Looks {
    /// Before any look.
    pub fn new(burn_in_units: u64) -> Self {
        Self { burn_in_units, looks: 0, p_value: 1.0, low: f64::NEG_INFINITY, high: f64::INFINITY }
    }

    /// Takes a look at `units` of both arms; within the burn-in it does not count.
    pub fn look(&mut self, units: u64, tested: &Tested) {
        if units < self.burn_in_units {
            return;
        }
        self.looks += 1;
        self.p_value = self.p_value.min(tested.p_value);
        self.low = self.low.max(tested.low);
        self.high = self.high.min(tested.high);
    }
}
