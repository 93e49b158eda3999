//! What is kept of one column, and how it is read.

use millrace_statistics::sample::{Categories, Sample};

use super::Rows;
use super::cells::CellColumn;
use super::numbers::{Kept, NumberProfile};
use super::plan::{ColumnPlan, Kind};
use super::values::ValueProfile;

/// What a profile keeps of one column.
#[derive(Debug, Clone)]
pub(super) enum ColumnProfile {
    Numbers(NumberProfile),
    Values(ValueProfile),
}

/// A column of a profile.
#[derive(Debug, Clone, Copy)]
pub struct Column<'a> {
    pub(super) plan: &'a ColumnPlan,
    pub(super) profile: &'a ColumnProfile,
    pub(super) rows: u64,
}

impl ColumnProfile {
    pub(super) fn new(column: &ColumnPlan, max_categories: usize) -> Self {
        match column.kind {
            Kind::Numeric => Self::Numbers(NumberProfile::new()),
            _ => Self::Values(ValueProfile::new(column, max_categories)),
        }
    }

    pub(super) fn collapse(&mut self, column: &ColumnPlan) {
        if let Self::Numbers(numbers) = self {
            numbers.collapse(column);
        }
    }

    pub(super) fn add(&mut self, column: &ColumnPlan, cells: &CellColumn, rows: Rows<'_>) {
        match (self, cells) {
            (Self::Numbers(numbers), CellColumn::Numbers(cells)) => numbers.add(column, cells, rows),
            (Self::Values(values), CellColumn::Values(cells)) => values.add(column, cells, rows),
            _ => debug_assert!(false, "cells are prepared for the plan of the profile"),
        }
    }

    /// Adds another's rows; both must be exact, or both collapsed.
    pub(super) fn merge(&mut self, other: &Self) {
        match (self, other) {
            (Self::Numbers(mine), Self::Numbers(theirs)) => mine.merge(theirs),
            (Self::Values(mine), Self::Values(theirs)) => mine.merge(theirs),
            _ => debug_assert!(false, "profiles of one plan alone merge"),
        }
    }

    pub(super) fn size_bytes(&self) -> usize {
        match self {
            Self::Numbers(numbers) => numbers.size_bytes(),
            Self::Values(values) => values.size_bytes(),
        }
    }
}

impl<'a> Column<'a> {
    /// The column's plan: name, kind, edges, named values.
    pub fn plan(&self) -> &'a ColumnPlan {
        self.plan
    }

    /// How it is watched.
    pub fn kind(&self) -> Kind {
        self.plan.kind
    }

    /// How many rows, the missing ones too.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Rows without a value: null or NaN.
    pub fn missing(&self) -> u64 {
        match self.profile {
            ColumnProfile::Numbers(numbers) => numbers.missing,
            ColumnProfile::Values(values) => values.counts[self.plan.classes().missing as usize],
        }
    }

    /// Rows of positive or negative infinity.
    pub fn infinite(&self) -> u64 {
        match self.profile {
            ColumnProfile::Numbers(numbers) => numbers.infinite,
            ColumnProfile::Values(_) => 0,
        }
    }

    /// Rows whose value is not of the kind: text that is no number, a number that is neither 0 nor 1.
    pub fn mistyped(&self) -> u64 {
        match self.profile {
            ColumnProfile::Numbers(numbers) => numbers.mistyped,
            ColumnProfile::Values(values) => values.counts[self.plan.classes().mistyped as usize],
        }
    }

    /// Rows with a value: finite numbers, categories, ids.
    pub fn present(&self) -> u64 {
        self.rows - self.missing() - self.infinite() - self.mistyped()
    }

    /// Numeric: the values, exactly (`true`) or as counts at the bins' upper edges, where the distribution function is
    /// exact. `None` for other kinds.
    pub fn numbers(&self) -> Option<(Sample, bool)> {
        let ColumnProfile::Numbers(numbers) = self.profile else { return None };
        Some((numbers.sample(self.plan), self.is_exact()))
    }

    /// Whether it is numeric and its values are kept exactly.
    pub fn is_exact(&self) -> bool {
        matches!(self.profile, ColumnProfile::Numbers(numbers) if matches!(numbers.kept, Kept::Exact(_)))
    }

    /// Numeric: rows per bin of `plan().edges` (one more than edges), whether kept exactly or not. `None` for other
    /// kinds, and for counts that were made without edges.
    pub fn bins(&self) -> Option<Vec<u64>> {
        match self.profile {
            ColumnProfile::Numbers(numbers) => numbers.bins(self.plan),
            ColumnProfile::Values(_) => None,
        }
    }

    /// Numeric: the smallest and largest finite value.
    pub fn range(&self) -> Option<(f64, f64)> {
        match self.profile {
            ColumnProfile::Numbers(numbers) if numbers.range.0 <= numbers.range.1 => Some(numbers.range),
            _ => None,
        }
    }

    /// Numeric: rows below and above the reference's range, exactly. `None` where that range is not known.
    pub fn outside(&self) -> Option<(u64, u64)> {
        let (low, high) = self.plan.range?;
        let bins = self.bins()?;
        let below = self.plan.edges.iter().position(|edge| *edge == (low + 0.0).next_down())?;
        let above = self.plan.edges.iter().position(|edge| *edge == high)?;
        Some((bins[..=below].iter().sum(), bins[above + 1..].iter().sum()))
    }

    /// Category, boolean (`false`, `true`) and id: counts by name; `other` holds the reference's values that are not
    /// named, and new values beyond the bound. `None` for numeric columns.
    pub fn categories(&self) -> Option<Categories> {
        let ColumnProfile::Values(values) = self.profile else { return None };
        let named = self.plan.named.iter().cloned().zip(values.counts.iter().copied());
        let mut categories = Categories { counts: named.filter(|(_, count)| *count > 0).collect(), other: 0 };
        for (text, count) in values.fresh.kept.values() {
            *categories.counts.entry(text.to_string()).or_default() += count;
        }
        let classes = self.plan.classes();
        let kept: u64 = values.fresh.kept.values().map(|(_, count)| count).sum();
        categories.other = values.counts[classes.other as usize] + self.new_rows() - kept;
        Some(categories)
    }

    /// Category and id: rows of values that the reference has but the plan does not name.
    pub fn unnamed_rows(&self) -> u64 {
        match self.profile {
            ColumnProfile::Numbers(_) => 0,
            ColumnProfile::Values(values) => values.counts[self.plan.classes().other as usize],
        }
    }

    /// Category and id: rows whose value the reference does not have. Where the plan has a `seen` set, its false
    /// positives are missing here: a share of [`super::Seen::false_positive`].
    pub fn new_rows(&self) -> u64 {
        match self.profile {
            ColumnProfile::Numbers(_) => 0,
            ColumnProfile::Values(values) => values.counts[self.plan.classes().new as usize],
        }
    }

    /// Category and id: values that the reference does not have, with their rows: those of the smallest hashes, at most
    /// `bounds.max_categories`; the most frequent first.
    pub fn new_values(&self) -> Vec<(String, u64)> {
        let ColumnProfile::Values(values) = self.profile else { return Vec::new() };
        let kept = values.fresh.kept.values();
        let mut kept: Vec<_> = kept.map(|(text, count)| (text.to_string(), *count)).collect();
        kept.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        kept
    }

    /// About how many distinct new values there are: exact below `bounds.max_categories`, else estimated from the
    /// kept hashes (k minimum values; Bar-Yossef et al. 2002; relative error about 1/sqrt(k)).
    pub fn new_distinct(&self) -> f64 {
        match self.profile {
            ColumnProfile::Numbers(_) => 0.0,
            ColumnProfile::Values(values) => values.fresh.distinct(),
        }
    }
}
