//! New values and numbers out of range. No window of a reference has any, by definition: so each is asked for what the
//! other half does not have.

use std::collections::BTreeSet;

use super::super::folds::{Folds, HeldOut};
use super::super::series::Series;
use crate::judge::{Key, Measure, cohen};
use crate::profile::{Column, Kind, Profile};
use crate::reference::Reference;

/// The halves' values.
pub(super) struct LeaveOut<'a> {
    folds: &'a Folds,
}

impl<'a> LeaveOut<'a> {
    pub(super) fn of(folds: &'a Folds) -> Self {
        Self { folds }
    }

    /// The effects are of shares beyond the mean share over all windows, which is what an unchanged window has.
    pub(super) fn series(&self, key: Key, index: usize, min_rows: u64) -> Series {
        let known = [0, 1].map(|half| Known::of(&self.folds.halves[half], &key, index));
        let mut shares: Vec<(usize, f64)> = Vec::new();
        let mut rows = u64::MAX;
        for (window, held_out) in self.folds.windows.iter().enumerate() {
            let Some(profile) = held_out.segments.get(&key.segment) else { continue };
            let present = profile.column(index).present();
            if present < min_rows {
                continue;
            }
            if let Some(share) = known[held_out.other].beyond(profile, held_out, &key.segment, index) {
                shares.push((window, share));
                rows = rows.min(present);
            }
        }
        let expected = shares.iter().map(|(_, share)| share).sum::<f64>() / shares.len().max(1) as f64;
        let mut series = Series { expected, ..Series::new(key, self.folds.split()) };
        for (window, share) in shares {
            series.push(window, cohen(expected, share).max(0.0), rows);
        }
        series
    }
}

/// What a half has.
enum Known {
    Range(Option<(f64, f64)>),
    Names(BTreeSet<String>),
    /// Of ids it was counted when the reference was built.
    Counted,
}

impl Known {
    fn of(half: &Reference, key: &Key, index: usize) -> Self {
        let profiles = || half.blocks.iter().filter_map(|block| block.segments.get(&key.segment));
        let kind = half.plan.columns.get(index).map(|column| column.kind);
        match (key.measure, kind) {
            (Measure::Outside, _) => {
                let ranges = profiles().filter_map(|profile| profile.column(index).range());
                Self::Range(ranges.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))))
            }
            (_, Some(Kind::Id)) => Self::Counted,
            _ => {
                let names = profiles().filter_map(|profile| profile.column(index).categories());
                Self::Names(names.flat_map(|categories| categories.counts.into_keys()).collect())
            }
        }
    }

    /// The share of a window's rows with a value that the half does not have.
    fn beyond(&self, profile: &Profile, held_out: &HeldOut, segment: &str, index: usize) -> Option<f64> {
        let column = profile.column(index);
        match self {
            Self::Range(range) => {
                let outside = outside(column, (*range)?)?;
                Some(outside as f64 / column.present().max(1) as f64)
            }
            Self::Names(names) => {
                let categories = column.categories()?;
                let new: u64 =
                    categories.counts.iter().filter(|(name, _)| !names.contains(*name)).map(|(_, n)| n).sum();
                Some(new as f64 / categories.total().max(1) as f64)
            }
            Self::Counted => {
                let counts = held_out.unseen.as_ref()?.get(segment);
                let new = counts.and_then(|counts| counts.get(index)).copied().unwrap_or(0);
                Some(new as f64 / column.present().max(1) as f64)
            }
        }
    }
}

/// Rows outside of a range; of binned numbers those of bins that lie outside as a whole.
fn outside(column: Column<'_>, (low, high): (f64, f64)) -> Option<u64> {
    let (sample, exact) = column.numbers()?;
    let mut lower = f64::NEG_INFINITY;
    let mut outside = 0;
    for (value, count) in sample.values().iter().zip(sample.counts()) {
        let above = if exact { *value > high } else { lower >= high };
        outside += if *value < low || above { *count } else { 0 };
        lower = *value;
    }
    Some(outside)
}
