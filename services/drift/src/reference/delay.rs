//! How long labels take: counts per delay, on a fixed logarithmic grid.

/// A histogram of label delays; merges by addition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Delays {
    counts: Vec<u64>,
}

impl Delays {
    /// Counts one delay, in ms; a negative one counts as 0.
    pub fn add(&mut self, delay_ms: i64) {
        unimplemented!()
    }

    /// Adds another's counts.
    pub fn merge(&mut self, other: &Self) {
        unimplemented!()
    }

    /// The share of labels that have come after so long; `None` without any. Exact at bucket edges (within 9 % of the delay).
    pub fn share_within(&self, delay_ms: i64) -> Option<f64> {
        unimplemented!()
    }

    /// The least delay (a bucket's upper edge, ms) within which at least that share has come.
    pub fn quantile(&self, share: f64) -> Option<i64> {
        unimplemented!()
    }

    /// How many labels were counted.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }
}
