//! Bins of numbers.

use crate::sample::Sample;
use crate::two_sample::Undefined;

/// The inner edges of `bins` bins of about equal frequency: the smallest values with a share of at least k / `bins` of
/// the rows at or below them, k = 1, ..., `bins` - 1 (NumPy's quantile method `inverted_cdf`), each once and without the
/// greatest value. A value of many rows takes several quantiles, so that there may be fewer bins.
pub fn quantile_edges(reference: &Sample, bins: u32) -> Vec<f64> {
    let (rows, bins) = (u128::from(reference.total()), u128::from(bins));
    let mut edges = Vec::new();
    let mut reached = 0_u128;
    let mut k = 1;
    for (value, count) in reference.values().iter().zip(reference.counts()) {
        reached += u128::from(*count);
        // Exact: reached / rows >= k / bins.
        let passed = k..(reached * bins / rows + 1).min(bins).max(k);
        if !passed.is_empty() {
            k = passed.end;
            edges.push(*value);
        }
    }
    if edges.last() == reference.values().last() {
        edges.pop();
    }
    edges
}

/// Rows per bin: one bin more than there are edges, bin i holding `edges[i-1] < value <= edges[i]`.
///
/// # Errors
/// [`Undefined::Edges`].
pub fn bin_counts(sample: &Sample, edges: &[f64]) -> Result<Vec<u64>, Undefined> {
    let ascending = edges.windows(2).all(|pair| pair[0] < pair[1]);
    if !ascending || edges.iter().any(|edge| !edge.is_finite()) {
        return Err(Undefined::Edges);
    }
    let mut counts = vec![0; edges.len() + 1];
    let mut bin = 0;
    for (value, count) in sample.values().iter().zip(sample.counts()) {
        while edges.get(bin).is_some_and(|edge| edge < value) {
            bin += 1;
        }
        counts[bin] += count;
    }
    Ok(counts)
}
