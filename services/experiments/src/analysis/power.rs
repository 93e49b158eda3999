//! What a number of units can see, and how many are needed, before the start.

use millrace_statistics::distribution::normal;

/// The probability that a two-sided test at `alpha` sees a true `effect`, by the normal approximation: `error` is the
/// standard error that the difference will have.
pub fn power(effect: f64, error: f64, alpha: f64) -> f64 {
    let (bound, off) = (normal::isf(alpha / 2.0), effect.abs() / error);
    normal::sf(bound - off) + normal::sf(bound + off)
}

/// The least effect that is seen with this power.
pub fn detectable(error: f64, alpha: f64, power: f64) -> f64 {
    (normal::isf(alpha / 2.0) + normal::isf(1.0 - power)) * error
}

/// Units of the control and of the treatment that see `effect` with this power: the least whole numbers, the treatment
/// having `ratio` units for each of the control. Variances are of one unit. None beyond 2^53 units.
pub fn required_units(
    effect: f64,
    variances: (f64, f64),
    ratio: f64,
    alpha: f64,
    wanted: f64,
) -> Option<(u64, u64)> {
    let arms = |control: f64| (control, (control * ratio).ceil());
    let enough = |control: f64| {
        let (control, treatment) = arms(control);
        power(effect, (variances.0 / control + variances.1 / treatment).sqrt(), alpha) >= wanted
    };
    let limit = 9_007_199_254_740_992.0;
    let mut high = 2.0;
    while !enough(high) {
        high *= 2.0;
        if high > limit {
            return None;
        }
    }
    let mut low = 1.0;
    while high - low > 1.0 {
        let middle = ((low + high) / 2.0).floor();
        *(if enough(middle) { &mut high } else { &mut low }) = middle;
    }
    let (control, treatment) = arms(high);
    Some((control as u64, treatment as u64))
}

/// The variance of one unit of a conversion rate.
pub fn conversion_variance(rate: f64) -> f64 {
    rate * (1.0 - rate)
}

/// The squared standard error of an AUC of these rows (Hanley and McNeil, "The meaning and use of the area under a receiver
/// operating characteristic (ROC) curve", 1982).
pub fn auc_squared_error(auc: f64, positives: f64, negatives: f64) -> f64 {
    let (q1, q2, square) = (auc / (2.0 - auc), 2.0 * auc * auc / (1.0 + auc), auc * auc);
    let spread = auc * (1.0 - auc) + (positives - 1.0) * (q1 - square) + (negatives - 1.0) * (q2 - square);
    spread / (positives * negatives)
}

/// Labelled positives for which a difference of two AUCs on the same rows is seen with this power: `negatives` per positive,
/// the two estimates correlated by `correlation`. None beyond 2^40.
pub fn required_positives(
    auc: f64,
    difference: f64,
    negatives: f64,
    correlation: f64,
    alpha: f64,
    wanted: f64,
) -> Option<u64> {
    let error = |positives: u64| {
        let n = positives as f64;
        (2.0 * (1.0 - correlation) * auc_squared_error(auc, n, n * negatives)).sqrt()
    };
    let enough = |positives: u64| power(difference, error(positives), alpha) >= wanted;
    let mut high = 2;
    while !enough(high) {
        high *= 2;
        if high > 1 << 40 {
            return None;
        }
    }
    let mut low = 1;
    while high - low > 1 {
        let middle = (low + high) / 2;
        *(if enough(middle) { &mut high } else { &mut low }) = middle;
    }
    Some(high)
}
