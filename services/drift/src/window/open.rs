//! The open windows of one partition and one plan (topic and model version).

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::record_batch::RecordBatch;

use super::panes::Panes;
use super::rows::RowWindows;
use super::segment::Prepared;
use super::spec::{Window, WindowSpec};
use crate::profile::{Plan, Profile, Rows};

/// Rows of one partition, in its order. All slices have a place per row.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// The rows.
    pub rows: &'a RecordBatch,
    /// The record times, ms.
    pub times_ms: &'a [i64],
    /// The hashes of their ids ([`crate::hash`]).
    pub ids: &'a [u64],
    /// Their offsets.
    pub offsets: &'a [i64],
    /// Whether they are meant for these windows (such as: scored by their model version). All rows move the time, and
    /// fill windows of rows. `None`: all are.
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
    /// How settled. A row that passes end and lateness at once gives the final one alone.
    pub status: Status,
    /// The time that passed it, ms: that of the first row beyond.
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
    kept: Kept,
    time_ms: Option<i64>,
    late_rows: u64,
}

#[derive(Debug)]
enum Kept {
    ByTime(Panes),
    ByRows(RowWindows),
}

impl OpenWindows {
    /// None open yet. `lateness_ms`: how long after its end rows still count in a window.
    pub fn new(plan: &Arc<Plan>, spec: WindowSpec, lateness_ms: i64) -> Self {
        let kept = match spec {
            WindowSpec::Rows { count } => Kept::ByRows(RowWindows::new(count)),
            by_time => Kept::ByTime(Panes::new(by_time, lateness_ms.max(0))),
        };
        Self { plan: plan.clone(), kept, time_ms: None, late_rows: 0 }
    }

    /// Goes on after a rebuild: `time_ms` is the partition's time, `full_windows` [`Self::full_windows`] at the commit.
    /// Rows from [`Self::needed_from_offset`] up to the commit are then added again: they give the same state, and
    /// close nothing that was closed before.
    pub fn resume(mut self, time_ms: Option<i64>, full_windows: u64) -> Self {
        self.time_ms = time_ms;
        if let Kept::ByRows(rows) = &mut self.kept {
            rows.full = full_windows;
        }
        self
    }

    /// Of windows of rows: goes on in one that others have begun, with so many of their rows.
    pub fn join(mut self, window: Window, first_offset: i64, rows: u64) -> Self {
        if let Kept::ByRows(kept) = &mut self.kept {
            kept.join(window, first_offset, rows);
        }
        self
    }

    /// Takes rows. Returns the windows with rows that were passed, in the order of passing (ties: by window).
    pub fn add(&mut self, batch: Batch<'_>) -> Vec<Closed> {
        let mine = |row: usize| batch.mine.is_none_or(|mine| mine[row]);
        let any = (0..batch.times_ms.len()).any(mine);
        // Preparing costs as much as counting: not for rows of other model versions.
        let prepared = any.then(|| Prepared::of(&self.plan, batch.rows));
        let count = Count { plan: &self.plan, ids: batch.ids, prepared, all: batch.times_ms.len() };
        let mut closed = Vec::new();
        for (row, time) in batch.times_ms.iter().enumerate() {
            let (mine, offset) = (mine(row), batch.offsets[row]);
            match &mut self.kept {
                Kept::ByTime(panes) => {
                    if *time >= panes.next_ms {
                        panes.flush(&count);
                        closed.extend(panes.pass(self.time_ms, *time));
                    }
                    self.time_ms = self.time_ms.max(Some(*time));
                    if mine {
                        let late = panes.take(row as u32, *time, offset, self.time_ms.unwrap_or(*time));
                        self.late_rows += u64::from(late);
                    }
                }
                Kept::ByRows(rows) => {
                    self.time_ms = self.time_ms.max(Some(*time));
                    if rows.take(row as u32, *time, offset, mine) {
                        rows.flush(&count);
                        closed.extend(rows.close(self.time_ms.unwrap_or(*time)));
                    }
                }
            }
        }
        match &mut self.kept {
            Kept::ByTime(panes) => panes.flush(&count),
            Kept::ByRows(rows) => rows.flush(&count),
        }
        closed
    }

    /// Moves the time without rows (a tick, a silent partition). Never back.
    pub fn advance(&mut self, time_ms: i64) -> Vec<Closed> {
        let closed = match &mut self.kept {
            Kept::ByTime(panes) if time_ms >= panes.next_ms => panes.pass(self.time_ms, time_ms),
            _ => Vec::new(),
        };
        self.time_ms = self.time_ms.max(Some(time_ms));
        closed
    }

    /// The greatest record time taken, ms.
    pub fn time_ms(&self) -> Option<i64> {
        self.time_ms
    }

    /// The record time before which no row is needed any more to rebuild the open windows; `None`: none is open.
    pub fn needed_from_ms(&self) -> Option<i64> {
        match &self.kept {
            Kept::ByTime(panes) => panes.first_ms(),
            Kept::ByRows(rows) => rows.open.as_ref().map(|open| open.window.start_ms),
        }
    }

    /// The lowest offset of any row in an open window; `None`: none is open.
    pub fn needed_from_offset(&self) -> Option<i64> {
        match &self.kept {
            Kept::ByTime(panes) => panes.first_offset(),
            Kept::ByRows(rows) => rows.open.as_ref().map(|open| open.first_offset),
        }
    }

    /// Windows of rows: how many were full.
    pub fn full_windows(&self) -> u64 {
        match &self.kept {
            Kept::ByTime(_) => 0,
            Kept::ByRows(rows) => rows.full,
        }
    }

    /// Rows that came too late for at least one window.
    pub fn late_rows(&self) -> u64 {
        self.late_rows
    }

    /// About how many bytes of memory the open windows hold.
    pub fn size_bytes(&self) -> usize {
        let segments: Vec<&BTreeMap<String, Profile>> = match &self.kept {
            Kept::ByTime(panes) => panes.segments().collect(),
            Kept::ByRows(rows) => rows.open.iter().map(|open| &open.segments).collect(),
        };
        segments.into_iter().flat_map(BTreeMap::values).map(Profile::size_bytes).sum()
    }
}

/// How rows of a batch are counted.
pub(super) struct Count<'a> {
    plan: &'a Arc<Plan>,
    ids: &'a [u64],
    prepared: Option<Prepared>,
    all: usize,
}

impl Count<'_> {
    pub(super) fn add(&self, into: &mut BTreeMap<String, Profile>, rows: &[u32]) {
        let Some(prepared) = &self.prepared else { return };
        let rows = if rows.len() == self.all { Rows::All } else { Rows::These(rows) };
        prepared.add(self.plan, into, self.ids, rows);
    }
}
