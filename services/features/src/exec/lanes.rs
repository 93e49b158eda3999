//! Task times: the greatest record time that a partition of a stage has taken.

/// One task time per lane: a stream task has one lane, a backfill one per partition.
#[derive(Debug, Clone)]
pub(crate) struct Lanes(Vec<Option<i64>>);

impl Lanes {
    pub(crate) fn new(lanes: usize) -> Self {
        Self(vec![None; lanes])
    }

    /// Takes a row; the lane's task time, this row included, in µs.
    pub(crate) fn advance(&mut self, lane: u32, record_time: i64) -> i64 {
        match self.0.get_mut(lane as usize) {
            Some(time) => *time.insert(time.map_or(record_time, |known| known.max(record_time))),
            None => record_time,
        }
    }

    /// A lane's task time, in µs; `None` before its first row.
    pub(crate) fn time(&self, lane: usize) -> Option<i64> {
        self.0.get(lane).copied().flatten()
    }
}
