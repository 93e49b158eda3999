//! Served rows of sampled keys, on their way to be compared.

use std::sync::Arc;

use arrow::array::{Array, StringArray};
use arrow::record_batch::RecordBatch;
use millrace_features::picked;

use super::{SkewNote, SkewPlan};
use crate::service::Error;
use crate::service::message::Message;
use crate::service::notes::Place;
use crate::service::observe::{cause, passes};
use crate::service::outputs::Outgoing;
use crate::service::stream::column;

/// Rows of one call of a partition of the served topic.
pub struct Rows<'a> {
    /// Its columns.
    pub rows: &'a RecordBatch,
    /// Their ids.
    pub ids: &'a StringArray,
    /// The record times, in ms.
    pub times_ms: &'a [i64],
    /// The partition's time with each row, in ms.
    pub reached_ms: &'a [i64],
    /// The partition's time before them.
    pub before_ms: Option<i64>,
}

/// Tells what a partition of the served topic holds.
#[derive(Clone)]
pub struct Served {
    plan: Arc<SkewPlan>,
    place: Place,
}

impl Served {
    /// Of a partition.
    pub fn new(plan: Arc<SkewPlan>, place: Place) -> Self {
        Self { plan, place }
    }

    /// Tells the rows of sampled keys, and the partition's time where it passes the end of a window.
    pub fn tell(&self, rows: &Rows<'_>, out: &mut Outgoing<SkewNote>) -> Result<(), Error> {
        for (number, check) in (0..).zip(&self.plan.checks) {
            let keys = column(rows.rows, &check.decided.key)?;
            let picked =
                picked(keys, &self.plan.picks).map_err(|error| Error::Internal(error.to_string()))?;
            let counts = |row: &usize| {
                picked.value(*row)
                    && rows.ids.is_valid(*row)
                    && !self.plan.is_late(rows.times_ms[*row], rows.reached_ms[*row])
            };
            let rows_of: Vec<usize> = (0..rows.times_ms.len()).filter(counts).collect();
            let bodies = check.bodies(rows.rows, rows_of.iter().copied())?;
            for (row, body) in rows_of.into_iter().zip(bodies) {
                let head = SkewNote::Served { check: number };
                let key = Some(rows.ids.value(row).to_owned());
                out.push(cause(row), Message { key, time_ms: rows.times_ms[row], head, body });
            }
        }
        for (row, time_ms) in passes(self.plan.grid, rows.before_ms, rows.reached_ms) {
            let head = SkewNote::Progress { place: self.place.clone(), time_ms, silent: false };
            out.push(cause(row), Message { key: None, time_ms, head, body: Vec::new() });
        }
        Ok(())
    }
}

impl SkewPlan {
    /// Whether a row comes so late that it counts in no window any more.
    pub(super) fn is_late(&self, time_ms: i64, reached_ms: i64) -> bool {
        let end_ms = self.cell_end(time_ms);
        end_ms.saturating_add(self.grid.lateness_ms) <= reached_ms
    }

    /// The end of the first window that holds a time.
    pub(super) fn cell_end(&self, time_ms: i64) -> i64 {
        self.grid.floor(time_ms).saturating_add(self.grid.step_ms)
    }
}
