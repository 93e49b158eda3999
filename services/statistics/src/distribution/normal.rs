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

/// The z that is exceeded with probability `tail` in (0, 1), by bisection.
pub fn isf(tail: f64) -> f64 {
    if tail > 0.5 {
        return -isf(1.0 - tail);
    }
    let (mut low, mut high) = (0.0, 40.0);
    for _ in 0..70 {
        let middle = (low + high) / 2.0;
        *(if sf(middle) > tail { &mut low } else { &mut high }) = middle;
    }
    (low + high) / 2.0
}
