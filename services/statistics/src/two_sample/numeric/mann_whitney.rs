//! Mann-Whitney U.

use super::joint::{joint, totals};
use crate::distribution::{mann_whitney as exact, normal};
use crate::sample::Sample;
use crate::two_sample::Outcome;

/// The p-value is exact if one window has at most this many rows and no value occurs twice.
const EXACT_ROWS: u64 = 8;

/// U of the reference: the number of pairs whose reference row is larger, equal ones counting half. The two-sided
/// p-value is exact with at most 8 rows in a window and no ties, else the normal one, corrected for ties and
/// continuity. The effect is |rank-biserial correlation| = |2 U / mn - 1|.
pub(in crate::two_sample) fn mann_whitney(reference: &Sample, current: &Sample) -> Outcome {
    let rows = totals(reference, current);
    let (twice, tie_term, ties) = count(reference, current);
    let product = u128::from(rows[0]) * u128::from(rows[1]);
    let twice_greater = twice.max(2 * product - twice);
    let enumerated = if !ties && rows[0].min(rows[1]) <= EXACT_ROWS {
        exact::sf((twice_greater / 2) as u64, rows[0], rows[1])
    } else {
        None
    };
    let tail = enumerated.unwrap_or_else(|| normal_tail(twice_greater as f64 / 2.0, tie_term, rows));
    let effect = (twice_greater - product) as f64 / product as f64;
    Outcome { statistic: twice as f64 / 2.0, p_value: Some((2.0 * tail).min(1.0)), effect }
}

/// The rank-biserial correlation of the current window against the reference, in [-1, 1]: the probability that a current
/// row is larger, less the probability that it is smaller. The common-language effect size is `(1 + r) / 2`. None
/// without rows.
pub fn rank_biserial(reference: &Sample, current: &Sample) -> Option<f64> {
    let pairs = reference.total() as f64 * current.total() as f64;
    let (twice, ..) = count(reference, current);
    (pairs > 0.0).then(|| 1.0 - twice as f64 / pairs)
}

/// 2 U of the reference, the sum of t^3 - t over ties of t rows, and whether there are any.
fn count(reference: &Sample, current: &Sample) -> (u128, f64, bool) {
    let (mut twice, mut tie_term, mut ties) = (0_u128, 0.0, false);
    for value in joint(reference, current) {
        twice += u128::from(value.rows[0]) * u128::from(2 * value.below[1] + value.rows[1]);
        let t = value.ties() as f64;
        tie_term += t * (t * t - 1.0);
        ties |= value.ties() > 1;
    }
    (twice, tie_term, ties)
}

/// P(U >= u) by the normal distribution.
fn normal_tail(u: f64, tie_term: f64, rows: [u64; 2]) -> f64 {
    let [m, n] = rows.map(|r| r as f64);
    let both = m + n;
    let variance = m * n / 12.0 * ((both + 1.0) - tie_term / (both * (both - 1.0)));
    if variance <= 0.0 {
        return 1.0;
    }
    normal::sf((u - m * n / 2.0 - 0.5) / variance.sqrt())
}
