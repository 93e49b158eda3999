//! What is kept of the rows of a window: per column counts, values up to a bound, categories, missing ones, and a sample of whole rows.
//!
//! Profiles of one plan merge commutatively and associatively, bit for bit: whatever the order and the batches in which
//! rows arrive, and however they are spread over partitions, [`Profile::to_bytes`] is the same.

mod bytes;
mod cells;
mod column;
mod grid;
mod names;
mod numbers;
mod plan;
mod sample;
mod seen;
mod state;
#[cfg(test)]
mod tests;
mod values;

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
        let max_categories = plan.bounds.max_categories;
        let columns = plan.columns.iter().map(|column| column::ColumnProfile::new(column, max_categories));
        Self {
            rows: 0,
            columns: columns.collect(),
            sample: sample::RowSample::new(plan.columns.len(), plan.bounds),
            plan: plan.clone(),
        }
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
        self.rows <= self.plan.bounds.exact_rows as u64
    }

    /// Adds rows of a batch. `ids`: per row of the batch the 64-bit hash of its id ([`crate::hash`]).
    pub fn add(&mut self, cells: &Cells, ids: &[u64], rows: Rows<'_>) {
        self.count(match rows {
            Rows::All => cells.rows() as u64,
            Rows::These(rows) => rows.len() as u64,
        });
        for ((profile, column), cells) in self.columns.iter_mut().zip(&self.plan.columns).zip(&cells.columns)
        {
            profile.add(column, cells, rows);
        }
        self.sample.add(cells, ids, rows);
    }

    /// Counts rows about to be added; past the exact bound numbers are counted from here on.
    fn count(&mut self, rows: u64) {
        let was_exact = self.is_exact();
        self.rows += rows;
        if was_exact && !self.is_exact() {
            let columns = self.columns.iter_mut().zip(&self.plan.columns);
            columns.for_each(|(profile, column)| profile.collapse(column));
        }
    }

    /// Adds the rows of another profile of the same plan. `Err` (nothing changed) if the plans differ.
    pub fn merge(&mut self, other: &Self) -> Result<(), OtherPlan> {
        if !Arc::ptr_eq(&self.plan, &other.plan) && self.plan.fingerprint() != other.plan.fingerprint() {
            return Err(OtherPlan(self.plan.fingerprint(), other.plan.fingerprint()));
        }
        let bar = self.sample.admits(self.rows).min(other.sample.admits(other.rows));
        self.count(other.rows);
        let collapse = other.is_exact() && !self.is_exact();
        for ((mine, theirs), column) in self.columns.iter_mut().zip(&other.columns).zip(&self.plan.columns) {
            if collapse {
                let mut theirs = theirs.clone();
                theirs.collapse(column);
                mine.merge(&theirs);
            } else {
                mine.merge(theirs);
            }
        }
        self.sample.merge(&other.sample, bar);
        Ok(())
    }

    /// What is kept of the column of that index in the plan.
    pub fn column(&self, index: usize) -> Column<'_> {
        Column { plan: &self.plan.columns[index], profile: &self.columns[index], rows: self.rows }
    }

    /// All columns, in the plan's order.
    pub fn columns(&self) -> impl Iterator<Item = Column<'_>> {
        (0..self.columns.len()).map(|i| self.column(i))
    }

    /// The kept rows, by ascending id hash; at most `bounds.sample_rows`. An unbiased sample of the distinct ids, the
    /// same however rows were merged; all of them while there are no more.
    pub fn sample_rows(&self) -> SampleRows {
        self.sample.rows(&self.plan)
    }

    /// Keeps at most so many rows of the sample. Profiles that are only ever read merged (the blocks of a reference)
    /// need few each: merged, theirs are the same rows as those of a whole sample, as long as together they hold it; else
    /// as many of them as still are a uniform sample.
    pub fn trim_sample(&mut self, rows: usize) {
        self.sample.trim(rows);
    }

    /// The share of rows whose id had come before in the window: exact while every id is kept, else of the kept ones.
    pub fn duplicate_share(&self) -> f64 {
        let rows: u64 = self.sample.ids().map(|(_, copies)| u64::from(copies)).sum();
        if rows == 0 { 0.0 } else { 1.0 - self.sample.len() as f64 / rows as f64 }
    }

    /// About how many bytes of memory it holds.
    pub fn size_bytes(&self) -> usize {
        let columns: usize = self.columns.iter().map(column::ColumnProfile::size_bytes).sum();
        size_of::<Self>() + columns + self.sample.size_bytes()
    }
}

/// Two profiles are of different plans.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("profiles of different plans do not merge ({0:016x} and {1:016x})")]
pub struct OtherPlan(pub u64, pub u64);
