//! Pearson's chi-square test of homogeneity.

use super::divergence::shares;
use crate::distribution::chi_square as distribution;
use crate::two_sample::{Outcome, Undefined};

/// A cell is sparse if the smaller window is expected to have fewer rows in it (Cochran, 1954).
const SPARSE_ROWS: f64 = 5.0;

/// The statistic over the cells after [`pool`], with Yates' correction where two are left (as SciPy's
/// `chi2_contingency` does by default). The effect is Cramer's V of both windows scaled to the same size, so that it
/// does not depend on how many rows either has: sqrt(sum of (p - q)^2 / (p + q) / 2), in [0, 1].
pub(in crate::two_sample) fn chi_square(reference: &[u64], current: &[u64]) -> Result<Outcome, Undefined> {
    let [reference, current] = pool(reference, current)?;
    let squares: f64 = shares(&reference, &current).map(|(p, q)| (p - q).powi(2) / (p + q)).sum();
    let freedom = reference.len() as f64 - 1.0;
    if freedom < 1.0 {
        return Ok(Outcome { statistic: 0.0, p_value: Some(1.0), effect: 0.0 });
    }
    let statistic = pearson(&reference, &current, freedom == 1.0);
    Ok(Outcome {
        statistic,
        p_value: Some(distribution::sf(statistic, freedom)),
        effect: (squares / 2.0).sqrt(),
    })
}

/// The sum of (observed - expected)^2 / expected over both windows.
fn pearson(reference: &[u64], current: &[u64], yates: bool) -> f64 {
    let totals = [reference, current].map(|counts| counts.iter().sum::<u64>() as f64);
    let both = totals[0] + totals[1];
    let mut sum = 0.0;
    for (p, q) in reference.iter().zip(current) {
        let cell = (p + q) as f64;
        for (observed, total) in [(*p as f64, totals[0]), (*q as f64, totals[1])] {
            let expected = cell * total / both;
            let away = (observed - expected).abs();
            let corrected = if yates { away - away.min(0.5) } else { away };
            sum += corrected * corrected / expected;
        }
    }
    sum
}

/// Pools sparse cells into one; if that is sparse itself, it joins the smallest of the others (the first of equal ones).
/// New and vanished categories are cells like any other. Cells that neither window has are left out.
///
/// # Errors
/// [`Undefined::Sparse`] if all rows together are too few for one cell that is not sparse.
fn pool(reference: &[u64], current: &[u64]) -> Result<[Vec<u64>; 2], Undefined> {
    let totals = [reference, current].map(|counts| counts.iter().sum::<u64>() as f64);
    let share_of_smaller = totals[0].min(totals[1]) / (totals[0] + totals[1]);
    let sparse = |(p, q): &(u64, u64)| (p + q) as f64 * share_of_smaller < SPARSE_ROWS;
    let cells = reference.iter().copied().zip(current.iter().copied()).filter(|(p, q)| p + q > 0);
    let (rare, mut kept): (Vec<_>, Vec<_>) = cells.partition(sparse);
    let pooled = rare.iter().fold((0, 0), |(p, q), (r, c)| (p + r, q + c));
    if !sparse(&pooled) {
        kept.push(pooled);
    } else if let Some(smallest) = kept.iter_mut().min_by_key(|(p, q)| p + q) {
        *smallest = (smallest.0 + pooled.0, smallest.1 + pooled.1);
    }
    if kept.is_empty() {
        return Err(Undefined::Sparse);
    }
    let (reference, current) = kept.into_iter().unzip();
    Ok([reference, current])
}
