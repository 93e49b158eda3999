//! Anderson-Darling for two samples.

use super::joint::{Joint, double, joint, totals};
use crate::sample::Sample;
use crate::two_sample::{Method, Outcome, Undefined, Window};

/// The standardised statistic of Scholz and Stephens (1987) with midranks (their equation 7), for two samples. The
/// p-value is interpolated in their table and lies within [0.001, 0.25]. The effect is the root of the integral of
/// (F - G)^2 / (H (1 - H)) dH with H = (F + G) / 2.
pub(in crate::two_sample) fn anderson_darling(
    reference: &Sample,
    current: &Sample,
) -> Result<Outcome, Undefined> {
    let rows = totals(reference, current);
    let both = rows[0] + rows[1];
    if both < 4 {
        let window = if rows[0] < rows[1] { Window::Reference } else { Window::Current };
        let few = rows[0].min(rows[1]);
        let needed = 4 - rows[0].max(rows[1]);
        return Err(Undefined::TooFew { method: Method::AndersonDarling, window, rows: few, needed });
    }
    let (mut sum, mut effect, mut distinct) = (0.0, 0.0, 0_u64);
    for value in joint(reference, current) {
        let difference = double(value.twice_mid_difference(rows)) / 2.0;
        sum += term(&value, both, difference);
        let share = value.mid_share(rows);
        let relative = difference / (rows[0] as f64 * rows[1] as f64);
        effect += value.share(rows) * relative * relative / (share * (1.0 - share));
        distinct += 1;
    }
    if distinct < 2 {
        return Err(Undefined::Constant);
    }
    let n = both as f64;
    let squared = sum * (n - 1.0) / (rows[0] as f64 * rows[1] as f64);
    let statistic = (squared - 1.0) / variance(rows).sqrt();
    Ok(Outcome { statistic, p_value: Some(p_value(statistic)), effect: effect.sqrt() })
}

/// One value's share of the sum over both samples, which for two of them have the same terms.
fn term(value: &Joint, both: u64, difference: f64) -> f64 {
    let n = both as f64;
    let ties = value.ties() as f64;
    let rank = (2 * (value.below[0] + value.below[1]) + value.ties()) as f64 / 2.0;
    ties / n * (difference * difference) / (rank * (n - rank) - n * ties / 4.0)
}

/// The statistic's variance without ties: Scholz and Stephens, equation 4, for k = 2.
fn variance(rows: [u64; 2]) -> f64 {
    let n = (rows[0] + rows[1]) as f64;
    let inverse_sizes = 1.0 / rows[0] as f64 + 1.0 / rows[1] as f64;
    // g is published as the sum of 1 / ((n - i) j) over 1 <= i < j < n, which collapses to this.
    let (h, squares) = harmonic(rows[0] + rows[1] - 1);
    let g = squares - 2.0 * h / n;
    let a = (4.0 * g - 6.0) + (10.0 - 6.0 * g) * inverse_sizes;
    let b = (2.0 * g - 4.0) * 4.0 + 16.0 * h + (2.0 * g - 14.0 * h - 4.0) * inverse_sizes - 8.0 * h + 4.0 * g
        - 6.0;
    let c = (6.0 * h + 2.0 * g - 2.0) * 4.0
        + (4.0 * h - 4.0 * g + 6.0) * 2.0
        + (2.0 * h - 6.0) * inverse_sizes
        + 4.0 * h;
    let d = (2.0 * h + 6.0) * 4.0 - 8.0 * h;
    (((a * n + b) * n + c) * n + d) / ((n - 1.0) * (n - 2.0) * (n - 3.0))
}

/// The sums of 1 / k and of 1 / k^2 over k = 1..=n, for large n by the Euler-Maclaurin formula.
fn harmonic(n: u64) -> (f64, f64) {
    const EULER_MASCHERONI: f64 = 0.577_215_664_901_532_9;
    if n <= 1000 {
        let inverse = (1..=n).rev().map(|k| 1.0 / k as f64);
        return inverse.fold((0.0, 0.0), |(h, squares), i| (h + i, squares + i * i));
    }
    let i = 1.0 / n as f64;
    let h = libm::log(n as f64) + EULER_MASCHERONI + i / 2.0 - i * i / 12.0 + i.powi(4) / 120.0;
    (h, std::f64::consts::PI.powi(2) / 6.0 - i + i * i / 2.0 - i.powi(3) / 6.0 + i.powi(5) / 30.0)
}

/// Significance levels and the terms of their critical values for two samples: Scholz and Stephens' Table 2, whose
/// terms add up to the critical value.
const TABLE: [(f64, [f64; 3]); 7] = [
    (0.25, [0.675, -0.245, -0.105]),
    (0.1, [1.281, 0.25, -0.305]),
    (0.05, [1.645, 0.678, -0.362]),
    (0.025, [1.96, 1.149, -0.391]),
    (0.01, [2.326, 1.822, -0.396]),
    (0.005, [2.573, 2.364, -0.345]),
    (0.001, [3.085, 3.615, -0.154]),
];

/// A parabola through the logarithms of the table's levels by least squares, clamped to the table.
fn p_value(statistic: f64) -> f64 {
    let points = TABLE.map(|(level, terms)| (terms.iter().sum::<f64>(), level));
    if statistic < points[0].0 {
        return points[0].1;
    }
    if statistic > points[6].0 {
        return points[6].1;
    }
    let [c0, c1, c2] = parabola(points.map(|(x, level)| (x, libm::log(level))));
    libm::exp(c0 + statistic * (c1 + statistic * c2))
}

/// Coefficients of 1, x, x^2 by polynomials orthogonal over the table's critical values.
fn parabola(points: [(f64, f64); 7]) -> [f64; 3] {
    let count = points.len() as f64;
    let mean = points.iter().map(|(x, _)| x).sum::<f64>() / count;
    let spread = points.iter().map(|(x, _)| (x - mean).powi(2)).sum::<f64>();
    let skew = points.iter().map(|(x, _)| (x - mean).powi(3)).sum::<f64>() / spread;
    // q(x) = (x - mean)^2 - skew (x - mean) - spread / count is orthogonal to 1 and x - mean.
    let q = |x: f64| (x - mean).powi(2) - skew * (x - mean) - spread / count;
    let b0 = points.iter().map(|(_, y)| y).sum::<f64>() / count;
    let b1 = points.iter().map(|(x, y)| (x - mean) * y).sum::<f64>() / spread;
    let b2 = points.iter().map(|(x, y)| q(*x) * y).sum::<f64>()
        / points.iter().map(|(x, _)| q(*x).powi(2)).sum::<f64>();
    let constant = b0 - b1 * mean + b2 * (mean * mean + skew * mean - spread / count);
    [constant, b1 - b2 * (2.0 * mean + skew), b2]
}
