//! Kolmogorov-Smirnov.

use super::joint::{joint, totals};
use crate::distribution::kolmogorov;
use crate::sample::Sample;
use crate::two_sample::Outcome;

/// Up to this many rows in each window the p-value is exact.
const EXACT_ROWS: u64 = 10_000;

/// D = max |F - G|. The p-value is exact up to 10,000 rows in each window; above, it is that of one sample of
/// `round(mn / (m + n))` rows against a distribution. The effect is D.
pub(in crate::two_sample) fn kolmogorov_smirnov(reference: &Sample, current: &Sample) -> Outcome {
    let rows = totals(reference, current);
    let greatest = joint(reference, current).map(|j| j.difference(rows).unsigned_abs()).max().unwrap_or(0);
    let [m, n] = rows.map(|r| r as f64);
    let d = greatest as f64 / (m * n);
    let p_value = if rows[0].max(rows[1]) <= EXACT_ROWS {
        let lattice_units = greatest / u128::from(kolmogorov::gcd(rows[0], rows[1]));
        kolmogorov::two_sample_sf(lattice_units as u64, rows[0], rows[1])
    } else {
        let rows_of_one = (m * n / (m + n)).round_ties_even();
        kolmogorov::sf(d, rows_of_one.max(1.0) as u64)
    };
    Outcome { statistic: d, p_value: Some(p_value), effect: d }
}
