//! Distances between two distributions over the same cells. Each takes rows per cell, both windows having some.

/// Added to the count of every cell by the population stability index (Jeffreys' prior), so that an empty one gives a
/// finite number that depends on how many rows did not fall into it.
const PRIOR_ROWS: f64 = 0.5;

/// Population stability index: the sum of (q - p) ln(q / p), natural logarithm, after adding half a row to every cell of
/// both windows.
pub(in crate::two_sample) fn population_stability_index(reference: &[u64], current: &[u64]) -> f64 {
    let shares = |counts: &[u64]| {
        let total = counts.iter().sum::<u64>() as f64 + PRIOR_ROWS * counts.len() as f64;
        counts.iter().map(|count| (*count as f64 + PRIOR_ROWS) / total).collect::<Vec<f64>>()
    };
    let pairs = shares(reference).into_iter().zip(shares(current));
    pairs.map(|(p, q)| (q - p) * libm::log(q / p)).sum()
}

/// Jensen-Shannon distance, in [0, 1]: the root of the divergence in bits (logarithm to base 2).
pub(in crate::two_sample) fn jensen_shannon(reference: &[u64], current: &[u64]) -> f64 {
    let part = |p: f64, middle: f64| if p > 0.0 { p * libm::log2(p / middle) } else { 0.0 };
    let divergence: f64 = shares(reference, current)
        .map(|(p, q)| {
            let middle = f64::midpoint(p, q);
            part(p, middle) + part(q, middle)
        })
        .sum();
    // Rounding may leave a tiny negative number.
    (divergence / 2.0).max(0.0).sqrt()
}

/// Hellinger distance, in [0, 1]: the root of half the sum of (sqrt p - sqrt q)^2.
pub(in crate::two_sample) fn hellinger(reference: &[u64], current: &[u64]) -> f64 {
    let squared: f64 = shares(reference, current).map(|(p, q)| (p.sqrt() - q.sqrt()).powi(2)).sum();
    (squared / 2.0).sqrt()
}

/// Total variation, in [0, 1]: half the sum of |p - q|.
pub(in crate::two_sample) fn total_variation(reference: &[u64], current: &[u64]) -> f64 {
    shares(reference, current).map(|(p, q)| (p - q).abs()).sum::<f64>() / 2.0
}

/// The share of rows in each cell.
pub(super) fn shares<'a>(reference: &'a [u64], current: &'a [u64]) -> impl Iterator<Item = (f64, f64)> + 'a {
    let totals = [reference, current].map(|counts| counts.iter().sum::<u64>() as f64);
    reference.iter().zip(current).map(move |(p, q)| (*p as f64 / totals[0], *q as f64 / totals[1]))
}
