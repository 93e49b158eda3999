//! Whether fewer labels came than the delay curve expects.

use crate::performance::binary::proportion;
use crate::performance::special::gamma_q;
use crate::performance::{Measured, Undefined};

/// Labels that came in an interval against those that were to come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arrivals {
    /// Labels that came.
    pub observed: u64,
    /// Labels that were to come.
    pub expected: f64,
    /// Observed over expected; `None` where none was to come.
    pub ratio: Option<f64>,
    /// The probability of so few or fewer, if labels come as learnt.
    pub p_value: f64,
}

/// Tests for labels that come late or no more: the lower tail of a Poisson count with the expected mean. Each label
/// comes with a probability of its own, and for a count below its mean by one or more the Poisson tail is then an upper
/// bound (T. W. Anderson, S. M. Samuels, "Some inequalities among binomial and Poisson probabilities", 5th Berkeley
/// Symposium, 1967), so the test does not alarm too often.
///
/// `dispersion` is the variance of such counts over their mean, from [`dispersion`]: 1 for labels that come one by one,
/// more where they come in batches; counts are divided by it (quasi-Poisson). Values below 1 count as 1.
pub fn stopped(observed: u64, expected: f64, dispersion: f64) -> Arrivals {
    let expected = if expected.is_finite() { expected.max(0.0) } else { 0.0 };
    let scale = if dispersion.is_finite() { dispersion.max(1.0) } else { 1.0 };
    let p_value = gamma_q((observed as f64 / scale).floor() + 1.0, expected / scale);
    let ratio = (expected > 0.0).then(|| observed as f64 / expected);
    Arrivals { observed, expected, ratio, p_value }
}

/// Variance of counts over their mean, from intervals of a reference as (observed, expected): Pearson's statistic over
/// the number of intervals, at least 1 (P. McCullagh, J. A. Nelder, "Generalized Linear Models", 1989, section 6.2.3).
/// `None` without an interval in which a label was expected.
pub fn dispersion(intervals: &[(u64, f64)]) -> Option<f64> {
    let terms: Vec<f64> = intervals
        .iter()
        .filter(|(_, expected)| expected.is_finite() && *expected > 0.0)
        .map(|(observed, expected)| (*observed as f64 - expected).powi(2) / expected)
        .collect();
    (!terms.is_empty()).then(|| (terms.iter().sum::<f64>() / terms.len() as f64).max(1.0))
}

/// Share of predictions that have a label. Wilson's interval.
///
/// # Errors
/// Without predictions.
pub fn coverage(labelled: u64, predictions: u64) -> Measured {
    proportion(labelled.min(predictions), predictions).ok_or(Undefined::NoRows)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scipy.stats.poisson.cdf, SciPy 1.15.3.
    #[test]
    fn the_tail_is_poissons() {
        for (observed, expected, p) in [
            (0, 3.0, 0.04978706836786395),
            (5, 12.5, 0.014822874597441575),
            (80, 100.0, 0.022649176642255638),
        ] {
            let arrivals = stopped(observed, expected, 1.0);
            assert!((arrivals.p_value - p).abs() < 1e-10, "{arrivals:?} {p}");
        }
    }

    #[test]
    fn nothing_expected_is_no_alarm() {
        assert_eq!(stopped(0, 0.0, 1.0), Arrivals { observed: 0, expected: 0.0, ratio: None, p_value: 1.0 });
        assert_eq!(stopped(3, f64::NAN, 1.0).p_value, 1.0);
    }

    #[test]
    fn labels_in_batches_take_more_to_alarm() {
        let reference = [(50, 100.0), (150, 100.0), (90, 100.0), (110, 100.0)];
        let scale = dispersion(&reference).unwrap();
        assert!((scale - 13.0).abs() < 1e-12, "{scale}");
        assert!(stopped(60, 100.0, 1.0).p_value < 1e-4);
        assert!(stopped(60, 100.0, scale).p_value > 0.1);
        assert_eq!(dispersion(&[(1, 0.0)]), None);
        assert_eq!(dispersion(&[(100, 100.0)]), Some(1.0));
    }

    #[test]
    fn coverage_has_an_interval() {
        let share = coverage(30, 100).unwrap();
        assert_eq!(share.value, 0.3);
        assert!(share.interval.contains(0.25) && !share.interval.contains(0.5));
        assert_eq!(coverage(0, 0), Err(Undefined::NoRows));
    }
}
