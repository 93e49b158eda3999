//! The chi-square distribution.

use statrs::function::gamma::checked_gamma_ur;

/// P(X > x) with `df` > 0 degrees of freedom: the upper regularised incomplete gamma function of `df / 2` and `x / 2`.
pub fn sf(x: f64, df: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    // The only other refusals are a NaN and an infinity, and beyond the largest double no mass is left.
    checked_gamma_ur(df / 2.0, x / 2.0).unwrap_or(0.0)
}
