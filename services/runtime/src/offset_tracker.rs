//! Offsets of one input partition, from taken to committable: only a contiguous prefix of what was taken counts.

use std::collections::VecDeque;

/// A run of records taken together; given back when all their effects are acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span(u64);

/// Which records of a partition were taken, and up to which all effects are acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OffsetTracker {
    committable: i64,
    taken: i64,
    first: u64,
    open: VecDeque<(i64, bool)>,
}

impl OffsetTracker {
    /// A tracker of a partition whose next record to take has an offset of at least `next`.
    pub fn new(next: i64) -> Self {
        Self { committable: next, taken: next, first: 0, open: VecDeque::new() }
    }

    /// Everything below `next` that was not taken before is taken, as one span. Offsets only grow: a lower `next` makes
    /// an empty span.
    pub fn take(&mut self, next: i64) -> Span {
        self.taken = self.taken.max(next);
        self.open.push_back((self.taken, false));
        Span(self.first + self.open.len() as u64 - 1)
    }

    /// All effects of a span are acknowledged; spans may end in any order, and once more without harm.
    pub fn done(&mut self, span: Span) {
        let Some(index) = span.0.checked_sub(self.first) else { return };
        if let Some(entry) = usize::try_from(index).ok().and_then(|i| self.open.get_mut(i)) {
            entry.1 = true;
        }
        while let Some(&(next, true)) = self.open.front() {
            self.committable = next;
            self.first += 1;
            self.open.pop_front();
        }
    }

    /// The offset to commit: everything below it is done.
    pub fn committable(&self) -> i64 {
        self.committable
    }

    /// The offset behind the last record taken.
    pub fn taken(&self) -> i64 {
        self.taken
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_committable_offset_is_the_end_of_the_longest_prefix_of_spans_that_are_done(
            steps in prop::collection::vec(0i64..5, 1..40),
            order in prop::collection::vec(0usize..40, 0..60),
            start in 0i64..1000,
        ) {
            let mut tracker = OffsetTracker::new(start);
            let mut ends = Vec::new();
            let mut spans = Vec::new();
            let mut next = start;
            for step in &steps {
                next += step;
                ends.push(next);
                spans.push(tracker.take(next));
            }
            prop_assert_eq!(tracker.taken(), next);
            let mut done = vec![false; spans.len()];
            for i in order {
                let i = i % spans.len();
                tracker.done(spans[i]);
                done[i] = true;
                let prefix = done.iter().take_while(|d| **d).count();
                let expected = if prefix == 0 { start } else { ends[prefix - 1] };
                prop_assert_eq!(tracker.committable(), expected);
            }
        }
    }

    #[test]
    fn a_span_below_what_was_taken_moves_nothing_back() {
        let mut tracker = OffsetTracker::new(10);
        let first = tracker.take(20);
        let second = tracker.take(15);
        tracker.done(second);
        tracker.done(first);
        assert_eq!((tracker.taken(), tracker.committable()), (20, 20));
    }
}
