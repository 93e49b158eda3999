//! The exact distribution of Mann and Whitney's U (1947), without ties.

use super::lattice;

/// P(U >= u) for samples of `m` and `n`; none where the counts exceed 124 bits (with 8 rows on one side: beyond some
/// 150,000 on the other).
///
/// The number of orders with U = k is the coefficient of q^k in the Gaussian binomial coefficient, the product of
/// (1 - q^(n+i)) / (1 - q^i) over i = 1..m.
pub fn sf(u: u64, m: u64, n: u64) -> Option<f64> {
    let all = lattice::paths(m, n)?;
    let (m, n) = (m.min(n), m.max(n));
    let most = m.checked_mul(n)?;
    if u == 0 || u > most {
        return Some(if u == 0 { 1.0 } else { 0.0 });
    }
    // U is symmetric, P(U >= u) = P(U <= mn - u): the shorter of the two tails is counted.
    let upper = u > most / 2;
    let last = if upper { most - u } else { u - 1 };
    let tail: u128 = orders_up_to(last, m, n).iter().sum();
    Some(if upper { tail } else { all - tail } as f64 / all as f64)
}

/// The number of orders with U = 0, 1, ..., `last`. Intermediate coefficients may wrap around 2^128; the final ones are
/// exact, since they fit.
fn orders_up_to(last: u64, m: u64, n: u64) -> Vec<u128> {
    let size = usize::try_from(last).unwrap_or(usize::MAX - 1) + 1;
    let mut orders = vec![0_u128; size];
    orders[0] = 1;
    for i in 1..=m {
        let (up, down) = ((n + i) as usize, i as usize);
        for k in (up..size).rev() {
            orders[k] = orders[k].wrapping_sub(orders[k - up]);
        }
        for k in down..size {
            orders[k] = orders[k].wrapping_add(orders[k - down]);
        }
    }
    orders
}
