//! Rows between two steps: the slots' columns, and what the engine knows of each row besides.

use arrow::array::PrimitiveArray;
use arrow::array::{Array, ArrayRef, BooleanArray, Int64Array, UInt32Array};
use arrow::compute::{FilterBuilder, FilterPredicate};
use arrow::datatypes::ArrowPrimitiveType;
use arrow::error::ArrowError;

/// Rows in the order in which they are taken.
#[derive(Debug, Clone)]
pub(crate) struct Rows {
    /// The columns of the slots that the rows have at this point.
    pub columns: Vec<ArrayRef>,
    /// ORDER BY time, in µs; 0 in a view without windows.
    pub time: Int64Array,
    /// Record time, in µs.
    pub record_time: Int64Array,
    /// The stage's task time when the row was taken, this row included, in µs.
    pub task_time: Int64Array,
    /// The row's lane: the partition of the stage's key.
    pub lane: UInt32Array,
    /// The branch that it came from.
    pub branch: UInt32Array,
    /// Where the event at its root lies among those of its source: orders equal times.
    pub place: Int64Array,
    /// Its index in the order of the call.
    pub cause: UInt32Array,
    /// Whether a window took it too late to count.
    pub late: BooleanArray,
}

impl Rows {
    pub(crate) fn len(&self) -> usize {
        self.cause.len()
    }

    /// Those of the rows that a mask without NULLs keeps.
    pub(crate) fn filter(&self, mask: &BooleanArray) -> Result<Self, ArrowError> {
        if mask.true_count() == self.len() {
            return Ok(self.clone());
        }
        let filter = FilterBuilder::new(mask).optimize().build();
        Ok(Self {
            columns: self.columns.iter().map(|column| filter.filter(column)).collect::<Result<_, _>>()?,
            time: primitive(&filter, &self.time)?,
            record_time: primitive(&filter, &self.record_time)?,
            task_time: primitive(&filter, &self.task_time)?,
            lane: primitive(&filter, &self.lane)?,
            branch: primitive(&filter, &self.branch)?,
            place: primitive(&filter, &self.place)?,
            cause: primitive(&filter, &self.cause)?,
            late: boolean(&filter, &self.late)?,
        })
    }
}

fn primitive<T: ArrowPrimitiveType>(
    filter: &FilterPredicate,
    array: &PrimitiveArray<T>,
) -> Result<PrimitiveArray<T>, ArrowError> {
    Ok(PrimitiveArray::from(filter.filter(array)?.to_data()))
}

fn boolean(filter: &FilterPredicate, array: &BooleanArray) -> Result<BooleanArray, ArrowError> {
    Ok(BooleanArray::from(filter.filter(array)?.to_data()))
}
