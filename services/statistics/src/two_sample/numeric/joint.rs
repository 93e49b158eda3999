//! Two samples side by side.

use std::iter::Peekable;

use crate::sample::Sample;

/// A value that occurs in either sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Joint {
    pub value: f64,
    /// Rows of the reference and of the current window that have it.
    pub rows: [u64; 2],
    /// Rows that have less.
    pub below: [u64; 2],
}

impl Joint {
    /// Rows of both windows that have the value.
    pub fn ties(&self) -> u64 {
        self.rows[0] + self.rows[1]
    }

    /// `mn (F - G)` at the value, exact, with F and G the shares of rows at or below.
    pub fn difference(&self, totals: [u64; 2]) -> i128 {
        let [f, g] = [0, 1].map(|w| i128::from(self.below[w] + self.rows[w]));
        f * i128::from(totals[1]) - g * i128::from(totals[0])
    }

    /// Twice the same with rows at the value counted half.
    pub fn twice_mid_difference(&self, totals: [u64; 2]) -> i128 {
        let [f, g] = [0, 1].map(|w| i128::from(2 * self.below[w] + self.rows[w]));
        f * i128::from(totals[1]) - g * i128::from(totals[0])
    }

    /// The share of rows below the value, those at the value counted half, if both windows weigh the same.
    pub fn mid_share(&self, totals: [u64; 2]) -> f64 {
        let [f, g] = [0, 1].map(|w| (2 * self.below[w] + self.rows[w]) as f64 / totals[w] as f64);
        (f + g) / 4.0
    }

    /// The share of rows at the value, if both windows weigh the same.
    pub fn share(&self, totals: [u64; 2]) -> f64 {
        (self.rows[0] as f64 / totals[0] as f64 + self.rows[1] as f64 / totals[1] as f64) / 2.0
    }
}

/// The distinct values of both samples, ascending.
pub(super) struct Joints<'a> {
    sides: [Peekable<Pairs<'a>>; 2],
    below: [u64; 2],
}

type Pairs<'a> = std::iter::Zip<std::slice::Iter<'a, f64>, std::slice::Iter<'a, u64>>;

/// Walks through both samples.
pub(super) fn joint<'a>(reference: &'a Sample, current: &'a Sample) -> Joints<'a> {
    let sides = [reference, current].map(|s| s.values().iter().zip(s.counts()).peekable());
    Joints { sides, below: [0, 0] }
}

/// How many rows each has.
pub(super) fn totals(reference: &Sample, current: &Sample) -> [u64; 2] {
    [reference.total(), current.total()]
}

impl Iterator for Joints<'_> {
    type Item = Joint;

    fn next(&mut self) -> Option<Joint> {
        let heads = [0, 1].map(|w: usize| self.sides[w].peek().map(|(value, _)| **value));
        let value = match heads {
            [Some(a), Some(b)] => a.min(b),
            [head, None] | [None, head] => head?,
        };
        let below = self.below;
        let rows = [0, 1].map(|w: usize| self.sides[w].next_if(|(v, _)| **v == value).map_or(0, |(_, n)| *n));
        self.below = [below[0] + rows[0], below[1] + rows[1]];
        Some(Joint { value, rows, below })
    }
}
