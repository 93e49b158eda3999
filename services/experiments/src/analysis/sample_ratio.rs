//! Whether arms have the share of units that they should have: a mismatch means that something besides chance decides who
//! is counted, and that nothing may be concluded.

use millrace_statistics::distribution::chi_square;
use serde::{Deserialize, Serialize};

/// Pearson's chi-square test of units against shares; looked at once. Arms without a share are left out; without units
/// the p-value is 1.
pub fn fixed(units: &[u64], shares: &[f64]) -> f64 {
    let arms: Vec<(f64, f64)> = units
        .iter()
        .zip(shares)
        .filter(|(_, share)| **share > 0.0)
        .map(|(units, share)| (*units as f64, *share))
        .collect();
    let all: f64 = arms.iter().map(|(units, _)| units).sum();
    let whole: f64 = arms.iter().map(|(_, share)| share).sum();
    if all == 0.0 || arms.len() < 2 {
        return 1.0;
    }
    let term = |(units, share): &(f64, f64)| {
        let expected = share / whole * all;
        (units - expected) * (units - expected) / expected
    };
    chi_square::sf(arms.iter().map(term).sum(), arms.len() as f64 - 1.0)
}

/// The sequential test, which may be looked at after every batch.
///
/// M. Lindon and A. Malek, "Anytime-valid inference for multinomial count data", 2022: the Bayes factor of a Dirichlet
/// prior around the shares against the shares; the p-value is the least inverse so far. The factor depends on totals only,
/// the p-value also on where batches end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sequential {
    shares: Vec<f64>,
    /// How tightly the prior lies around the shares.
    concentration: f64,
    units: Vec<u64>,
    /// The greatest log Bayes factor.
    greatest: f64,
}

impl Sequential {
    /// The concentration that `ssrm-test` has by default.
    pub const CONCENTRATION: f64 = 10_000.0;

    /// Of shares in the order of the arms; they are scaled to sum to 1. Arms must have a share.
    pub fn new(shares: &[f64], concentration: f64) -> Self {
        let whole: f64 = shares.iter().sum();
        let shares: Vec<f64> = shares.iter().map(|share| share / whole).collect();
        Self { units: vec![0; shares.len()], shares, concentration, greatest: 0.0 }
    }

    /// Takes a batch, units by arm, and looks: the p-value.
    pub fn look(&mut self, batch: &[u64]) -> f64 {
        self.units.iter_mut().zip(batch).for_each(|(units, more)| *units += more);
        self.greatest = self.greatest.max(self.log_bayes_factor());
        self.p_value()
    }

    /// The p-value of all looks.
    pub fn p_value(&self) -> f64 {
        libm::exp(-self.greatest)
    }

    /// Units so far, by arm.
    pub fn units(&self) -> &[u64] {
        &self.units
    }

    fn log_bayes_factor(&self) -> f64 {
        let all: u64 = self.units.iter().sum();
        let mut log = -log_rising(self.concentration, all as f64);
        for (units, share) in self.units.iter().zip(&self.shares) {
            log += log_rising(self.concentration * share, *units as f64) - *units as f64 * libm::log(*share);
        }
        log
    }
}

/// ln(Gamma(a + n) / Gamma(a)).
fn log_rising(a: f64, n: f64) -> f64 {
    libm::lgamma(a + n) - libm::lgamma(a)
}
