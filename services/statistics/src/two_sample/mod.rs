//! Whether, and by how much, two samples differ: a reference window and a current one.
//!
//! - [`Method`]: the statistics by name, what they apply to, and which one is the default where;
//! - [`compare_numeric`], [`compare_categories`], [`compare_counts`]: one column of two windows;
//! - [`correction`]: p-values of many columns, corrected for their number;
//! - [`dataset`]: all columns at once.
//!
//! Everything here depends on the multiset of values alone, never on their order. A result that is not defined is an
//! [`Undefined`] with its reason, never a NaN.

pub mod correction;
pub mod dataset;
mod method;
mod outcome;

pub use method::{ColumnKind, Method, UnknownMethod};
pub use outcome::{Outcome, Undefined, Window};

use crate::sample::{Categories, Sample};

/// Compares a numeric column of two windows.
///
/// `edges` are the ascending inner edges of the bins of the binned methods (`psi`, `js`, `hellinger`); without any,
/// they are the deciles of the reference. The other methods do not look at them.
///
/// # Errors
/// Where the statistic is not defined for these samples, or does not apply to numbers.
pub fn compare_numeric(
    method: Method,
    reference: &Sample,
    current: &Sample,
    edges: &[f64],
) -> Result<Outcome, Undefined> {
    let _ = (reference, current, edges);
    Err(Undefined::WrongKind { method, kind: ColumnKind::Numeric })
}

/// Compares a categorical column of two windows.
///
/// # Errors
/// Where the statistic is not defined for these counts, or does not apply to categories.
pub fn compare_categories(
    method: Method,
    reference: &Categories,
    current: &Categories,
) -> Result<Outcome, Undefined> {
    let _ = (reference, current);
    Err(Undefined::WrongKind { method, kind: ColumnKind::Category })
}

/// Compares the counts of two windows in the same cells (bins or categories): `psi`, `js`, `hellinger`,
/// `total_variation`, `chi_square`.
///
/// # Errors
/// Where the statistic is not defined for these counts, or needs more than counts.
pub fn compare_counts(method: Method, reference: &[u64], current: &[u64]) -> Result<Outcome, Undefined> {
    let _ = (reference, current);
    Err(Undefined::WrongKind { method, kind: ColumnKind::Category })
}
