//! What a policy that was not served would have earned, from logged decisions with their propensities.

use millrace_statistics::distribution::normal;
use serde::{Deserialize, Serialize};

use super::{Estimate, Metric, Side, Sums};

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
    /// Whose decision it is: decisions of one unit are not independent. Of its own where all differ.
    #[serde(default)]
    pub unit: u64,
}

/// Why logs give no estimate.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum Error {
    /// Nothing, or one row.
    #[error("{0} logged decisions: two are needed")]
    TooFew(usize),
    /// All decisions are of one unit.
    #[error("all decisions are of one unit: two are needed")]
    OneUnit,
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
    /// Weights are cut at a number above 0.
    #[error("weights cannot be cut at {0}: the bound is above 0")]
    Clip(f64),
    /// Sums that overflowed.
    #[error("the rewards are too large to be squared")]
    TooLarge,
}

/// How estimates are made.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Intervals have level 1 - alpha.
    pub alpha: f64,
    /// Weights above this are cut to it: less noise for a bias towards what was served. None: no weight is cut.
    #[serde(default)]
    pub clip: Option<f64>,
}

/// An estimate with its standard error and interval (normal, level 1 - alpha).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Value {
    /// The mean reward of a decision.
    pub mean: f64,
    /// Its standard error; units are what is independent.
    pub standard_error: f64,
    /// The interval's lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// The estimates.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Evaluation {
    /// The mean reward of what was served.
    pub served: Value,
    /// Inverse propensity scoring: the mean of weight x reward, weight being target over propensity (Horvitz and
    /// Thompson, 1952). Unbiased, and noisy where weights are large.
    pub ips: Value,
    /// Self-normalised: the weighted mean (Swaminathan and Joachims, 2015); the standard error by the delta method.
    pub self_normalised: Value,
    /// Doubly robust (Dudik, Langford and Li, 2011): the model's guess, corrected by weighted residuals; unbiased if the
    /// propensities are right, or the model is.
    pub doubly_robust: Value,
    /// Doubly robust less served, decision by decision: whether the judged policy is better.
    pub gain: Value,
    /// (sum of weights)^2 / sum of squared weights: how many decisions of the judged policy this is worth.
    pub effective_rows: f64,
    /// The greatest weight before any is cut.
    pub greatest_weight: f64,
    /// The mean weight before any is cut: near 1 if the propensities are what they claim to be.
    pub mean_weight: f64,
    /// Rows whose weight was cut.
    pub clipped_rows: u64,
    /// The share of all weight that was cut off.
    pub clipped_share: f64,
}

/// Estimates a policy's mean reward. Rows of one unit are summed before variances are taken.
///
/// # Errors
/// A row that says which; logs that the judged policy has nothing in common with.
pub fn evaluate(rows: &[Logged], rules: &Rules) -> Result<Evaluation, Error> {
    check(rows, rules)?;
    let full: Vec<f64> = rows.iter().map(|row| row.target / row.propensity).collect();
    let cut = rules.clip.unwrap_or(f64::INFINITY);
    let weights: Vec<f64> = full.iter().map(|weight| weight.min(cut)).collect();
    let (all, whole): (f64, f64) = (full.iter().sum(), weights.iter().sum());
    if whole == 0.0 {
        return Err(Error::NoOverlap);
    }
    let units = Units::of(rows);
    let z = normal::isf(rules.alpha / 2.0);
    let mean = |term: &dyn Fn(&Logged, f64) -> f64| units.mean(rows, &weights, term, z);
    let robust = |row: &Logged, w: f64| row.expected_of_target + w * (row.reward - row.expected);
    let ratio = rows.iter().zip(&weights).map(|(row, weight)| weight * row.reward).sum::<f64>() / whole;
    let residuals = units.sums(rows, &weights, &|row, weight| weight * (row.reward - ratio));
    let residuals: f64 = residuals.iter().map(|residual| residual * residual).sum();
    Ok(Evaluation {
        served: mean(&|row, _| row.reward)?,
        ips: mean(&|row, weight| weight * row.reward)?,
        self_normalised: value(ratio, residuals.sqrt() / whole, z),
        doubly_robust: mean(&robust)?,
        gain: mean(&|row, weight| robust(row, weight) - row.reward)?,
        effective_rows: whole * whole / weights.iter().map(|weight| weight * weight).sum::<f64>(),
        greatest_weight: full.iter().copied().fold(0.0, f64::max),
        mean_weight: all / rows.len() as f64,
        clipped_rows: full.iter().filter(|weight| **weight > cut).count() as u64,
        clipped_share: 1.0 - whole / all,
    })
}

/// Which unit each row is of, numbered from 0, and how many rows each unit has.
struct Units {
    of: Vec<usize>,
    rows: Vec<f64>,
}

impl Units {
    fn of(rows: &[Logged]) -> Self {
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by_key(|at| rows[*at].unit);
        let (mut of, mut counts) = (vec![0; rows.len()], Vec::new());
        for unit in order.chunk_by(|a, b| rows[*a].unit == rows[*b].unit) {
            unit.iter().for_each(|at| of[*at] = counts.len());
            counts.push(unit.len() as f64);
        }
        Self { of, rows: counts }
    }

    fn sums(&self, rows: &[Logged], weights: &[f64], term: &dyn Fn(&Logged, f64) -> f64) -> Vec<f64> {
        let mut sums = vec![0.0; self.rows.len()];
        for ((row, weight), unit) in rows.iter().zip(weights).zip(&self.of) {
            sums[*unit] += term(row, *weight);
        }
        sums
    }

    /// The mean of a term over rows: a ratio of sums over units.
    fn mean(
        &self,
        rows: &[Logged],
        weights: &[f64],
        term: &dyn Fn(&Logged, f64) -> f64,
        z: f64,
    ) -> Result<Value, Error> {
        let mut sums = Sums::default();
        let terms = self.sums(rows, weights, term);
        terms.into_iter().zip(&self.rows).for_each(|(term, rows)| sums.add(term, *rows));
        if sums.units() < 2 {
            return Err(Error::OneUnit);
        }
        let found = Estimate::of(Metric::Ratio, &sums, Side::Treatment).map_err(|_| Error::TooLarge)?;
        Ok(value(found.mean, found.squared_error().max(0.0).sqrt(), z))
    }
}

fn check(rows: &[Logged], rules: &Rules) -> Result<(), Error> {
    if rows.len() < 2 {
        return Err(Error::TooFew(rows.len()));
    }
    if let Some(clip) = rules.clip.filter(|clip| clip.is_nan() || *clip <= 0.0) {
        return Err(Error::Clip(clip));
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

fn value(mean: f64, standard_error: f64, z: f64) -> Value {
    Value { mean, standard_error, low: mean - z * standard_error, high: mean + z * standard_error }
}
