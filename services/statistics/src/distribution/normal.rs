//! The standard normal distribution.

use std::f64::consts::FRAC_1_SQRT_2;

/// P(Z > z).
pub fn sf(z: f64) -> f64 {
    0.5 * libm::erfc(z * FRAC_1_SQRT_2)
}

/// P(Z <= z).
pub fn cdf(z: f64) -> f64 {
    sf(-z)
}
