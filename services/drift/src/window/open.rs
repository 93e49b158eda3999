//! The open windows of one partition and one plan (topic and model version).

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::record_batch::RecordBatch;

use super::spec::{Window, WindowSpec};
use crate::profile::{Plan, Profile};

/// Rows of one partition, in its order.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// The rows.
    pub rows: &'a RecordBatch,
    /// Per row its record time, ms.
    pub times_ms: &'a [i64],
    /// Per row the hash of its id ([`crate::hash`]).
    pub ids: &'a [u64],
    /// Per row whether it is meant for these windows (such as: scored by their model version). All rows move the time.
    /// `None`: all are.
    pub mine: Option<&'a [bool]>,
}

/// How settled a window's profile is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// The partition's time has passed the window's end; late rows may still come.
    Provisional,
    /// It has passed the end by the lateness: no row is added any more.
    Final,
}

/// A window that was passed.
#[derive(Debug, Clone)]
pub struct Closed {
    /// Which one.
    pub window: Window,
    /// How settled.
    pub status: Status,
    /// The partition's time (greatest record time) just before the row that passed it.
    pub at_ms: i64,
    /// Profiles by segment; the whole is [`super::WHOLE`].
    pub segments: BTreeMap<String, Profile>,
}

/// The windows that are open in one partition.
///
/// What it returns is a function of the rows taken and their order alone: rows are split at the very row that passes a
/// window, so batches of any size give the same profiles at the same points.
#[derive(Debug)]
pub struct OpenWindows {
    plan: Arc<Plan>,
    spec: WindowSpec,
}

impl OpenWindows {
    /// None open yet. `lateness_ms`: how long after its end rows still count in a window.
    pub fn new(plan: &Arc<Plan>, spec: WindowSpec, lateness_ms: i64) -> Self {
        unimplemented!()
    }

    /// For windows of rows after a rebuild: as if `rows` rows had been taken, all in windows that are closed.
    pub fn resume(self, rows: u64) -> Self {
        unimplemented!()
    }

    /// Takes rows. Returns the windows with rows that were passed, in the order of passing (ties: by window, provisional first).
    pub fn add(&mut self, batch: Batch<'_>) -> Vec<Closed> {
        unimplemented!()
    }

    /// Moves the time without rows (a tick, a silent partition). Never back.
    pub fn advance(&mut self, time_ms: i64) -> Vec<Closed> {
        unimplemented!()
    }

    /// The greatest record time taken, ms.
    pub fn time_ms(&self) -> Option<i64> {
        unimplemented!()
    }

    /// The record time before which no row is needed any more to rebuild the open windows; `None`: none is open.
    pub fn needed_from_ms(&self) -> Option<i64> {
        unimplemented!()
    }

    /// Windows of rows: how many of the last rows (meant for these windows) lie in the open one.
    pub fn open_rows(&self) -> u64 {
        unimplemented!()
    }

    /// Rows that came too late for at least one window.
    pub fn late_rows(&self) -> u64 {
        unimplemented!()
    }

    /// About how many bytes of memory the open windows hold.
    pub fn size_bytes(&self) -> usize {
        unimplemented!()
    }
}
