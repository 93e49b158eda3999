//! Of two samples, exactly.

use std::ops::Range;

use crate::distribution::lattice::gcd;

/// P(D >= h / lcm(m, n)) for two samples of `m` and `n` rows without ties: the share of lattice paths that leave the
/// band around the diagonal (Hodges, 1958).
///
/// Time: O(m) for m = n, else O(m n).
pub fn two_sample_sf(h: u64, m: u64, n: u64) -> f64 {
    if h == 0 {
        return 1.0;
    }
    let probability = if m == n { equal(h, n) } else { unequal(h, m, n) };
    probability.clamp(0.0, 1.0)
}

/// By reflection: twice the alternating sum of C(2n, n - kh) / C(2n, n).
fn equal(h: u64, n: u64) -> f64 {
    let mut sum = 0.0;
    let mut ratio = 1.0;
    let mut sign = 1.0;
    for j in 0..n {
        ratio *= (n - j) as f64 / (n + j + 1) as f64;
        if (j + 1) % h == 0 {
            sum += sign * ratio;
            sign = -sign;
            if ratio < sum * 1e-18 {
                break;
            }
        }
    }
    2.0 * sum
}

/// Walks the lattice by diagonals i + j = s. Of the paths to (i, j) the share i / s comes from (i - 1, j), the rest from
/// (i, j - 1): shares that left the band only add up, so nothing cancels.
fn unequal(h: u64, m: u64, n: u64) -> f64 {
    let divisor = gcd(m, n);
    let (a, b) = ((n / divisor) as i64, (m / divisor) as i64);
    let (m, n, h) = (m as i64, n as i64, h as i64);
    let index: Vec<f64> = (0..=m).map(|i| i as f64).collect();
    // left[i]: of the paths to (i, s - i), the share that has left the band; 1 beside the band.
    let mut left = vec![1.0_f64; m as usize + 2];
    let mut next = left.clone();
    left[0] = 0.0;
    for s in 1..=m + n {
        // Inside: |a i - b (s - i)| < h.
        let low = ((b * s - h).div_euclid(a + b) + 1).max(s - n).max(0);
        let high = (b * s + h - 1).div_euclid(a + b).min(m).min(s);
        if low > high {
            return 1.0;
        }
        let (low, high) = (low as usize, high as usize);
        diagonal(&left, &mut next, &index, low..high + 1, 1.0 / s as f64);
        if low > 0 {
            next[low - 1] = 1.0;
        }
        // (s + 1, -1) does not exist: its weight is 0 but for rounding.
        next[high + 1] = if high as i64 == s { 0.0 } else { 1.0 };
        std::mem::swap(&mut left, &mut next);
    }
    left[m as usize]
}

/// From one diagonal to the next, whose 1 / s is `inverse`, within `inside`. A neighbour that does not exist has weight 0.
fn diagonal(left: &[f64], next: &mut [f64], index: &[f64], inside: Range<usize>, inverse: f64) {
    let from = inside.start.max(1);
    if inside.start == 0 {
        next[0] = left[0];
    }
    if from >= inside.end {
        return;
    }
    let lower = &left[from - 1..inside.end - 1];
    let upper = &left[from..inside.end];
    let cells = next[from..inside.end].iter_mut().zip(&index[from..inside.end]);
    for ((cell, i), (below, beside)) in cells.zip(lower.iter().zip(upper)) {
        *cell = beside + i * inverse * (below - beside);
    }
}
