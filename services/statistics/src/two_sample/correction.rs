//! P-values of many comparisons, corrected for their number.

/// Adjusted p-values of Benjamini and Hochberg (1995), in the order given: calling those at or below `q` drifted keeps
/// the expected share of false ones among them at most `q`. Inputs are probabilities; a NaN stays where it is and does
/// not count.
pub fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    let order = ascending(p_values);
    let count = order.len() as f64;
    let mut adjusted = p_values.to_vec();
    let mut least = 1.0_f64;
    for (rank, index) in order.into_iter().enumerate().rev() {
        least = least.min(p_values[index] * count / (rank + 1) as f64);
        adjusted[index] = least;
    }
    adjusted
}

/// Adjusted p-values of Holm (1979), in the order given: calling those at or below `a` drifted keeps the probability of
/// any false one at most `a`. Inputs are probabilities; a NaN stays where it is and does not count.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let order = ascending(p_values);
    let count = order.len();
    let mut adjusted = p_values.to_vec();
    let mut greatest = 0.0_f64;
    for (rank, index) in order.into_iter().enumerate() {
        greatest = greatest.max(p_values[index] * (count - rank) as f64).min(1.0);
        adjusted[index] = greatest;
    }
    adjusted
}

/// Indices of the numbers, the smallest first.
fn ascending(p_values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p_values.len()).filter(|i| !p_values[*i].is_nan()).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    order
}
