//! From which offset a state can be rebuilt, for tasks that keep rows by time.

use std::collections::VecDeque;

/// Rows that a state is made of, in chunks of offsets: the answer may be a chunk too early, never too late.
#[derive(Debug, Clone, Default)]
pub struct Needed {
    chunks: VecDeque<Chunk>,
    /// Rows per chunk; doubles when the chunks grow too many.
    rows: u32,
}

#[derive(Debug, Clone)]
struct Chunk {
    first_offset: i64,
    /// The greatest ORDER BY time of its rows.
    time: i64,
    rows: u32,
}

const ROWS: u32 = 32;
const CHUNKS: usize = 4_096;

impl Needed {
    /// Notes a row; offsets ascend.
    pub fn add(&mut self, offset: i64, time: i64) {
        self.rows = self.rows.max(ROWS);
        match self.chunks.back_mut() {
            // A chunk also covers what follows it and is no younger: it cannot leave before that does.
            Some(last) if last.rows < self.rows || time <= last.time => {
                last.time = last.time.max(time);
                last.rows = last.rows.saturating_add(1);
            }
            _ => self.chunks.push_back(Chunk { first_offset: offset, time, rows: 1 }),
        }
        if self.chunks.len() > CHUNKS {
            self.halve();
        }
    }

    fn halve(&mut self) {
        self.rows = self.rows.saturating_mul(2);
        let mut halved = VecDeque::with_capacity(CHUNKS);
        while let Some(mut chunk) = self.chunks.pop_front() {
            if let Some(next) = self.chunks.pop_front() {
                chunk.time = chunk.time.max(next.time);
                chunk.rows = chunk.rows.saturating_add(next.rows);
            }
            halved.push_back(chunk);
        }
        self.chunks = halved;
    }

    /// Forgets chunks that lie before `floor` altogether.
    pub fn forget(&mut self, floor: i64) {
        while self.chunks.front().is_some_and(|chunk| chunk.time < floor) {
            self.chunks.pop_front();
        }
    }

    /// An offset at or before the lowest of any row whose time is not before `floor`; `None` if there is no such row.
    pub fn first(&self, floor: Option<i64>) -> Option<i64> {
        let kept = |chunk: &&Chunk| floor.is_none_or(|floor| chunk.time >= floor);
        self.chunks.iter().find(kept).map(|chunk| chunk.first_offset)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_answer_is_never_after_the_first_row_that_is_needed(
            times in prop::collection::vec(0_i64..10_000, 1..3_000),
            floor in 0_i64..10_000,
        ) {
            let mut needed = Needed::default();
            for (offset, time) in times.iter().enumerate() {
                needed.add(i64::try_from(offset).unwrap() * 3, *time);
            }
            let exact = times.iter().position(|time| *time >= floor).map(|at| i64::try_from(at).unwrap() * 3);
            let found = needed.first(Some(floor));
            prop_assert_eq!(found.is_some(), exact.is_some());
            prop_assert!(found <= exact);
            needed.forget(floor);
            prop_assert_eq!(needed.first(Some(floor)), found);
        }
    }

    #[test]
    fn rows_in_time_order_are_let_go_chunk_by_chunk_and_memory_stays_bounded() {
        let mut needed = Needed::default();
        for offset in 0..10_000_000_i64 {
            needed.add(offset, offset);
        }
        assert!(needed.chunks.len() <= CHUNKS);
        let first = needed.first(Some(5_000_000)).unwrap();
        assert!((4_990_000..=5_000_000).contains(&first), "{first}");
    }
}
