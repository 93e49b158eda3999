//! Sets of buckets, as intervals.

use serde::{Deserialize, Serialize};

use super::{Error, hash::BUCKETS};

/// A set of buckets: intervals with an excluded end, ascending, apart from one another. As JSON: `[[0, 500], [900, 1000]]`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "Vec<(u16, u16)>", into = "Vec<(u16, u16)>")]
pub struct Buckets(Vec<(u16, u16)>);

impl Buckets {
    /// None.
    pub fn none() -> Self {
        Self::default()
    }

    /// All of them.
    pub fn all() -> Self {
        Self(vec![(0, BUCKETS)])
    }

    /// Of intervals in any order.
    ///
    /// # Errors
    /// An interval that is empty, reaches beyond the last bucket, or overlaps another.
    pub fn of(intervals: &[(u16, u16)]) -> Result<Self, Error> {
        let mut sorted = intervals.to_vec();
        sorted.sort_unstable();
        for (at, &(start, end)) in sorted.iter().enumerate() {
            if start >= end || end > BUCKETS {
                return Err(Error::Interval { start, end });
            }
            if at > 0 && sorted[at - 1].1 > start {
                let text = |(start, end): (u16, u16)| format!("{start}..{end}");
                let (first, second) = (text(sorted[at - 1]), text(sorted[at]));
                return Err(Error::Overlap { bucket: start, first, second });
            }
        }
        Ok(Self::joined(sorted))
    }

    /// The intervals.
    pub fn intervals(&self) -> &[(u16, u16)] {
        &self.0
    }

    /// How many buckets.
    pub fn count(&self) -> usize {
        self.0.iter().map(|(start, end)| usize::from(end - start)).sum()
    }

    /// Whether this bucket is one of them.
    pub fn contains(&self, bucket: u16) -> bool {
        let after = self.0.partition_point(|(start, _)| *start <= bucket);
        after > 0 && bucket < self.0[after - 1].1
    }

    /// The lowest bucket of both sets.
    pub fn first_shared(&self, other: &Self) -> Option<u16> {
        let shared = self.minus(&other.complement());
        shared.0.first().map(|(start, _)| *start)
    }

    /// Those of either set.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        let mut all: Vec<_> = self.0.iter().chain(&other.0).copied().collect();
        all.sort_unstable();
        Self::joined(all)
    }

    /// Those of this set that the other has not.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        let mut left = Vec::new();
        for &(first, end) in &self.0 {
            let mut start = first;
            for &(from, to) in other.0.iter().filter(|(from, to)| *to > first && *from < end) {
                if from > start {
                    left.push((start, from));
                }
                start = to;
            }
            if start < end {
                left.push((start, end));
            }
        }
        Self(left)
    }

    /// Those that it has not.
    #[must_use]
    pub fn complement(&self) -> Self {
        Self::all().minus(self)
    }

    /// The `count` lowest ones, or all if it has fewer.
    #[must_use]
    pub fn lowest(&self, count: usize) -> Self {
        let mut wanted = count;
        let mut taken = Vec::new();
        for &(start, end) in &self.0 {
            let part = wanted.min(usize::from(end - start));
            if part > 0 {
                taken.push((start, start + part as u16));
            }
            wanted -= part;
        }
        Self(taken)
    }

    /// The `count` highest ones, or all if it has fewer.
    #[must_use]
    pub fn highest(&self, count: usize) -> Self {
        self.minus(&self.lowest(self.count().saturating_sub(count)))
    }

    /// Of ascending intervals, those that touch or overlap as one.
    fn joined(sorted: Vec<(u16, u16)>) -> Self {
        let mut intervals: Vec<(u16, u16)> = Vec::with_capacity(sorted.len());
        for (start, end) in sorted {
            match intervals.last_mut() {
                Some(last) if last.1 >= start => last.1 = last.1.max(end),
                _ => intervals.push((start, end)),
            }
        }
        Self(intervals)
    }
}

impl TryFrom<Vec<(u16, u16)>> for Buckets {
    type Error = Error;

    fn try_from(intervals: Vec<(u16, u16)>) -> Result<Self, Error> {
        Self::of(&intervals)
    }
}

impl From<Buckets> for Vec<(u16, u16)> {
    fn from(buckets: Buckets) -> Self {
        buckets.0
    }
}
