//! A batch's columns in the form that profiles count, prepared once for all windows and segments.

use std::sync::Arc;

use arrow::record_batch::RecordBatch;

use super::plan::Plan;

/// The watched columns of a batch. A column that the batch does not have is missing in every row; numbers in text are read.
#[derive(Debug)]
pub struct Cells {
    rows: usize,
}

impl Cells {
    /// Of all rows of a batch, whose columns are found by name.
    pub fn of(plan: &Arc<Plan>, batch: &RecordBatch) -> Self {
        unimplemented!()
    }

    /// How many rows.
    pub fn rows(&self) -> usize {
        self.rows
    }
}
