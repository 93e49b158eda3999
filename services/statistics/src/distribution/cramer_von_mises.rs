//! The Cramer-von Mises criterion: its limiting distribution and the exact one of two samples.

use std::collections::BTreeMap;
use std::f64::consts::PI;

use statrs::function::gamma::ln_gamma;

use super::lattice;

/// P(W <= x) of the limiting distribution: Csorgo and Faraway (1996), equation 1.2.
///
/// The series stops at the first term below 1e-7, as SciPy's does; the upper tail is therefore accurate to about 1e-7
/// absolute.
pub fn limiting_cdf(x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    let mut sum = 0.0;
    for k in 0_u32.. {
        let k = f64::from(k);
        let y = 4.0 * k + 1.0;
        let q = y * y / (16.0 * x);
        let ratio = libm::exp(ln_gamma(k + 0.5) - ln_gamma(k + 1.0));
        let term =
            ratio / (PI.powf(1.5) * x.sqrt()) * y.sqrt() * libm::exp(-2.0 * q) * scaled_bessel_k_quarter(q);
        sum += term;
        if term.is_nan() || term < 1e-7 {
            break;
        }
    }
    sum
}

/// exp(q) K(q) of the modified Bessel function of the second kind and order 1/4: the trapezoid rule on its integral
/// representation (DLMF 10.32.9), which converges faster than any power of the step.
fn scaled_bessel_k_quarter(q: f64) -> f64 {
    let step = 0.15 / (1.0 + q.sqrt() / 3.0);
    let mut sum = 0.5;
    for i in 1_u32.. {
        let t = f64::from(i) * step;
        let half = libm::sinh(t / 2.0);
        let exponent = 2.0 * q * half * half;
        if exponent > 45.0 + t / 4.0 {
            break;
        }
        sum += libm::exp(-exponent) * libm::cosh(t / 4.0);
    }
    sum * step
}

/// P(T >= t) for two samples of `m` and `n` rows without ties, by counting every order: Xiao, Gordon and Yakovlev
/// (2006). `scaled` is 24 times Anderson's (1962) U, an integer also with midranks, less 4 mn (4mn - 1) (which makes it
/// 24 mn (m + n) T).
///
/// Time grows steeply: meant for samples of at most 20 each. None where the orders cannot be counted in 124 bits.
pub fn two_sample_sf(scaled: i128, m: u64, n: u64) -> Option<f64> {
    let all = lattice::paths(m, n)?;
    let divisor = lattice::gcd(m, n);
    let (a, b) = (i128::from(n / divisor), i128::from(m / divisor));
    let both = i128::from(m + n);
    // In units in which an order's criterion is the sum of (a v - b u)^2 over its path, rounded down (ties give halves).
    let bound = (both * scaled).div_euclid(24 * i128::from(divisor).pow(2));
    let mut reached: u128 = 0;
    // Per v: how many paths to (u, v) have which sum so far, of those still below the bound.
    let mut row: Vec<BTreeMap<i128, u128>> = vec![BTreeMap::new(); m as usize + 1];
    row[0].insert(0, 1);
    for u in 0..=n {
        let mut left: BTreeMap<i128, u128> = BTreeMap::new();
        for v in 0..=m {
            for (sum, count) in &row[v as usize] {
                *left.entry(*sum).or_default() += count;
            }
            let here = (a * i128::from(v) - b * i128::from(u)).pow(2);
            let (below, above) = advance(&left, here, bound);
            // Sums only grow: what has reached the bound stays, however the path goes on.
            reached += above * lattice::paths(m - v, n - u)?;
            row[v as usize].clone_from(&below);
            left = below;
        }
    }
    Some(reached as f64 / all as f64)
}

/// Adds `here` to every sum; gives those below the bound, and how many paths reached it.
fn advance(sums: &BTreeMap<i128, u128>, here: i128, bound: i128) -> (BTreeMap<i128, u128>, u128) {
    let mut above = 0;
    let mut below = BTreeMap::new();
    for (sum, count) in sums {
        if sum + here >= bound {
            above += count;
        } else {
            below.insert(sum + here, *count);
        }
    }
    (below, above)
}
