//! Distances between distribution functions along the axis of values.

use super::joint::{double, joint, totals};
use crate::sample::Sample;
use crate::two_sample::{Outcome, Undefined};

/// Wasserstein-1 distance: the integral of |F - G|, in the unit of the values.
pub(in crate::two_sample) fn wasserstein(reference: &Sample, current: &Sample) -> Result<Outcome, Undefined> {
    finite(integral(reference, current, f64::abs)).map(Outcome::distance)
}

/// The same divided by the reference's standard deviation (population's). Where that is 0 it is 0 if the distance is,
/// else undefined.
pub(in crate::two_sample) fn wasserstein_normed(
    reference: &Sample,
    current: &Sample,
) -> Result<Outcome, Undefined> {
    let distance = finite(integral(reference, current, f64::abs))?;
    if distance == 0.0 {
        return Ok(Outcome::distance(0.0));
    }
    let spread = finite(reference.standard_deviation().unwrap_or(0.0))?;
    if spread == 0.0 {
        return Err(Undefined::ConstantReference);
    }
    finite(distance / spread).map(Outcome::distance)
}

/// Energy distance (Szekely and Rizzo, 2013): the root of twice the integral of (F - G)^2, in the root of the values'
/// unit.
pub(in crate::two_sample) fn energy(reference: &Sample, current: &Sample) -> Result<Outcome, Undefined> {
    finite((2.0 * integral(reference, current, |d| d * d)).sqrt()).map(Outcome::distance)
}

/// The integral of `of(F - G)` over the axis.
fn integral(reference: &Sample, current: &Sample, of: impl Fn(f64) -> f64) -> f64 {
    let rows = totals(reference, current);
    let pairs = rows[0] as f64 * rows[1] as f64;
    let mut last: Option<(f64, f64)> = None;
    let mut sum = 0.0;
    for value in joint(reference, current) {
        if let Some((from, weight)) = last
            && weight > 0.0
        {
            sum += weight * (value.value - from);
        }
        last = Some((value.value, of(double(value.difference(rows)) / pairs)));
    }
    sum
}

fn finite(value: f64) -> Result<f64, Undefined> {
    if value.is_finite() { Ok(value) } else { Err(Undefined::Overflow) }
}
