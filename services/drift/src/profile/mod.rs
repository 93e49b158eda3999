//! What is kept of the rows of a window: per column counts, values up to a bound, categories, missing ones, and a sample of whole rows.
//!
//! Profiles of one plan merge commutatively and associatively, bit for bit: whatever the order and the batches in which
//! rows arrive, and however they are spread over partitions, [`Profile::to_bytes`] is the same.

mod bytes;
mod cells;
mod column;
mod plan;
mod sample;
mod seen;

use std::sync::Arc;

pub use bytes::BytesError;
pub use cells::Cells;
pub use column::Column;
pub use plan::{Bounds, ColumnPlan, Kind, Plan, SegmentPlan};
pub use sample::{SampleColumn, SampleRows};
pub use seen::Seen;

/// Which rows of a batch are meant.
#[derive(Debug, Clone, Copy)]
pub enum Rows<'a> {
    /// All of them.
    All,
    /// Those of these indices, ascending.
    These(&'a [u32]),
}

/// A window's (or block's) rows, as far as they are kept.
#[derive(Debug, Clone)]
pub struct Profile {
    plan: Arc<Plan>,
    rows: u64,
    columns: Vec<column::ColumnProfile>,
    sample: sample::RowSample,
}

/// Equal when the bytes are.
impl PartialEq for Profile {
    fn eq(&self, other: &Self) -> bool {
        self.to_bytes() == other.to_bytes()
    }
}

impl Profile {
    /// Of no rows.
    pub fn new(plan: &Arc<Plan>) -> Self {
        unimplemented!()
    }

    /// What is watched.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// How many rows were added.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Whether numbers are still kept exactly: `rows() <= bounds.exact_rows`. Depends on the number of rows alone.
    pub fn is_exact(&self) -> bool {
        unimplemented!()
    }

    /// Adds rows of a batch. `ids`: per row of the batch the 64-bit hash of its id ([`crate::hash`]).
    pub fn add(&mut self, cells: &Cells, ids: &[u64], rows: Rows<'_>) {
        unimplemented!()
    }

    /// Adds the rows of another profile of the same plan. `Err` (nothing changed) if the plans differ.
    pub fn merge(&mut self, other: &Self) -> Result<(), OtherPlan> {
        unimplemented!()
    }

    /// What is kept of the column of that index in the plan.
    pub fn column(&self, index: usize) -> Column<'_> {
        unimplemented!()
    }

    /// All columns, in the plan's order.
    pub fn columns(&self) -> impl Iterator<Item = Column<'_>> {
        (0..self.columns.len()).map(|i| self.column(i))
    }

    /// The kept rows, by ascending id hash; at most `bounds.sample_rows`. An unbiased sample of the distinct ids, the
    /// same however rows were merged; all of them while there are no more.
    pub fn sample_rows(&self) -> SampleRows {
        unimplemented!()
    }

    /// About how many bytes of memory it holds.
    pub fn size_bytes(&self) -> usize {
        unimplemented!()
    }

    /// As bytes: equal for equal rows, whatever their order.
    pub fn to_bytes(&self) -> Vec<u8> {
        unimplemented!()
    }

    /// As parts of whole columns, none above `max_bytes` unless a single column is; for messages of bounded size.
    pub fn to_parts(&self, max_bytes: usize) -> Vec<Vec<u8>> {
        unimplemented!()
    }

    /// Back from [`Self::to_bytes`].
    pub fn from_bytes(plan: &Arc<Plan>, bytes: &[u8]) -> Result<Self, BytesError> {
        unimplemented!()
    }

    /// Back from all parts of [`Self::to_parts`], in any order.
    pub fn from_parts<B: AsRef<[u8]>>(plan: &Arc<Plan>, parts: &[B]) -> Result<Self, BytesError> {
        unimplemented!()
    }
}

/// Two profiles are of different plans.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("profiles of different plans do not merge ({0:016x} and {1:016x})")]
pub struct OtherPlan(pub u64, pub u64);
