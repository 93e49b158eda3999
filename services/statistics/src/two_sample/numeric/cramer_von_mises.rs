//! Cramer-von Mises for two samples.

use super::joint::{double, joint, totals};
use crate::distribution::cramer_von_mises as distribution;
use crate::sample::Sample;
use crate::two_sample::{Method, Outcome, Undefined, Window};

/// Up to this many rows in each window the p-value is exact (without ties).
const EXACT_ROWS: u64 = 20;
/// Above this many rows in both windows the exact sums would not fit in 127 bits.
const MOST_ROWS: u64 = 1 << 30;

/// Anderson's (1962) T with midranks. The p-value is exact up to 20 rows in each window, above it is the limiting
/// distribution's. The effect is the root of the integral of (F - G)^2 dH with H = (F + G) / 2.
pub(in crate::two_sample) fn cramer_von_mises(
    reference: &Sample,
    current: &Sample,
) -> Result<Outcome, Undefined> {
    let rows = totals(reference, current);
    for (window, rows) in [Window::Reference, Window::Current].into_iter().zip(rows) {
        if rows < 2 {
            return Err(Undefined::TooFew { method: Method::CramerVonMises, window, rows, needed: 2 });
        }
    }
    if rows[0].saturating_add(rows[1]) > MOST_ROWS {
        return Err(Undefined::Overflow);
    }
    let scaled = scaled_criterion(reference, current);
    let [m, n] = rows.map(|r| r as f64);
    let statistic = scaled as f64 / (24.0 * m * n * (m + n));
    let exact = if rows[0].max(rows[1]) <= EXACT_ROWS {
        distribution::two_sample_sf(scaled, rows[0], rows[1])
    } else {
        None
    };
    let p_value = exact.unwrap_or_else(|| limiting_p_value(statistic, m, n));
    let squared: f64 = joint(reference, current)
        .map(|j| j.share(rows) * (double(j.twice_mid_difference(rows)) / (2.0 * m * n)).powi(2))
        .sum();
    Ok(Outcome { statistic, p_value: Some(p_value), effect: squared.sqrt() })
}

/// 24 mn (m + n) T, which is an integer: 24 U - 4 mn (4 mn - 1).
///
/// Rows i = A+1..A+a of one window share a value that b rows of the other have and B are below; their midrank exceeds
/// the mean of i by B + b/2, so the squares of rank - i sum to a (B + b/2)^2 + a (a^2 - 1) / 12.
fn scaled_criterion(reference: &Sample, current: &Sample) -> i128 {
    let rows = totals(reference, current).map(i128::from);
    let mut sums = [0_i128; 2];
    for value in joint(reference, current) {
        for (own, other) in [(0, 1), (1, 0)] {
            let [a, b] = [own, other].map(|w: usize| i128::from(value.rows[w]));
            let twice = 2 * i128::from(value.below[other]) + b;
            sums[own] += a * (3 * twice * twice + a * a - 1);
        }
    }
    let product = rows[0] * rows[1];
    2 * (rows[0] * sums[0] + rows[1] * sums[1]) - 4 * product * (4 * product - 1)
}

/// The limiting distribution at T, moved and scaled to its mean and variance (Anderson, 1962).
fn limiting_p_value(statistic: f64, m: f64, n: f64) -> f64 {
    let (both, product) = (m + n, m * n);
    let mean = (1.0 + 1.0 / both) / 6.0;
    let variance = (both + 1.0) * (4.0 * product * both - 3.0 * (m * m + n * n) - 2.0 * product)
        / (45.0 * both * both * 4.0 * product);
    let standard = 1.0 / 6.0 + (statistic - mean) / (45.0 * variance).sqrt();
    if standard < 0.003 {
        return 1.0;
    }
    (1.0 - distribution::limiting_cdf(standard)).max(0.0)
}
