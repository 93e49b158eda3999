//! What a policy that was not served would have earned, from logged decisions with their propensities.

use millrace_statistics::distribution::normal;
use serde::{Deserialize, Serialize};

/// A logged decision.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Logged {
    /// What the decision earned.
    pub reward: f64,
    /// The probability with which the serving policy took it.
    pub propensity: f64,
    /// The probability with which the judged policy takes it: for an arm that always serves 1 or 0.
    pub target: f64,
    /// A model's guess of the reward of this decision; 0 without a model.
    #[serde(default)]
    pub expected: f64,
    /// The guess of the reward of what the judged policy would do; 0 without a model.
    #[serde(default)]
    pub expected_of_target: f64,
}

/// Why logs give no estimate.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum Error {
    /// Nothing, or one row.
    #[error("{0} logged decisions: two are needed")]
    TooFew(usize),
    /// A probability that is none, or a decision that could not have been taken.
    #[error(
        "row {row}: propensity {propensity} and target probability {target} must lie in (0, 1] and [0, 1]"
    )]
    Probability {
        /// Which row, from 1.
        row: usize,
        /// The propensity.
        propensity: f64,
        /// The judged policy's probability.
        target: f64,
    },
    /// A number that is none.
    #[error("row {0}: reward and expectations must be numbers")]
    NotFinite(usize),
    /// The judged policy never does what was logged.
    #[error("the judged policy takes none of the logged decisions")]
    NoOverlap,
}

/// An estimate with its standard error and interval (normal, level 1 - alpha).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Value {
    /// The mean reward of a decision.
    pub mean: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// The interval's lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// The estimates.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Evaluation {
    /// Inverse propensity scoring: the mean of weight x reward, weight being target over propensity (Horvitz and
    /// Thompson, 1952). Unbiased, and noisy where weights are large.
    pub ips: Value,
    /// Self-normalised: the weighted mean (Swaminathan and Joachims, 2015); the standard error by the delta method.
    pub self_normalised: Value,
    /// Doubly robust (Dudik, Langford and Li, 2011): the model's guess, corrected by weighted residuals; unbiased if the
    /// propensities are right, or the model is.
    pub doubly_robust: Value,
    /// (sum of weights)^2 / sum of squared weights: how many decisions of the judged policy this is worth.
    pub effective_rows: f64,
    /// The greatest weight.
    pub greatest_weight: f64,
    /// The mean weight: near 1 if the propensities are what they claim to be.
    pub mean_weight: f64,
}

/// Estimates a policy's mean reward.
///
/// # Errors
/// A row that says which; logs that the judged policy has nothing in common with.
pub fn evaluate(rows: &[Logged], alpha: f64) -> Result<Evaluation, Error> {
    check(rows)?;
    let n = rows.len() as f64;
    let weights: Vec<f64> = rows.iter().map(|row| row.target / row.propensity).collect();
    let whole: f64 = weights.iter().sum();
    if whole == 0.0 {
        return Err(Error::NoOverlap);
    }
    let z = normal::isf(alpha / 2.0);
    let ips: Vec<f64> = rows.iter().zip(&weights).map(|(row, weight)| weight * row.reward).collect();
    let robust =
        rows.iter().zip(&weights).map(|(row, w)| row.expected_of_target + w * (row.reward - row.expected));
    let ratio = ips.iter().sum::<f64>() / whole;
    let residuals: f64 =
        rows.iter().zip(&weights).map(|(row, weight)| (weight * (row.reward - ratio)).powi(2)).sum();
    let squares: f64 = weights.iter().map(|weight| weight * weight).sum();
    Ok(Evaluation {
        ips: mean(&ips, z),
        self_normalised: value(ratio, residuals.sqrt() / whole, z),
        doubly_robust: mean(&robust.collect::<Vec<_>>(), z),
        effective_rows: whole * whole / squares,
        greatest_weight: weights.iter().copied().fold(0.0, f64::max),
        mean_weight: whole / n,
    })
}

fn check(rows: &[Logged]) -> Result<(), Error> {
    if rows.len() < 2 {
        return Err(Error::TooFew(rows.len()));
    }
    for (at, row) in rows.iter().enumerate() {
        let (propensity, target) = (row.propensity, row.target);
        if !(propensity > 0.0 && propensity <= 1.0 && (0.0..=1.0).contains(&target)) {
            return Err(Error::Probability { row: at + 1, propensity, target });
        }
        if !(row.reward + row.expected + row.expected_of_target).is_finite() {
            return Err(Error::NotFinite(at + 1));
        }
    }
    Ok(())
}

fn mean(terms: &[f64], z: f64) -> Value {
    let n = terms.len() as f64;
    let mean = terms.iter().sum::<f64>() / n;
    let squares: f64 = terms.iter().map(|term| (term - mean) * (term - mean)).sum();
    value(mean, (squares / (n - 1.0) / n).sqrt(), z)
}

fn value(mean: f64, standard_error: f64, z: f64) -> Value {
    Value { mean, standard_error, low: mean - z * standard_error, high: mean + z * standard_error }
}
