//! Student's t distribution.

use std::f64::consts::PI;

use super::{beta, normal};

/// Above these degrees of freedom the normal distribution is within 1e-10.
const NORMAL: f64 = 1e10;

/// P(T > t) with `df` > 0 degrees of freedom: half of I_x(df / 2, 1 / 2) at x = df / (df + t^2), for t >= 0.
pub fn sf(t: f64, df: f64) -> f64 {
    if t < 0.0 {
        return 1.0 - sf(-t, df);
    }
    if df > NORMAL || !t.is_finite() {
        return normal::sf(t);
    }
    let (a, b) = (df / 2.0, 0.5);
    let squared = t * t;
    let (x, rest) = (df / (df + squared), squared / (df + squared));
    // ln(x^a (1-x)^b / B(a, b)), B(a, 1/2) = Gamma(a) sqrt(pi) / Gamma(a + 1/2).
    let exponent = -a * libm::log1p(squared / df) + b * libm::log(rest) + beta::ln_half_step(a);
    let scale = libm::exp(exponent) / PI.sqrt();
    if x < (a + 1.0) / (a + b + 2.0) {
        return 0.5 * scale * beta::fraction(a, b, x) / a;
    }
    0.5 * (1.0 - scale * beta::fraction(b, a, rest) / b)
}

/// The t that is exceeded with probability `tail`, of at most a half.
pub fn isf(tail: f64, df: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    while sf(high, df) > tail && high < 1e300 {
        (low, high) = (high, 2.0 * high);
    }
    for _ in 0..60 {
        let middle = low + (high - low) / 2.0;
        *(if sf(middle, df) > tail { &mut low } else { &mut high }) = middle;
    }
    low + (high - low) / 2.0
}
