//! Ids that one half of the training data has and the other does not: how many new ids an unchanged window brings.
//!
//! A reference keeps the ids of all its rows as one filter, in which no id of its own rows is new. What calibration asks,
//! how many rows of one half are of ids that the other half lacks, is therefore counted while the reference is built.

use arrow::record_batch::RecordBatch;

use crate::files::ids;
use crate::profile::{Kind, Plan, Seen};

/// What the filters of both halves and all columns may hold, in bytes.
const BYTES: usize = 64 << 20;

/// The ids of either half.
pub(super) struct Halves {
    columns: Vec<(usize, String)>,
    /// Blocks that start from here on are of the second half.
    middle_ms: i64,
    block_ms: i64,
    /// Per half and column.
    seen: [Vec<Seen>; 2],
}

impl Halves {
    /// Of the plan's ids over blocks of that length that start in `first_ms..=last_ms`; none without ids, or of one block.
    pub(super) fn of(plan: &Plan, (first_ms, last_ms): (i64, i64), block_ms: i64) -> Option<Self> {
        let ids = plan.columns.iter().enumerate().filter(|(_, column)| column.kind == Kind::Id);
        let columns: Vec<(usize, String)> = ids.map(|(index, column)| (index, column.name.clone())).collect();
        if columns.is_empty() || first_ms == last_ms {
            return None;
        }
        let bytes = (BYTES / 2 / columns.len()).clamp(1 << 12, 1 << 21);
        let half = || columns.iter().map(|_| Seen::new(bytes)).collect();
        let middle_ms = first_ms + (last_ms + block_ms - first_ms) / 2;
        Some(Self { seen: [half(), half()], columns, middle_ms, block_ms })
    }

    fn half(&self, time_ms: i64) -> usize {
        usize::from(time_ms.div_euclid(self.block_ms) * self.block_ms >= self.middle_ms)
    }

    /// Adds the ids of a batch.
    pub(super) fn add(&mut self, batch: &RecordBatch, times_ms: &[i64]) {
        for (at, (_, name)) in self.columns.clone().iter().enumerate() {
            for (hash, time_ms) in ids(batch, name).into_iter().zip(times_ms) {
                let half = self.half(*time_ms);
                if hash != 0 {
                    self.seen[half][at].add(hash);
                }
            }
        }
    }

    /// Rows of a batch whose id the other half does not have: the column's index in the plan, and the row.
    pub(super) fn unseen(&self, batch: &RecordBatch, times_ms: &[i64]) -> Vec<(usize, usize)> {
        let mut unseen = Vec::new();
        for (at, (index, name)) in self.columns.iter().enumerate() {
            let rows = ids(batch, name).into_iter().zip(times_ms).enumerate();
            let is_new =
                |hash: u64, time_ms: i64| hash != 0 && !self.seen[1 - self.half(time_ms)][at].contains(hash);
            unseen.extend(rows.filter(|(_, (h, time))| is_new(*h, **time)).map(|(row, _)| (*index, row)));
        }
        unseen
    }
}
