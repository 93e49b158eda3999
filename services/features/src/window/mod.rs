//! Exact window aggregates over rows that arrive one by one, in any order of time.
//!
//! A [`Windows`] holds, per partition key, one reservoir of rows per source branch, and evaluates every frame of one
//! `PARTITION BY` over them. It knows neither SQL nor streams: rows come as columns, results leave as columns.

use arrow::array::{ArrayRef, BooleanArray};
use arrow::datatypes::DataType;

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
    /// Types of the argument columns: Int64, UInt64, Float64, Boolean, Utf8, Timestamp or Date.
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
    /// Each key that any row had, once, in the order of its first row here; `None` if not asked for.
    pub touched: Option<Touched>,
}

/// Keys at their greatest row time, counting everything taken.
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
