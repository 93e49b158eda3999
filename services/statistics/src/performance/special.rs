//! Tails and quantiles that intervals and tests here need.

use crate::distribution::{chi_square, normal};

/// Upper tail of the gamma distribution of shape `a` and scale 1, the regularised incomplete Q(a, x): the probability
/// that a Poisson count of mean `x` is below `a`.
pub(crate) fn gamma_q(a: f64, x: f64) -> f64 {
    chi_square::sf(2.0 * x, 2.0 * a)
}

/// The chi-square value exceeded with probability `tail`.
pub(crate) fn chi_square_quantile(df: f64, tail: f64) -> f64 {
    quantile(tail, df + 40.0 + 20.0 * df.sqrt(), |x| chi_square::sf(x, df))
}

/// The standard normal value exceeded with probability `tail`, of at most a half.
pub(crate) fn normal_quantile(tail: f64) -> f64 {
    quantile(tail, 40.0, normal::sf)
}

/// Where the falling `upper` crosses `tail` between 0 and `end`, by bisection.
fn quantile(tail: f64, end: f64, upper: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0, end);
    for _ in 0..70 {
        let middle = (low + high) / 2.0;
        *(if upper(middle) > tail { &mut low } else { &mut high }) = middle;
    }
    (low + high) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() <= 1e-10 * b.abs().max(1e-3), "{a} {b}");
    }

    /// scipy.special.gammaincc, scipy.stats.chi2.isf and norm.isf, SciPy 1.15.3.
    #[test]
    fn tails_are_scipys() {
        close(gamma_q(3.0, 2.5), 0.5438131158833297);
        close(gamma_q(0.5, 9.0), 2.2090496998585475e-05);
        close(gamma_q(101.0, 150.0), 9.050259570857834e-06);
        close(gamma_q(5000.0, 5100.0), 0.07932888107761896);
        close(chi_square_quantile(10.0, 0.05), 18.30703805327515);
        close(normal_quantile(0.025), 1.959963984540054);
        close(normal_quantile(0.025 / 3.0), 2.3939797998185095);
    }
}
