//! Means, conversion rates, ratios and CUPED-adjusted means, with the variance of one unit.

use serde::Serialize;

use super::{Metric, Side, Sums, Undefined};

/// A metric of one arm.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// Units.
    pub units: u64,
    /// The metric, adjusted where a covariate is used.
    pub mean: f64,
    /// The metric without adjustment: what relative effects are relative to.
    pub raw_mean: f64,
    /// The variance of one unit's contribution: that of the metric is this over the units.
    pub variance: f64,
}

impl Estimate {
    /// Of an arm.
    ///
    /// Mean: sample variance. Conversion: p (1 - p). Ratio: the delta method (Deng, Knoblich and Lu, "Applying the delta
    /// method in metric analytics", 2018): (var y - 2 r cov + r^2 var x) / (mean x)^2, r being the ratio.
    ///
    /// # Errors
    /// Fewer than two units, values too large, a denominator of 0.
    pub fn of(metric: Metric, sums: &Sums, side: Side) -> Result<Self, Undefined> {
        let units = sums.units();
        if units < 2 {
            return Err(Undefined::TooFew { side, units });
        }
        let n = units as f64;
        let mean = sums.sum_y() / n;
        let (mean, variance) = match metric {
            Metric::Mean => (mean, sums.variance_y()),
            Metric::Conversion => (mean, mean * (1.0 - mean)),
            Metric::Ratio => ratio(sums, n, side)?,
        };
        if !(mean.is_finite() && variance.is_finite()) {
            return Err(Undefined::NotFinite(side));
        }
        Ok(Self { units, mean, raw_mean: mean, variance })
    }

    /// The squared standard error.
    pub fn squared_error(&self) -> f64 {
        self.variance / self.units as f64
    }
}

fn ratio(sums: &Sums, n: f64, side: Side) -> Result<(f64, f64), Undefined> {
    let mean_x = sums.sum_x() / n;
    if mean_x == 0.0 {
        return Err(Undefined::ZeroDenominator(side));
    }
    let ratio = sums.sum_y() / sums.sum_x();
    let spread = sums.variance_y() - 2.0 * ratio * sums.covariance_xy() + ratio * ratio * sums.variance_x();
    Ok((ratio, spread / (mean_x * mean_x)))
}

/// Both arms' means adjusted for the covariate x, which must be known strictly before exposure, and the share of variance
/// that it took away.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adjusted {
    /// The control.
    pub control: Estimate,
    /// The treatment.
    pub treatment: Estimate,
    /// The slope of y on x over both arms.
    pub theta: f64,
    /// 1 - adjusted / raw variance of the difference; negative if the covariate harms.
    pub variance_reduction: f64,
}

/// CUPED (Deng et al., "Improving the sensitivity of online controlled experiments by utilizing pre-experiment data", 2013):
/// y - theta x, theta being the covariance over the variance of x of all units of both arms. A covariate without variance
/// changes nothing (theta 0).
///
/// # Errors
/// As [`Estimate::of`].
pub fn adjusted(metric: Metric, control: &Sums, treatment: &Sums) -> Result<Adjusted, Undefined> {
    let raw =
        [Estimate::of(metric, control, Side::Control)?, Estimate::of(metric, treatment, Side::Treatment)?];
    let mut joint = control.clone();
    joint.merge(treatment);
    let (spread, flat) = (joint.variance_x(), joint.variance_y() == 0.0);
    let theta = if spread > 0.0 && !flat { joint.covariance_xy() / spread } else { 0.0 };
    let adjust = |raw: Estimate, sums: &Sums| {
        let variance = raw.variance + theta * theta * sums.variance_x() - 2.0 * theta * sums.covariance_xy();
        Estimate { mean: raw.mean - theta * sums.sum_x() / raw.units as f64, variance, ..raw }
    };
    let (control, treatment) = (adjust(raw[0], control), adjust(raw[1], treatment));
    let squared = |one: &Estimate, two: &Estimate| one.squared_error() + two.squared_error();
    let variance_reduction = 1.0 - squared(&control, &treatment) / squared(&raw[0], &raw[1]);
    Ok(Adjusted { control, treatment, theta, variance_reduction })
}
