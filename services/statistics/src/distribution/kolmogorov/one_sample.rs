//! Of one sample against a distribution.

use statrs::function::gamma::ln_gamma;

use super::matrix;
use super::pelz_good;

/// P(D > d) of the two-sided statistic of `n` >= 1 rows, by the algorithm that Simard and L'Ecuyer (2011) show to be the
/// most accurate in each region of (n, d).
pub fn sf(d: f64, n: u64) -> f64 {
    let rows = n as f64;
    let t = rows * d;
    if d >= 1.0 {
        return 0.0;
    }
    if t <= 1.0 {
        return 1.0 - smallest_cdf(t, n);
    }
    if t >= rows - 1.0 {
        return 2.0 * libm::pow(1.0 - d, rows);
    }
    let squared = t * d;
    let tail_from = if n <= 140 { 4.0 } else { 2.2 };
    if d >= 0.5 || squared >= tail_from {
        // Both sides are exceeded at once with a probability far below the sum of the two.
        return (2.0 * one_sided_sf(d, n)).min(1.0);
    }
    let exact = n <= 140 || (n <= 4000 && rows * libm::pow(d, 1.5) <= 1.4);
    let cdf = if exact { matrix::cdf(d, n) } else { pelz_good::cdf(d, rows) };
    (1.0 - cdf).clamp(0.0, 1.0)
}

/// P(D <= t / n) for t <= 1, where one formula holds (Ruben and Gambino, 1982): n! ((2t - 1) / n)^n.
fn smallest_cdf(t: f64, n: u64) -> f64 {
    if t <= 0.5 {
        return 0.0;
    }
    let rows = n as f64;
    libm::exp(ln_gamma(rows + 1.0) + rows * libm::log((2.0 * t - 1.0) / rows))
}

/// P(D+ > d) of the one-sided statistic of `n` rows: the sum of Birnbaum and Tingey (1951), whose terms are all
/// positive; above a million rows the expansion of Maag and Dicaire (1971), as SciPy does.
pub fn one_sided_sf(d: f64, n: u64) -> f64 {
    /// The terms are smooth in their index: with this many, a sum over every s-th of them, times s, is exact to the last
    /// digits (the trapezoid rule on a function that is flat at both ends).
    const ENOUGH_TERMS: u64 = 4096;
    if d <= 0.0 || d >= 1.0 {
        return if d <= 0.0 { 1.0 } else { 0.0 };
    }
    let rows = n as f64;
    if n > 1_000_000 {
        return libm::exp(-(6.0 * rows * d + 1.0).powi(2) / (18.0 * rows)).min(1.0);
    }
    let last = (rows * (1.0 - d)).floor() as u64;
    let stride = if rows * d * d >= 2.0 { (n / ENOUGH_TERMS).max(1) } else { 1 };
    let all = ln_gamma(rows + 1.0);
    let mut sum = 0.0;
    for j in (0..=last).step_by(stride as usize) {
        let j = j as f64;
        let (up, down) = (d + j / rows, 1.0 - d - j / rows);
        if down > 0.0 {
            let orders = all - ln_gamma(j + 1.0) - ln_gamma(rows - j + 1.0);
            sum += libm::exp(orders + (j - 1.0) * libm::log(up) + (rows - j) * libm::log(down));
        }
    }
    (d * sum * stride as f64).min(1.0)
}
