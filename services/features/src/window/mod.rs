//! Exact window aggregates over rows that arrive one by one, in any order of time.
//!
//! A [`Windows`] holds, per partition key, one reservoir of rows per source branch, and evaluates every frame of one
//! `PARTITION BY` over them. It knows neither SQL nor streams: rows come as columns, results leave as columns.

mod accumulator;
mod batch;
mod evaluate;
mod extremum;
mod keys;
mod late;
mod layout;
mod output;
mod plan;
mod positions;
mod reservoir;
mod state;
#[cfg(test)]
mod tests;
mod text;
mod windows;

use arrow::array::{ArrayRef, BooleanArray};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;

pub use windows::Windows;

/// What is computed over a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Function {
    /// Rows of the frame, or those whose argument is not NULL. Int64, never NULL.
    Count,
    /// Sum of the argument: Int64 and UInt64 wrap, Float64 is exact and rounded once. NULL without a value.
    Sum,
    /// The exact Float64 sum, rounded once, divided by the count. NULL without a value.
    Avg,
    /// The least argument, any orderable type. NULL without a value.
    Min,
    /// The greatest argument.
    Max,
}

/// Which rows a frame reaches from the current row at time `t`, bounds inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bounds {
    /// Rows with `t - start <= time <= t - end`, in microseconds; `start` of `None` is unbounded.
    Range {
        /// How far back the frame begins.
        start: Option<i64>,
        /// How far back it ends: 0 is the current row and its peers taken earlier, more is a delay.
        end: i64,
    },
    /// The current row is position 0, the row before it 1, and so on: positions `end ..= start`.
    Rows {
        /// The farthest position; `None` is unbounded.
        start: Option<u64>,
        /// The nearest position.
        end: u64,
    },
}

/// One window aggregate.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Frame {
    /// What is computed.
    pub function: Function,
    /// Index among [`Rows::arguments`]; `None` for `COUNT(*)`.
    pub argument: Option<usize>,
    /// Index among [`Rows::filters`]: only rows where it is true are aggregated (ROWS positions count all rows).
    pub filter: Option<usize>,
    /// Which rows it reaches.
    pub bounds: Bounds,
}

/// All windows of one `PARTITION BY`.
#[derive(Debug, Clone)]
pub struct Spec {
    /// The aggregates; results come in this order.
    pub frames: Vec<Frame>,
    /// Types of the argument columns. SUM takes Int64, UInt64 and Float64, AVG Float64, MIN and MAX integers, floats,
    /// Boolean, text, Timestamp, Date and Duration, COUNT anything.
    pub arguments: Vec<DataType>,
    /// Types of the partition columns.
    pub keys: Vec<DataType>,
    /// How many source branches there are.
    pub branches: usize,
    /// How many partitions of the input one `Windows` holds: 1 in a stream task, all of them in a backfill. Each has a
    /// task time of its own, and a key lives in one of them.
    pub lanes: usize,
    /// The view's W + lateness, in microseconds: rows older than the lane's task time minus this do not count, whatever
    /// still lies in memory. `None`: nothing ever leaves.
    pub keep: Option<i64>,
}

/// Rows in the order in which they are taken. All slices have one entry per row.
pub struct Rows<'a> {
    /// Partition columns. NULLs are one group.
    pub keys: &'a [ArrayRef],
    /// ORDER BY time, in microseconds.
    pub time: &'a [i64],
    /// Record time, in microseconds, never before `time`; the lane's task time is the greatest taken.
    pub record_time: &'a [i64],
    /// The row's lane.
    pub lane: &'a [u32],
    /// The row's source branch.
    pub branch: &'a [u32],
    /// The row's offset in its lane's partition of its branch: with time and branch it orders equal times.
    pub offset: &'a [i64],
    /// Argument columns.
    pub arguments: &'a [ArrayRef],
    /// FILTER columns; NULL is false.
    pub filters: &'a [BooleanArray],
    /// Rows whose frames are wanted; `None`: all. The others only change state, and get NULL.
    pub wanted: Option<&'a BooleanArray>,
    /// Whether [`Taken::touched`] is wanted.
    pub touched: bool,
}

/// What [`Windows::take`] computed.
#[derive(Debug)]
pub struct Taken {
    /// One column per frame, one value per row: the frame at the row's own time, over what was taken up to it.
    pub results: Vec<ArrayRef>,
    /// Rows that came older than what is kept: they saw themselves, and were not stored.
    pub late: BooleanArray,
    /// Each key of which a row changed what is shown, once, in the order of its first such row here; `None` if not asked for.
    pub touched: Option<Touched>,
}

/// Keys at their greatest row time, counting everything taken: what was kept when the key's last row that shows was taken,
/// so that what the last call with a key says of it does not depend on how calls were cut. A row shows if the key's
/// greatest time, its greatest wanted row or a frame at the greatest time changes by it. Others (a label that no frame
/// reaches yet) leave the key as it was shown: seen again from a later task time, less of its past would be kept.
#[derive(Debug)]
pub struct Touched {
    /// Partition columns.
    pub keys: Vec<ArrayRef>,
    /// For each key the greatest ORDER BY time of its rows, in microseconds.
    pub time: Vec<i64>,
    /// One column per frame.
    pub results: Vec<ArrayRef>,
    /// For each key, the index of the row of this call that is its greatest wanted row by (time, branch, offset), if that
    /// row was taken in this call and none greater was taken before: row columns that the store shows come from it.
    pub last_row: Vec<Option<u32>>,
}

/// What does not fit: a spec that windows do not support, or columns that are not those of the spec.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A frame that makes no sense.
    #[error("window aggregate {frame}: {what}")]
    Frame {
        /// Index in [`Spec::frames`].
        frame: usize,
        /// What is wrong with it.
        what: &'static str,
    },
    /// An aggregate of a type for which it is not defined here.
    #[error("window aggregate {frame}: {function:?} of {data_type} is not supported; cast the argument")]
    Function {
        /// Index in [`Spec::frames`].
        frame: usize,
        /// The aggregate.
        function: Function,
        /// The argument's type.
        data_type: DataType,
    },
    /// A negative time to keep rows.
    #[error("windows cannot keep rows for {0} microseconds; the time to keep them is at least 0")]
    Keep(i64),
    /// The number of columns is not the spec's.
    #[error("rows for windows have {found} columns of {what}, {expected} are needed")]
    Columns {
        /// Which columns.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many the spec has.
        expected: usize,
    },
    /// A column is longer or shorter than the others.
    #[error("rows for windows have {found} entries of {what}, but {expected} times")]
    Length {
        /// Which column.
        what: &'static str,
        /// Its length.
        found: usize,
        /// The number of rows.
        expected: usize,
    },
    /// A column's type is not the spec's.
    #[error("column {index} of the {what} of rows for windows is {found}, not {expected}")]
    Type {
        /// Which columns.
        what: &'static str,
        /// Which of them.
        index: usize,
        /// Its type.
        found: DataType,
        /// The spec's type.
        expected: DataType,
    },
    /// A lane or branch that the spec does not have.
    #[error("a row for windows is of {what} {found}, but there are {bound}")]
    Range {
        /// Lane or branch.
        what: &'static str,
        /// The row's.
        found: u32,
        /// How many the spec has.
        bound: usize,
    },
    /// An Arrow kernel failed.
    #[error("columns of windows: {0}")]
    Arrow(#[from] ArrowError),
}
