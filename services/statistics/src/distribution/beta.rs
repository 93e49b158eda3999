//! The incomplete beta function, which tails of Student's t and of the binomial distribution are.

/// Steps of the continued fraction: some roots of the larger parameter, which is below 1e10.
const STEPS: usize = 1_000_000;
const TINY: f64 = 1e-300;

/// The continued fraction of I_x(a, b) without its prefactor x^a (1-x)^b / (a B(a, b)), for x < (a+1) / (a+b+2).
///
/// Abramowitz and Stegun 26.5.8, by Lentz's method.
pub(super) fn fraction(a: f64, b: f64, x: f64) -> f64 {
    let mut c = 1.0;
    let mut d = 1.0 / nonzero(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    for step in 1..STEPS {
        let m = step as f64;
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / nonzero(1.0 + even * d);
        c = nonzero(1.0 + even / c);
        value *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / nonzero(1.0 + odd * d);
        c = nonzero(1.0 + odd / c);
        value *= d * c;
        if (d * c - 1.0).abs() <= f64::EPSILON {
            break;
        }
    }
    value
}

fn nonzero(value: f64) -> f64 {
    if value.abs() < TINY { TINY } else { value }
}

/// ln(Gamma(a + 1/2) / Gamma(a)) without the cancellation of two large logarithms.
pub(super) fn ln_half_step(a: f64) -> f64 {
    if a < 20.0 {
        return libm::lgamma(a + 0.5) - libm::lgamma(a);
    }
    // Stirling's series of the difference: the next term is below 1e-14.
    let inverse = 1.0 / a;
    let square = inverse * inverse;
    let series = -1.0 / 8.0 + square * (1.0 / 192.0 + square * (-1.0 / 640.0 + square * 17.0 / 14336.0));
    0.5 * libm::log(a) + inverse * series
}
