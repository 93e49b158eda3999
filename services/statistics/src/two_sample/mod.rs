//! Whether, and by how much, two samples differ: a reference window and a current one.
//!
//! - [`Method`]: the statistics by name, what they apply to, and which one is the default where;
//! - [`compare_numeric`], [`compare_categories`], [`compare_counts`]: one column of two windows;
//! - [`correction`]: p-values of many columns, corrected for their number;
//! - [`dataset`]: all columns at once.
//!
//! Everything here depends on the multiset of values alone, never on their order. A result that is not defined is an
//! [`Undefined`] with its reason, never a NaN.

mod binned;
mod compare;
pub mod correction;
pub mod dataset;
mod method;
mod numeric;
mod outcome;

pub use binned::{bin_counts, quantile_edges};
pub use compare::{compare_categories, compare_counts, compare_numeric};
pub use method::{ColumnKind, Method, UnknownMethod};
pub use numeric::rank_biserial;
pub use outcome::{Outcome, Undefined, Window};
