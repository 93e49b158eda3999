//! The rows of one key and one source branch, in the order of (time, offset).
//!
//! A row is a few 64-bit words side by side, so that a cursor that passes it touches one place in memory. Rows are
//! numbered by how many came before them in the reservoir's order; numbers survive rows leaving at the front, and move
//! up by one behind a row placed in the middle.

/// Capacity in rows of a reservoir's first allocation.
const FIRST: usize = 2;

/// A ring of rows of `stride` words each. The first word of a row is its time.
#[derive(Debug, Default)]
pub(super) struct Reservoir {
    words: Box<[u64]>,
    /// Words of a row.
    stride: usize,
    /// Rows that `words` has room for.
    capacity: usize,
    head: usize,
    len: usize,
    first: u64,
    /// The time of the last row: appending need not look at it.
    newest: i64,
}

impl Reservoir {
    /// Number of the oldest row.
    #[inline]
    pub(super) fn first(&self) -> u64 {
        self.first
    }

    /// Number that a row appended now gets.
    #[inline]
    pub(super) fn end(&self) -> u64 {
        self.first + self.len as u64
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Bytes allocated.
    pub(super) fn bytes(&self) -> usize {
        self.words.len() * size_of::<u64>()
    }

    /// The row of this number, which must be one of `first()..end()`.
    #[inline]
    pub(super) fn row(&self, number: u64) -> &[u64] {
        let at = self.position((number - self.first) as usize) * self.stride;
        &self.words[at..at + self.stride]
    }

    /// The time of a row.
    #[inline]
    pub(super) fn time(&self, number: u64) -> i64 {
        let at = self.position((number - self.first) as usize) * self.stride;
        self.words[at] as i64
    }

    /// The number that a row of this time gets: behind those of an earlier or equal (time, offset). The offset is the
    /// word at `offset.0` of a row; without one, rows of equal time stay in the order in which they came.
    pub(super) fn place(&self, time: i64, offset: Option<(usize, i64)>) -> u64 {
        let before = |number: u64| match (self.time(number), offset) {
            (other, Some((word, offset))) if other == time => self.row(number)[word] as i64 <= offset,
            (other, _) => other <= time,
        };
        let (mut low, mut high) = (self.first, self.end());
        if high == low || self.newest < time || before(high - 1) {
            return high;
        }
        while low < high {
            let middle = low + (high - low) / 2;
            if before(middle) { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// Puts a row at a number, moving the rows from there on up by one. A row may have fewer words than the others, or
    /// more: then all are widened.
    pub(super) fn insert(&mut self, number: u64, row: &[u64]) {
        if row.len() > self.stride {
            self.rebuild(self.capacity.max(FIRST), row.len());
        }
        if self.len == self.capacity {
            self.rebuild((self.len + self.len / 2 + 1).max(FIRST), self.stride);
        }
        let index = (number - self.first) as usize;
        self.len += 1;
        if index < self.len / 2 {
            self.head = if self.head == 0 { self.capacity - 1 } else { self.head - 1 };
            (0..index).for_each(|at| self.copy(at + 1, at));
        } else {
            (index..self.len - 1).rev().for_each(|at| self.copy(at, at + 1));
        }
        let at = self.position(index) * self.stride;
        self.words[at..at + row.len()].copy_from_slice(row);
        self.words[at + row.len()..at + self.stride].fill(0);
        if index + 1 == self.len {
            self.newest = row[0] as i64;
        }
    }

    /// Some word of a row's place, also where the next row will be: to have it read into the cache.
    pub(super) fn peek(&self, number: u64) -> u64 {
        let index = number.saturating_sub(self.first) as usize;
        if index < self.capacity { self.words[self.position(index) * self.stride] } else { 0 }
    }

    /// Drops the oldest row, and memory that has become far too much.
    pub(super) fn pop(&mut self) {
        if self.len == 0 {
            return;
        }
        self.head = self.position(1);
        self.len -= 1;
        self.first += 1;
        if self.len * 4 < self.capacity && self.capacity > 4 * FIRST {
            self.rebuild((self.len * 2).max(FIRST), self.stride);
        }
    }

    #[inline]
    fn position(&self, index: usize) -> usize {
        // `head` is less than the capacity and `index` at most that: one turn suffices.
        let at = self.head + index;
        if at >= self.capacity { at - self.capacity } else { at }
    }

    fn copy(&mut self, from: usize, to: usize) {
        let (from, to) = (self.position(from) * self.stride, self.position(to) * self.stride);
        self.words.copy_within(from..from + self.stride, to);
    }

    fn rebuild(&mut self, capacity: usize, stride: usize) {
        let mut words = vec![0; capacity * stride].into_boxed_slice();
        for (at, row) in (self.first..self.end()).zip(words.chunks_exact_mut(stride.max(1))) {
            row[..self.stride].copy_from_slice(self.row(at));
        }
        (self.words, self.stride, self.capacity, self.head) = (words, stride, capacity, 0);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows(reservoir: &Reservoir) -> Vec<(i64, Vec<u64>)> {
        (reservoir.first()..reservoir.end())
            .map(|at| (reservoir.time(at), reservoir.row(at).to_vec()))
            .collect()
    }

    proptest! {
        #[test]
        fn a_reservoir_is_a_sorted_list(steps in prop::collection::vec((0i64..30, 0i64..4, 0usize..3, any::<bool>()), 0..200)) {
            let mut reservoir = Reservoir::default();
            let mut list: Vec<(i64, i64, Vec<u64>)> = Vec::new();
            let (mut gone, mut wide) = (0, 2);
            for (time, offset, more, pop) in steps {
                let mut row = vec![time as u64, offset as u64];
                row.extend((0..more).map(|word| word as u64 + 7));
                wide = wide.max(row.len());
                let number = reservoir.place(time, Some((1, offset)));
                let at = list.partition_point(|(other, tie, _)| (*other, *tie) <= (time, offset));
                prop_assert_eq!(number, gone + at as u64);
                reservoir.insert(number, &row);
                list.insert(at, (time, offset, row));
                if pop {
                    reservoir.pop();
                    list.remove(0);
                    gone += 1;
                }
                let expected: Vec<_> = list.iter().map(|(time, _, row)| {
                    let mut row = row.clone();
                    row.resize(wide, 0);
                    (*time, row)
                }).collect();
                prop_assert_eq!(rows(&reservoir), expected);
            }
        }
    }

    #[test]
    fn memory_is_given_back_as_rows_leave() {
        let mut reservoir = Reservoir::default();
        (0..1000).for_each(|time| reservoir.insert(reservoir.end(), &[time, 0]));
        let full = reservoir.bytes();
        assert!(full < 1000 * 16 * 2, "{full} bytes for 1,000 rows of 16");
        (0..990).for_each(|_| reservoir.pop());
        assert!(reservoir.bytes() < full / 20, "{} of {full} bytes are left for 10 rows", reservoir.bytes());
    }
}
