//! The expansion of Pelz and Good (1976) in powers of 1 / sqrt(n).

use std::f64::consts::{FRAC_PI_2, PI};

/// P(D <= d) of `n` rows: Simard and L'Ecuyer (2011), equations 8 to 12.
pub(super) fn cdf(d: f64, n: f64) -> f64 {
    let root = n.sqrt();
    let z = root * d;
    let z2 = z * z;
    // Below, the first term underflows.
    if PI * PI / (8.0 * z2) > 708.0 {
        return 0.0;
    }
    let (mut whole, mut half) = ([0.0; 4], [0.0; 4]);
    let last = (16.0 * z / PI).ceil() as u32;
    for k in (1..=last).rev() {
        add(&mut half, half_terms(z2, (f64::from(k) - 0.5) * PI));
        add(&mut whole, whole_terms(z2, f64::from(k) * PI));
    }
    let scales = [1.0 / z, 1.0 / (6.0 * z2 * z2), 1.0 / (72.0 * z.powi(7)), 1.0 / (6480.0 * z.powi(10))];
    let whole_scales = [0.0, 0.0, -1.0 / (36.0 * z * z2), 1.0 / (216.0 * z2 * z2 * z2)];
    // Both sums run over negative indices too, which equal the positive ones.
    let common = 2.0 * FRAC_PI_2.sqrt();
    let mut result = 0.0;
    for i in (0..4).rev() {
        result = result / root + common * (half[i] * scales[i] + whole[i] * whole_scales[i]);
    }
    result
}

fn add(sums: &mut [f64; 4], terms: [f64; 4]) {
    for (sum, term) in sums.iter_mut().zip(terms) {
        *sum += term;
    }
}

/// Terms of the sums over half-integers, `a` being pi (k + 1/2).
fn half_terms(z2: f64, a: f64) -> [f64; 4] {
    let (a2, z4) = (a * a, z2 * z2);
    let (a4, z6) = (a2 * a2, z4 * z2);
    let weight = libm::exp(-a2 / (2.0 * z2));
    let second = 6.0 * z6 + 2.0 * z4 + (2.0 * z4 - 5.0 * z2) * a2 + (1.0 - 2.0 * z2) * a4;
    let third = (5.0 - 30.0 * z2) * a4 * a2 + (212.0 * z4 - 60.0 * z2) * a4 + (135.0 * z4 - 96.0 * z6) * a2
        - 30.0 * z6
        - 90.0 * z4 * z4;
    [weight, (a2 - z2) * weight, second * weight, third * weight]
}

/// Terms of the sums over integers, `a` being pi k.
fn whole_terms(z2: f64, a: f64) -> [f64; 4] {
    let a2 = a * a;
    let weight = libm::exp(-a2 / (2.0 * z2));
    [0.0, 0.0, a2 * weight, a2 * (3.0 * z2 - a2) * weight]
}
