//! The binomial distribution.

use std::f64::consts::PI;

/// P(X = k) of `n` trials with success probability `p` in (0, 1).
///
/// C. Loader, "Fast and accurate computation of binomial probabilities", 2000: no difference of large logarithms.
pub fn pmf(k: u64, n: u64, p: f64) -> f64 {
    if k > n {
        return 0.0;
    }
    let (x, m) = (k as f64, n as f64);
    if k == 0 {
        return libm::exp(m * libm::log1p(-p));
    }
    if k == n {
        return libm::exp(m * libm::log(p));
    }
    let exponent = stirling_error(m)
        - stirling_error(x)
        - stirling_error(m - x)
        - deviance(x, m * p)
        - deviance(m - x, m * (1.0 - p));
    libm::exp(exponent) * (m / (2.0 * PI * x * (m - x))).sqrt()
}

/// P(X >= k).
pub fn sf(k: u64, n: u64, p: f64) -> f64 {
    if k == 0 {
        return 1.0;
    }
    if k as f64 <= n as f64 * p {
        return 1.0 - sf(n - k + 1, n, 1.0 - p);
    }
    let mut term = pmf(k, n, p);
    let mut sum = term;
    let odds = p / (1.0 - p);
    for at in k..n {
        term *= (n - at) as f64 / (at + 1) as f64 * odds;
        sum += term;
        if term < sum * f64::EPSILON {
            break;
        }
    }
    sum.min(1.0)
}

/// ln(n!) less Stirling's approximation of it.
fn stirling_error(n: f64) -> f64 {
    if n < 16.0 {
        return libm::lgamma(n + 1.0) - (n + 0.5) * libm::log(n) + n - 0.5 * libm::log(2.0 * PI);
    }
    let square = 1.0 / (n * n);
    let inner = 1.0 / 1260.0 - square * (1.0 / 1680.0 - square / 1188.0);
    (1.0 / 12.0 - square * (1.0 / 360.0 - square * inner)) / n
}

/// x ln(x / mean) + mean - x, without cancellation where x is near the mean.
fn deviance(x: f64, mean: f64) -> f64 {
    let difference = x - mean;
    if difference.abs() >= 0.1 * (x + mean) {
        return x * libm::log(x / mean) - difference;
    }
    let ratio = difference / (x + mean);
    let mut sum = difference * ratio;
    let mut term = 2.0 * x * ratio;
    for order in 1..1000 {
        term *= ratio * ratio;
        let next = sum + term / f64::from(2 * order + 1);
        if next == sum {
            break;
        }
        sum = next;
    }
    sum
}
