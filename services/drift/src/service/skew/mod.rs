//! Training-serving skew: served rows of a view, computed again from the log and compared.
//!
//! The view's own plan runs once more, stage by stage, for a sample of each stage's keys ([`again`]): a stage takes the
//! very rows that the serving one takes, in their order, so that what it computes must be equal bit for bit. A stage
//! verifies the columns that it decides; which rows of it are looked at is a matter of the hash of the stage's key, and
//! the served topic's rows are picked by the same hash ([`served`]). Both sides meet by id ([`join`]), and what differs
//! in a window is counted ([`counts`]).

mod again;
mod compare;
mod counts;
mod join;
mod note;
mod plan;
mod served;
#[cfg(test)]
mod tests;

pub use again::Again;
pub use counts::{ColumnCounts, RowCounts, SkewCounts};
pub use join::SkewJoin;
pub use note::SkewNote;
pub use plan::{Check, SkewPlan};
pub use served::{Rows as ServedRows, Served};
