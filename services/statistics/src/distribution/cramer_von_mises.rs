//! The Cramer-von Mises criterion: its limiting distribution and the exact one of two samples.

use std::cmp::Ordering;
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
        let term = ratio / ((PI * PI.sqrt()) * x.sqrt())
            * y.sqrt()
            * libm::exp(-2.0 * q)
            * scaled_bessel_k_quarter(q);
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

/// How many paths have which sum so far, by ascending sum.
type Sums = Vec<(u64, u64)>;

/// P(T >= t) for two samples of `m` and `n` rows without ties, by counting every order: Xiao, Gordon and Yakovlev
/// (2006). `scaled` is 24 times Anderson's (1962) U, an integer also with midranks, less 4 mn (4mn - 1) (which makes it
/// 24 mn (m + n) T).
///
/// Time grows steeply: meant for samples of at most 20 each. None where the orders cannot be counted in 63 bits.
pub fn two_sample_sf(scaled: i128, m: u64, n: u64) -> Option<f64> {
    let all = i64::try_from(lattice::paths(m, n)?).ok()?;
    let divisor = lattice::gcd(m, n);
    let (a, b) = (n / divisor, m / divisor);
    // In units in which an order's criterion is the sum of (a v - b u)^2 over its path, rounded down (ties give halves).
    let bound = (i128::from(m + n) * scaled).div_euclid(24 * i128::from(divisor).pow(2));
    let Ok(bound) = u64::try_from(bound) else {
        return Some(if bound < 0 { 1.0 } else { 0.0 });
    };
    let mut reached: u128 = 0;
    // Per v: the sums of paths to (u, v) that are still below the bound.
    let mut row: Vec<Sums> = vec![Vec::new(); m as usize + 1];
    row[0].push((0, 1));
    for u in 0..=n {
        let mut left: Sums = Vec::new();
        for v in 0..=m {
            let mut here = merge(&row[v as usize], &left);
            let step = (a * v).abs_diff(b * u).pow(2);
            here.iter_mut().for_each(|(sum, _)| *sum += step);
            // Sums only grow: what has reached the bound stays, however the path goes on.
            let below = here.partition_point(|(sum, _)| *sum < bound);
            let above: u64 = here.drain(below..).map(|(_, count)| count).sum();
            reached += u128::from(above) * lattice::paths(m - v, n - u)?;
            row[v as usize].clone_from(&here);
            left = here;
        }
    }
    Some(reached as f64 / all as f64)
}

/// Adds up the counts of equal sums.
fn merge(a: &Sums, b: &Sums) -> Sums {
    let mut merged = Sums::with_capacity(a.len() + b.len());
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    loop {
        let order = match (a.peek(), b.peek()) {
            (Some((x, _)), Some((y, _))) => x.cmp(y),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return merged,
        };
        let from_a = if order.is_le() { a.next() } else { None };
        let from_b = if order.is_ge() { b.next() } else { None };
        let sum = from_a.or(from_b).map_or(0, |(sum, _)| *sum);
        merged.push((sum, from_a.map_or(0, |(_, n)| *n) + from_b.map_or(0, |(_, n)| *n)));
    }
}
