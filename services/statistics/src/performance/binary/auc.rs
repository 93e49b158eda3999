//! Area under the ROC curve.

use crate::bisect::boundary;
use crate::performance::interval::{Z, logit};
use crate::performance::{Estimate, Interval, Measured, Outcomes, ScoreCounts, Undefined};

/// Rows of the scarcer class below which the interval is not to be trusted.
pub(crate) const MINIMUM: u64 = 20;

/// The probability that a positive scores above a negative, ties counting half.
///
/// Interval: E. R. DeLong et al., "Comparing the areas under two or more correlated ROC curves", Biometrics 44, 1988, on
/// the log-odds. Where that variance is zero (the classes are told apart wholly, or all scores are one), R. G. Newcombe,
/// "Confidence intervals for an effect size measure based on the Mann-Whitney statistic. Part 2", Statistics in
/// Medicine 25, 2006, method 5.
///
/// # Errors
/// Without rows, or with one class only.
pub fn auc(counts: &ScoreCounts) -> Measured {
    let total = counts.total();
    let support = total.positives.min(total.negatives);
    if total.rows() == 0 {
        return Err(Undefined::NoRows);
    }
    if support == 0 {
        return Err(Undefined::OneClass { rows: total.rows(), positive: total.positives > 0 });
    }
    let (value, variance) = delong(counts, total);
    let inside = 0.0 < value && value < 1.0 && variance > 0.0;
    let interval = if inside { logit(value, variance.sqrt()) } else { newcombe(value, total) };
    Ok(Estimate { value, interval, support, minimum: MINIMUM })
}

/// The area and DeLong's variance of it. A row's placement is the share of the other class that it beats.
fn delong(counts: &ScoreCounts, total: Outcomes) -> (f64, f64) {
    let (positives, negatives) = (total.positives as f64, total.negatives as f64);
    // Twice the number of pairs won: an integer, so the area itself is rounded once.
    let mut doubled = 0_u128;
    let mut below = Outcomes::default();
    let mut squares = (0.0, 0.0);
    for (_, at) in counts.ascending() {
        let beaten = 2 * u128::from(below.negatives) + u128::from(at.negatives);
        doubled += u128::from(at.positives) * beaten;
        let placed = beaten as f64 / 2.0 / negatives;
        let above = positives - below.positives as f64 - at.positives as f64 / 2.0;
        squares.0 += at.positives as f64 * placed * placed;
        squares.1 += at.negatives as f64 * (above / positives).powi(2);
        below =
            Outcomes { positives: below.positives + at.positives, negatives: below.negatives + at.negatives };
    }
    let value = doubled as f64 / 2.0 / (positives * negatives);
    let spread = |squares: f64, n: f64| {
        if n > 1.0 { (squares - n * value * value).max(0.0) / (n - 1.0) / n } else { 0.0 }
    };
    (value, spread(squares.0, positives) + spread(squares.1, negatives))
}

/// The areas that lie within `Z` of their own standard errors from the one measured.
fn newcombe(value: f64, total: Outcomes) -> Interval {
    let (m, n) = (total.positives as f64, total.negatives as f64);
    let others = (m + n) / 2.0 - 1.0;
    let outside = |area: f64| {
        let weights = 1.0 + others * ((1.0 - area) / (2.0 - area) + area / (1.0 + area));
        (area - value).abs() > Z * (area * (1.0 - area) * weights / (m * n)).sqrt()
    };
    Interval { low: boundary(0.0, value, outside), high: boundary(1.0, value, outside) }
}
