//! What is compared: the values of a column in a window, with their counts.

mod sort;

use std::collections::BTreeMap;

/// Numbers as a multiset: distinct finite values, ascending, with how often each occurs. Of a window of at most the
/// exact bound of rows these are the values themselves; above it, the bins' representatives.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sample {
    values: Vec<f64>,
    counts: Vec<u64>,
    total: u64,
}

impl Sample {
    /// Sorts and counts. Values that are not finite are left out: callers count them as missing. `-0.0` counts as `0.0`.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let finite: Vec<f64> = values.into_iter().filter(|v| v.is_finite()).map(|v| v + 0.0).collect();
        Self::of_finite(&finite)
    }

    /// The same of values that are all finite, and none `-0.0`.
    pub fn of_finite(finite: &[f64]) -> Self {
        let (values, counts) = sort::counted(finite);
        Self { values, counts, total: finite.len() as u64 }
    }

    /// From distinct values in ascending order with their counts; pairs with a count of 0 are left out.
    pub fn of_counts(pairs: impl IntoIterator<Item = (f64, u64)>) -> Self {
        let mut sample = Self::default();
        for (value, count) in pairs {
            sample.push(value, count);
        }
        sample
    }

    fn push(&mut self, value: f64, count: u64) {
        if count == 0 {
            return;
        }
        self.total += count;
        match (self.values.last(), self.counts.last_mut()) {
            (Some(last), Some(n)) if *last == value => *n += count,
            _ => {
                self.values.push(value);
                self.counts.push(count);
            }
        }
    }

    /// Distinct values, ascending.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// How often each value occurs.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// How many rows.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The mean; none without values.
    pub fn mean(&self) -> Option<f64> {
        let rows = self.total as f64;
        (self.total > 0).then(|| self.pairs().map(|(value, count)| value * (count / rows)).sum())
    }

    /// The population's standard deviation (divided by the number of rows), 0 of a single value; none without values.
    pub fn standard_deviation(&self) -> Option<f64> {
        if self.values.len() == 1 {
            return Some(0.0);
        }
        let (mean, rows) = (self.mean()?, self.total as f64);
        let variance: f64 = self.pairs().map(|(value, count)| (value - mean).powi(2) * (count / rows)).sum();
        Some(variance.sqrt())
    }

    fn pairs(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.values.iter().zip(&self.counts).map(|(value, count)| (*value, *count as f64))
    }

    /// Every value as often as it occurs, ascending.
    pub fn expanded(&self) -> impl Iterator<Item = f64> + '_ {
        let pairs = self.values.iter().zip(&self.counts);
        pairs.flat_map(|(value, count)| (0..*count).map(move |_| *value))
    }
}

/// Categories with how often each occurs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Categories {
    /// By name; none has a count of 0.
    pub counts: BTreeMap<String, u64>,
    /// Rows of categories beyond the bound on how many are told apart.
    pub other: u64,
}

impl Categories {
    /// How many rows.
    pub fn total(&self) -> u64 {
        self.counts.values().sum::<u64>() + self.other
    }
}
