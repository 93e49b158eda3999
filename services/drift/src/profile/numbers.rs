//! What is kept of a numeric column: its values up to the exact bound of rows, above it counts on the plan's grid.

use std::collections::BTreeMap;

use millrace_statistics::sample::Sample;

use super::Rows;
use super::cells::{Numbers, widened};
use super::grid::{log_bucket, log_upper};
use super::plan::ColumnPlan;

/// A numeric column of a profile.
#[derive(Debug, Clone)]
pub(super) struct NumberProfile {
    pub(super) missing: u64,
    pub(super) infinite: u64,
    pub(super) mistyped: u64,
    /// Infinities the wrong way round without a finite value.
    pub(super) range: (f64, f64),
    pub(super) kept: Kept,
}

#[derive(Debug, Clone)]
pub(super) enum Kept {
    /// The finite values, in no order.
    Exact(Vec<f64>),
    /// Counts per bin of the plan's edges.
    Binned(Vec<u64>),
    /// Counts per logarithmic bucket, where the plan has no edges.
    Log(BTreeMap<u32, u64>),
}

impl NumberProfile {
    pub(super) fn new() -> Self {
        let range = (f64::INFINITY, f64::NEG_INFINITY);
        Self { missing: 0, infinite: 0, mistyped: 0, range, kept: Kept::Exact(Vec::new()) }
    }

    /// From values to counts; nothing if that was done before.
    pub(super) fn collapse(&mut self, column: &ColumnPlan) {
        let Kept::Exact(values) = &self.kept else { return };
        let mut counted = match column.grid.has_edges() {
            true => Kept::Binned(vec![0; column.grid.bins()]),
            false => Kept::Log(BTreeMap::new()),
        };
        match &mut counted {
            Kept::Binned(counts) => values.iter().for_each(|v| counts[column.grid.bin(*v)] += 1),
            Kept::Log(counts) => values.iter().for_each(|v| *counts.entry(log_bucket(*v)).or_default() += 1),
            Kept::Exact(_) => {}
        }
        self.kept = counted;
    }

    pub(super) fn add(&mut self, column: &ColumnPlan, cells: &Numbers, rows: Rows<'_>) {
        let values = &cells.values;
        match rows {
            Rows::All => {
                let (low, high) = cells.range();
                self.range = (self.range.0.min(low), self.range.1.max(high));
            }
            Rows::These(rows) => {
                self.range = widened(self.range, rows.iter().map(|row| values[*row as usize]));
            }
        }
        if let Kept::Binned(counts) = &mut self.kept {
            counts.resize(column.grid.bins() + 2, 0);
            let classes = cells.classes(column);
            match rows {
                Rows::All => classes.iter().for_each(|class| counts[usize::from(*class)] += 1),
                Rows::These(rows) => {
                    rows.iter().for_each(|row| counts[usize::from(classes[*row as usize])] += 1);
                }
            }
            self.infinite += counts.pop().unwrap_or_default();
            self.missing += counts.pop().unwrap_or_default();
        } else if let (Kept::Exact(kept), Rows::All) = (&mut self.kept, rows)
            && values.iter().all(|value| value.is_finite())
        {
            // No zero keeps a sign.
            kept.extend(values.iter().map(|value| value + 0.0));
        } else {
            match rows {
                Rows::All => values.iter().for_each(|value| self.add_one(*value)),
                Rows::These(rows) => rows.iter().for_each(|row| self.add_one(values[*row as usize])),
            }
        }
        self.tell_mistyped(cells, rows);
    }

    fn add_one(&mut self, value: f64) {
        if !value.is_finite() {
            self.missing += u64::from(value.is_nan());
            self.infinite += u64::from(!value.is_nan());
            return;
        }
        match &mut self.kept {
            Kept::Exact(values) => values.push(value + 0.0),
            Kept::Log(counts) => *counts.entry(log_bucket(value)).or_default() += 1,
            Kept::Binned(_) => {}
        }
    }

    /// Mistyped cells came as NaN and were counted as missing.
    fn tell_mistyped(&mut self, cells: &Numbers, rows: Rows<'_>) {
        let Some(wrong) = &cells.mistyped else { return };
        let count = match rows {
            Rows::All => wrong.iter().filter(|w| **w).count(),
            Rows::These(rows) => rows.iter().filter(|row| wrong[**row as usize]).count(),
        };
        self.mistyped += count as u64;
        self.missing -= count as u64;
    }

    /// Adds another's rows. Both must be kept alike: exactly, or both collapsed.
    pub(super) fn merge(&mut self, other: &Self) {
        self.missing += other.missing;
        self.infinite += other.infinite;
        self.mistyped += other.mistyped;
        self.range = (self.range.0.min(other.range.0), self.range.1.max(other.range.1));
        match (&mut self.kept, &other.kept) {
            (Kept::Exact(mine), Kept::Exact(theirs)) => mine.extend_from_slice(theirs),
            (Kept::Binned(mine), Kept::Binned(theirs)) => {
                mine.iter_mut().zip(theirs).for_each(|(mine, theirs)| *mine += theirs);
            }
            (Kept::Log(mine), Kept::Log(theirs)) => {
                theirs.iter().for_each(|(bucket, count)| *mine.entry(*bucket).or_default() += count);
            }
            _ => debug_assert!(false, "profiles are brought to one form before they merge"),
        }
    }

    /// The values with their counts; of counted ones the bins' upper edges (of the last bin the largest value).
    pub(super) fn sample(&self, column: &ColumnPlan) -> Sample {
        let high = self.range.1;
        match &self.kept {
            Kept::Exact(values) => Sample::of_finite(values),
            Kept::Binned(counts) => {
                let uppers = column.edges.iter().copied().chain([high]);
                Sample::of_counts(uppers.map(|upper| upper.min(high)).zip(counts.iter().copied()))
            }
            Kept::Log(counts) => {
                let uppers = counts.iter().map(|(bucket, count)| (log_upper(*bucket).min(high), *count));
                Sample::of_counts(uppers)
            }
        }
    }

    /// Rows per bin of the plan's edges; `None` for counts in logarithmic buckets.
    pub(super) fn bins(&self, column: &ColumnPlan) -> Option<Vec<u64>> {
        match &self.kept {
            Kept::Exact(values) => {
                let mut counts = vec![0; column.grid.bins()];
                values.iter().for_each(|value| counts[column.grid.bin(*value)] += 1);
                Some(counts)
            }
            Kept::Binned(counts) => Some(counts.clone()),
            Kept::Log(_) => None,
        }
    }

    pub(super) fn size_bytes(&self) -> usize {
        size_of::<Self>()
            + match &self.kept {
                Kept::Exact(values) => values.capacity() * 8,
                Kept::Binned(counts) => counts.capacity() * 8,
                // A node of a B-tree holds 11 entries, 6 at least.
                Kept::Log(counts) => counts.len() * 32,
            }
    }
}
