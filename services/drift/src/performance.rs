//! Metrics on labels by name, and how far one falls short of what a model was deployed with.

use millrace_statistics::performance::regression::ErrorSums;
use millrace_statistics::performance::{Estimate, Measured, ScoreCounts, binary};

/// A metric of a window.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// Its name: `average_precision`.
    pub name: String,
    /// Whether greater is better.
    pub higher: bool,
    /// Its value with an interval, or why there is none.
    pub measured: Measured,
}

/// Bins of the expected calibration error.
const BINS: usize = 10;

/// What an interval of 95 % spans to either side, in standard errors.
const INTERVAL: f64 = 1.959_964;

impl Metric {
    /// Of that name, whether greater is better, and value.
    pub fn new(name: impl Into<String>, higher: bool, measured: Measured) -> Self {
        Self { name: name.into(), higher, measured }
    }
}

/// Of probabilities. `threshold`: from which score on is decided for positive, where that is known; `ks`: cuts.
pub fn of_binary(counts: &ScoreCounts, threshold: Option<f64>, ks: &[u32]) -> Vec<Metric> {
    let mut all = vec![
        Metric::new("auc_roc", true, binary::auc(counts)),
        Metric::new("average_precision", true, binary::average_precision(counts)),
        Metric::new("log_loss", false, binary::log_loss(counts)),
        Metric::new("brier", false, binary::brier(counts)),
        Metric::new("ece", false, binary::expected_calibration_error(counts, BINS)),
    ];
    if let Some(threshold) = threshold {
        let confusion = binary::Confusion::at(counts, threshold);
        all.push(Metric::new("precision", true, confusion.precision()));
        all.push(Metric::new("recall", true, confusion.recall()));
        all.push(Metric::new("f1", true, confusion.f1()));
    }
    for k in ks {
        let at = u64::from(*k);
        all.push(Metric::new(format!("precision_{k}"), true, binary::precision_at_k(counts, at)));
        all.push(Metric::new(format!("recall_{k}"), true, binary::recall_at_k(counts, at)));
    }
    all
}

/// Of predicted numbers.
pub fn of_numbers(sums: &ErrorSums) -> Vec<Metric> {
    vec![
        Metric::new("mae", false, sums.mae()),
        Metric::new("rmse", false, sums.rmse()),
        Metric::new("bias", false, sums.bias()),
    ]
}

/// By how much a metric is worse than `own`, and its standard error. The error is that of the interval's side towards
/// `own`: intervals of shares are lopsided.
pub fn shortfall(own: f64, estimate: Estimate, higher: bool) -> (f64, f64) {
    let short = if higher { own - estimate.value } else { estimate.value - own };
    let towards = if own > estimate.value { estimate.interval.high } else { estimate.interval.low };
    (short, ((towards - estimate.value).abs() / INTERVAL).max(f64::MIN_POSITIVE))
}

#[cfg(test)]
mod tests {
    use millrace_statistics::performance::Interval;

    use super::*;

    #[test]
    fn a_shortfall_is_measured_by_the_side_of_the_interval_that_it_lies_on() {
        let estimate =
            |value, low, high| Estimate { value, interval: Interval { low, high }, support: 60, minimum: 20 };
        let errors = |own, estimate, higher| {
            let (short, error) = shortfall(own, estimate, higher);
            (short / error / INTERVAL * 100.0).round()
        };
        // As far below as the interval reaches up, and as far above as it reaches down: one interval either way.
        assert_eq!(errors(0.9, estimate(0.8, 0.6, 0.9), true), 100.0);
        assert_eq!(errors(0.9, estimate(0.98, 0.9, 0.99), true), -100.0);
        assert_eq!(errors(0.2, estimate(0.3, 0.2, 0.5), false), 100.0);
    }
}
