//! What differs in a window.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::compare::{Differ, differ};

/// Of all sampled rows of a window. Merges by addition.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkewCounts {
    /// By column.
    pub columns: BTreeMap<String, ColumnCounts>,
    /// By the key that rows were sampled with: rows on both sides, or on one alone.
    pub rows: BTreeMap<String, RowCounts>,
}

/// Of one column.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnCounts {
    /// Rows that were compared.
    pub rows: u64,
    /// Rows in which the values differ, missing ones included.
    pub mismatches: u64,
    /// Rows in which only the served value is missing.
    pub null_served: u64,
    /// Rows in which only the recomputed value is missing.
    pub null_recomputed: u64,
    /// The bits of the largest difference, which is not negative: bits order such numbers as numbers.
    largest_bits: u64,
}

/// Of rows sampled with one key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowCounts {
    /// Rows on both sides.
    pub both: u64,
    /// Rows that were served, and that the log does not give.
    pub only_served: u64,
    /// Rows that the log gives, and that were not served.
    pub only_recomputed: u64,
}

impl ColumnCounts {
    /// The largest difference of two values; none: no two numbers differ.
    pub fn largest(&self) -> Option<f64> {
        (self.largest_bits > 0).then(|| f64::from_bits(self.largest_bits))
    }

    /// Compares one row's values.
    pub fn add(&mut self, served: Option<&str>, recomputed: Option<&str>, float: bool) {
        self.rows += 1;
        match differ(served, recomputed, float) {
            Differ::Equal => return,
            Differ::NullServed => self.null_served += 1,
            Differ::NullRecomputed => self.null_recomputed += 1,
            Differ::By(by) if by.is_nan() => {}
            Differ::By(by) => self.largest_bits = self.largest_bits.max(by.to_bits()),
        }
        self.mismatches += 1;
    }

    fn merge(&mut self, other: &Self) {
        self.rows += other.rows;
        self.mismatches += other.mismatches;
        self.null_served += other.null_served;
        self.null_recomputed += other.null_recomputed;
        self.largest_bits = self.largest_bits.max(other.largest_bits);
    }
}

impl SkewCounts {
    /// Adds the rows of another part of the window.
    pub fn merge(&mut self, other: &Self) {
        for (name, counts) in &other.columns {
            self.columns.entry(name.clone()).or_default().merge(counts);
        }
        for (key, counts) in &other.rows {
            let own = self.rows.entry(key.clone()).or_default();
            own.both += counts.both;
            own.only_served += counts.only_served;
            own.only_recomputed += counts.only_recomputed;
        }
    }
}
