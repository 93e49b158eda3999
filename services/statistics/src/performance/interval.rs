//! Intervals of 95 % that several metrics share.

use super::measured::{Estimate, Interval};

/// Half-width of a two-sided interval of 95 % of the standard normal distribution, in standard deviations.
pub const Z: f64 = 1.959_963_984_540_054;

/// Wilson's score interval of a proportion of `successes` in `n`, which may be fractions of rows; 0 to 1 for `n` = 0.
/// E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22, 1927.
pub fn wilson(successes: f64, n: f64, z: f64) -> Interval {
    if n <= 0.0 {
        return Interval { low: 0.0, high: 1.0 };
    }
    let (p, square) = (successes / n, z * z);
    let centre = (p + square / (2.0 * n)) / (1.0 + square / n);
    let half = z / (1.0 + square / n) * (p * (1.0 - p) / n + square / (4.0 * n * n)).max(0.0).sqrt();
    // Rounding must not push the ends off 0 and 1, where Wilson's interval ends exactly.
    let low = if successes <= 0.0 { 0.0 } else { (centre - half).max(0.0) };
    let high = if successes >= n { 1.0 } else { (centre + half).min(1.0) };
    Interval { low, high }
}

/// Around a mean with this standard error, by the central limit theorem.
pub fn normal(value: f64, standard_error: f64) -> Interval {
    Interval { low: value - Z * standard_error, high: value + Z * standard_error }
}

/// Of a share strictly between 0 and 1: normal on the log-odds, so that it stays inside. M. S. Pepe, "The Statistical
/// Evaluation of Medical Tests for Classification and Prediction", 2003, section 5.2.
pub fn logit(share: f64, standard_error: f64) -> Interval {
    let odds = libm::log(share / (1.0 - share));
    let half = Z * standard_error / (share * (1.0 - share));
    let back = |logit: f64| 1.0 / (1.0 + libm::exp(-logit));
    Interval { low: back(odds - half), high: back(odds + half) }
}

/// Of the difference `a - b` of two independent proportions, each as (successes, n): Newcombe's hybrid of two Wilson
/// intervals. R. G. Newcombe, "Interval estimation for the difference between independent proportions", Statistics in
/// Medicine 17, 1998, method 10.
pub fn newcombe(a: (f64, f64), b: (f64, f64), z: f64) -> Interval {
    let (pa, pb) = (a.0 / a.1, b.0 / b.1);
    let (wa, wb) = (wilson(a.0, a.1, z), wilson(b.0, b.1, z));
    let difference = pa - pb;
    let below = libm::hypot(pa - wa.low, wb.high - pb);
    let above = libm::hypot(wa.high - pa, pb - wb.low);
    Interval { low: (difference - below).max(-1.0), high: (difference + above).min(1.0) }
}

/// Rows below which the mean of a skewed loss is not close to normal.
pub(crate) const MEAN_MINIMUM: u64 = 30;

/// The mean of values with how often each occurs, with its normal interval.
pub(crate) fn of_mean(values: &[(f64, u64)]) -> Estimate {
    let rows: u64 = values.iter().map(|(_, count)| count).sum();
    let n = rows as f64;
    let mean = values.iter().map(|(value, count)| value * *count as f64).sum::<f64>() / n;
    let squares: f64 = values.iter().map(|(value, count)| (value - mean).powi(2) * *count as f64).sum();
    // One row says nothing about its spread: the interval is then the value, and too small to be judged.
    let error = if rows > 1 { (squares / (n - 1.0) / n).sqrt() } else { 0.0 };
    let Interval { low, high } = normal(mean, error);
    let interval = Interval { low: low.max(0.0), high };
    Estimate { value: mean, interval, support: rows, minimum: MEAN_MINIMUM }
}
