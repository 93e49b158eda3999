//! Scores as probabilities: logarithmic and squared loss.

use crate::performance::interval::of_mean;
use crate::performance::{Measured, ScoreCounts, Undefined};

/// Mean of -ln of the probability given to what happened, each clipped to [eps, 1 - eps] with eps = 2^-52, as
/// scikit-learn's `log_loss` does. Interval: normal, of a mean.
///
/// # Errors
/// Without rows, or with a score outside [0, 1].
pub fn log_loss(counts: &ScoreCounts) -> Measured {
    mean_loss(counts, |probability| -libm::log(probability.clamp(f64::EPSILON, 1.0 - f64::EPSILON)))
}

/// Mean squared distance of the probability from what happened: 0 is best, 1 worst. Interval: normal, of a mean
/// (A. A. Bradley, S. S. Schwartz, T. Hashino, "Sampling uncertainty and confidence intervals for the Brier score and
/// Brier skill score", Weather and Forecasting 23, 2008, equation 8).
///
/// # Errors
/// Without rows, or with a score outside [0, 1].
pub fn brier(counts: &ScoreCounts) -> Measured {
    mean_loss(counts, |probability| (1.0 - probability) * (1.0 - probability))
}

/// The mean of `loss` of the probability given to what happened.
fn mean_loss(counts: &ScoreCounts, loss: impl Fn(f64) -> f64) -> Measured {
    if counts.rows() == 0 {
        return Err(Undefined::NoRows);
    }
    let mut losses = Vec::with_capacity(2 * counts.distinct());
    for (score, at) in counts.ascending() {
        if !(0.0..=1.0).contains(&score) {
            return Err(Undefined::NotProbability { score: score.to_string() });
        }
        losses.push((loss(score), at.positives));
        losses.push((loss(1.0 - score), at.negatives));
    }
    Ok(of_mean(&losses))
}
