//! Two samples side by side.

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
    samples: [&'a Sample; 2],
    places: [usize; 2],
    below: [u64; 2],
}

/// Walks through both samples.
pub(super) fn joint<'a>(reference: &'a Sample, current: &'a Sample) -> Joints<'a> {
    Joints { samples: [reference, current], places: [0, 0], below: [0, 0] }
}

/// How many rows each has.
pub(super) fn totals(reference: &Sample, current: &Sample) -> [u64; 2] {
    [reference.total(), current.total()]
}

/// The nearest double; the conversion from 128 bits is slow, and rarely needed.
pub(super) fn double(exact: i128) -> f64 {
    i64::try_from(exact).map_or(exact as f64, |short| short as f64)
}

impl Iterator for Joints<'_> {
    type Item = Joint;

    fn next(&mut self) -> Option<Joint> {
        // Values are finite: infinity stands behind the last one.
        let heads =
            [0, 1].map(|w: usize| self.samples[w].values().get(self.places[w]).map_or(f64::INFINITY, |v| *v));
        let value = heads[0].min(heads[1]);
        if value == f64::INFINITY {
            return None;
        }
        let below = self.below;
        let mut rows = [0; 2];
        // Which window has the value is a coin's throw: a product, since a branch would be mispredicted half the time.
        for w in [0, 1] {
            let has = heads[w] == value;
            let count = self.samples[w].counts().get(self.places[w]).map_or(0, |count| *count);
            rows[w] = count * u64::from(has);
            self.places[w] += usize::from(has);
            self.below[w] += rows[w];
        }
        Some(Joint { value, rows, below })
    }
}
