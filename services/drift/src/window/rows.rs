//! Windows of a number of rows.

use std::collections::BTreeMap;

use super::open::{Closed, Count, Status};
use super::spec::Window;
use crate::profile::Profile;

/// The one window that is filling, and how many were full before.
#[derive(Debug)]
pub(super) struct RowWindows {
    count: u64,
    pub(super) full: u64,
    pub(super) open: Option<Open>,
    /// Rows of the batch at hand that are in the open window and not counted yet.
    pending: Vec<u32>,
}

#[derive(Debug)]
pub(super) struct Open {
    pub(super) window: Window,
    pub(super) first_offset: i64,
    pub(super) segments: BTreeMap<String, Profile>,
    rows: u64,
}

impl RowWindows {
    pub(super) fn new(count: u64) -> Self {
        Self { count: count.max(1), full: 0, open: None, pending: Vec::new() }
    }

    /// Goes on in a window that others have begun.
    pub(super) fn join(&mut self, window: Window, first_offset: i64, rows: u64) {
        self.open = Some(Open { window, first_offset, segments: BTreeMap::new(), rows });
    }

    /// Takes a row, which is counted in profiles if it is `mine`; whether the window is full with it.
    pub(super) fn take(&mut self, row: u32, time_ms: i64, offset: i64, mine: bool) -> bool {
        let open = self.open.get_or_insert_with(|| Open {
            window: Window { start_ms: time_ms, end_ms: time_ms, number: self.full },
            first_offset: offset,
            segments: BTreeMap::new(),
            rows: 0,
        });
        open.window.start_ms = open.window.start_ms.min(time_ms);
        open.window.end_ms = open.window.end_ms.max(time_ms);
        open.rows += 1;
        if mine {
            self.pending.push(row);
        }
        open.rows == self.count
    }

    pub(super) fn flush(&mut self, count: &Count<'_>) {
        if let Some(open) = &mut self.open {
            count.add(&mut open.segments, &self.pending);
        }
        self.pending.clear();
    }

    pub(super) fn close(&mut self, at_ms: i64) -> Option<Closed> {
        let open = self.open.take()?;
        self.full += 1;
        Some(Closed { window: open.window, status: Status::Final, at_ms, segments: open.segments })
    }
}
