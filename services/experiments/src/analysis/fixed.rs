//! Tests that may be looked at once, at the end.

use millrace_statistics::distribution::{normal, student_t};

use super::{Effect, Side, Sums, Tested, Undefined};

/// Welch's t test that the difference is `null`, with its interval: for means, ratios, and rates alike.
///
/// B. L. Welch, "The generalization of 'Student's' problem when several different population variances are involved",
/// 1947.
pub fn welch(effect: &Effect, null: f64, alpha: f64) -> Tested {
    let t = (effect.difference - null) / effect.standard_error;
    let p_value = 2.0 * student_t::sf(t.abs(), effect.degrees_of_freedom);
    let width = student_t::isf(alpha / 2.0, effect.degrees_of_freedom) * effect.standard_error;
    effect.tested(width, p_value)
}

/// The pooled z test that two conversion rates are equal; its interval is of the unpooled difference.
///
/// Its square is Pearson's chi-square of the 2 x 2 table, without continuity correction.
///
/// # Errors
/// An arm without units; no conversions at all, or nothing else.
pub fn two_proportions(control: &Sums, treatment: &Sums, alpha: f64) -> Result<Tested, Undefined> {
    for (side, sums) in [(Side::Control, control), (Side::Treatment, treatment)] {
        if sums.units() == 0 {
            return Err(Undefined::TooFew { side, units: 0 });
        }
    }
    let (m, n) = (control.units() as f64, treatment.units() as f64);
    let (p, q) = (control.sum_y() / m, treatment.sum_y() / n);
    let pooled = (control.sum_y() + treatment.sum_y()) / (m + n);
    let variance = pooled * (1.0 - pooled) * (1.0 / m + 1.0 / n);
    if variance.is_nan() || variance <= 0.0 {
        return Err(Undefined::NoVariance(Side::Control));
    }
    let standard_error = (p * (1.0 - p) / m + q * (1.0 - q) / n).sqrt();
    let width = normal::isf(alpha / 2.0) * standard_error;
    let difference = q - p;
    let p_value = 2.0 * normal::sf(difference.abs() / variance.sqrt());
    Ok(Tested { difference, standard_error, low: difference - width, high: difference + width, p_value })
}
