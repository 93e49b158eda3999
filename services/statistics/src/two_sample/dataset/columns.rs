//! Columns of two windows, checked, and made comparable with each other.

use super::Error;
use crate::two_sample::Window;

/// A standardised value is cut off here, so that one wild row does not rule every distance.
const MOST_DEVIATIONS: f64 = 10.0;

/// Checks that both windows have the same columns, of equal length, and at least `needed` rows; gives their rows.
pub(super) fn check(windows: [&[Vec<f64>]; 2], needed: usize) -> Result<[usize; 2], Error> {
    let [reference, current] = windows.map(<[Vec<f64>]>::len);
    if reference != current {
        return Err(Error::Columns { reference, current });
    }
    let rows = windows.map(|columns| columns.first().map_or(0, Vec::len));
    for ((window, columns), expected) in
        [Window::Reference, Window::Current].into_iter().zip(windows).zip(rows)
    {
        if let Some(column) = columns.iter().position(|c| c.len() != expected) {
            return Err(Error::Ragged { window, column, rows: columns[column].len(), expected });
        }
        if expected < needed {
            return Err(Error::TooFew { window, rows: expected, needed });
        }
    }
    Ok(rows)
}

/// Both windows' rows below each other, by columns, ready for distances:
///
/// - a column is shifted and scaled by the mean and standard deviation of all its finite values, and cut off at 10
///   deviations; columns with one value are left out;
/// - a missing value becomes the mean, and a column that has any gets a second one that says where, standardised too.
pub(super) fn standardise(windows: [&[Vec<f64>]; 2]) -> Vec<Vec<f64>> {
    let mut columns = Vec::new();
    for (reference, current) in windows[0].iter().zip(windows[1]) {
        let values: Vec<f64> = reference.iter().chain(current).copied().collect();
        let missing: Vec<f64> = values.iter().map(|v| f64::from(u8::from(!v.is_finite()))).collect();
        columns.extend(standard(&values));
        columns.extend(standard(&missing));
    }
    columns
}

/// One column in deviations from its mean; none if it has one value only.
fn standard(values: &[f64]) -> Option<Vec<f64>> {
    let finite = || values.iter().filter(|v| v.is_finite());
    let largest = finite().fold(0.0_f64, |m, v| m.max(v.abs()));
    let count = finite().count() as f64;
    // Relative to the largest value nothing overflows.
    let mean = finite().map(|v| v / largest).sum::<f64>() / count;
    let spread = (finite().map(|v| (v / largest - mean).powi(2)).sum::<f64>() / count).sqrt();
    let deviations = |v: &f64| {
        if !v.is_finite() {
            return 0.0;
        }
        ((v / largest - mean) / spread).clamp(-MOST_DEVIATIONS, MOST_DEVIATIONS)
    };
    let varies = finite().next().is_some_and(|first| finite().any(|v| v != first));
    (varies && spread > 0.0).then(|| values.iter().map(deviations).collect())
}
