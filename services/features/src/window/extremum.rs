//! The least or greatest value between two cursors, by a monotonic deque per branch.
//!
//! The deque covers a stretch of the reservoir up to the farthest row that any evaluation reached, and holds the rows
//! of it that no later row outdoes: its first entry behind a lower bound is the best of all that follow. It moves
//! forward only. A row out of order asks for less than it covers: then the entry still answers unless it lies in what
//! is cut off, and only then rows are read again. So an evaluation displaced by d rows of n costs O(d) on average.

use std::cmp::Ordering;
use std::collections::VecDeque;

use super::plan::{ExtremumPlan, Kind};
use super::reservoir::Reservoir;
use super::text::Texts;

/// What one deque looks for, and where.
#[derive(Clone, Copy)]
pub(super) struct Search<'a> {
    pub(super) plan: &'a ExtremumPlan,
    /// The word that holds the argument.
    pub(super) slot: usize,
    pub(super) texts: &'a Texts,
}

impl Search<'_> {
    /// The value of a row that takes part.
    pub(super) fn value(&self, row: &[u64]) -> Option<u64> {
        if self.plan.bit.is_set(row) { row.get(self.slot).copied() } else { None }
    }

    /// Whether `one` wins against `other`; a draw is no win.
    pub(super) fn beats(&self, one: u64, other: u64) -> bool {
        let order = match self.plan.kind {
            Kind::Signed => (one as i64).cmp(&(other as i64)),
            Kind::Unsigned | Kind::Boolean => one.cmp(&other),
            // As DataFusion compares: by total order, where NaN is greatest and -0.0 less than 0.0.
            Kind::Float => f64::from_bits(one).total_cmp(&f64::from_bits(other)),
            Kind::Text => self.texts.get(one).cmp(self.texts.get(other)),
        };
        order == if self.plan.greatest { Ordering::Greater } else { Ordering::Less }
    }

    /// The better of two.
    pub(super) fn better(&self, one: Option<u64>, other: Option<u64>) -> Option<u64> {
        match (one, other) {
            (Some(one), Some(other)) => Some(if self.beats(other, one) { other } else { one }),
            (one, other) => one.or(other),
        }
    }

    fn scan(&self, rows: &Reservoir, low: u64, high: u64) -> Option<u64> {
        (low..high).fold(None, |best, at| self.better(best, self.value(rows.row(at))))
    }
}

/// The monotonic deque of one extremum and one branch.
#[derive(Debug, Default, Clone)]
pub(super) struct Deque {
    from: u64,
    to: u64,
    /// (row, value), each value beating those behind it.
    entries: VecDeque<(u64, u64)>,
}

impl Deque {
    /// The best value of the rows `low..high`, all of which are stored.
    pub(super) fn best(&mut self, search: Search<'_>, rows: &Reservoir, low: u64, high: u64) -> Option<u64> {
        if high >= self.to {
            self.advance(search, rows, low, high);
        }
        let (from, to) = (low.max(self.from), high.min(self.to));
        let before = search.scan(rows, low, high.min(self.from));
        let inside = match self.entries.get(self.entries.partition_point(|(at, _)| *at < from)) {
            Some((at, value)) if *at < to => Some(*value),
            Some(_) => search.scan(rows, from, to),
            None => None,
        };
        search.better(before, inside)
    }

    /// A row has been placed at `number`, and those from there on moved up by one.
    pub(super) fn inserted(&mut self, search: Search<'_>, row: &[u64], number: u64) {
        if number >= self.to {
            return;
        }
        self.to += 1;
        let mut at = self.entries.partition_point(|(other, _)| *other < number);
        self.entries.iter_mut().skip(at).for_each(|(other, _)| *other += 1);
        if number <= self.from {
            self.from += 1;
            return;
        }
        let Some(value) = search.value(row) else { return };
        if self.entries.get(at).is_some_and(|(_, next)| !search.beats(value, *next)) {
            return;
        }
        while at > 0 && self.entries.get(at - 1).is_some_and(|(_, last)| !search.beats(*last, value)) {
            at -= 1;
            self.entries.remove(at);
        }
        self.entries.insert(at, (number, value));
    }

    /// Bytes on the heap.
    pub(super) fn bytes(&self) -> usize {
        self.entries.capacity() * size_of::<(u64, u64)>()
    }

    fn advance(&mut self, search: Search<'_>, rows: &Reservoir, low: u64, high: u64) {
        if low > self.from {
            self.from = low;
            self.to = self.to.max(low);
            while self.entries.front().is_some_and(|(at, _)| *at < low) {
                self.entries.pop_front();
            }
            if self.entries.capacity() > 16 + 8 * self.entries.len() {
                self.entries.shrink_to(2 * self.entries.len());
            }
        }
        for at in self.to..high {
            let Some(value) = search.value(rows.row(at)) else { continue };
            while self.entries.back().is_some_and(|(_, last)| !search.beats(*last, value)) {
                self.entries.pop_back();
            }
            self.entries.push_back((at, value));
        }
        self.to = high.max(self.to);
    }
}
