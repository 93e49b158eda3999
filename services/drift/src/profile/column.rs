//! What is kept of one column, and how it is read.

use millrace_statistics::sample::{Categories, Sample};

use super::plan::{ColumnPlan, Kind};

/// What a profile keeps of one column.
#[derive(Debug, Clone)]
pub(super) struct ColumnProfile {}

/// A column of a profile.
#[derive(Debug, Clone, Copy)]
pub struct Column<'a> {
    pub(super) plan: &'a ColumnPlan,
    pub(super) profile: &'a ColumnProfile,
    pub(super) rows: u64,
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

    /// Rows with neither a finite value nor an infinite one nor one of a wrong type: null or NaN.
    pub fn missing(&self) -> u64 {
        unimplemented!()
    }

    /// Rows of positive or negative infinity.
    pub fn infinite(&self) -> u64 {
        unimplemented!()
    }

    /// Rows whose value is not of the kind: text that is no number, a number that is neither 0 nor 1.
    pub fn mistyped(&self) -> u64 {
        unimplemented!()
    }

    /// Rows with a value: finite numbers, categories, ids.
    pub fn present(&self) -> u64 {
        unimplemented!()
    }

    /// Numeric: the values, exactly or (`false`) as counts at the bins' upper edges, where the distribution function
    /// is exact. `None` for other kinds.
    pub fn numbers(&self) -> Option<(Sample, bool)> {
        unimplemented!()
    }

    /// Numeric: rows per bin of `plan().edges` (one more than edges), whether kept exactly or not.
    pub fn bins(&self) -> Option<Vec<u64>> {
        unimplemented!()
    }

    /// Numeric: the smallest and largest finite value.
    pub fn range(&self) -> Option<(f64, f64)> {
        unimplemented!()
    }

    /// Numeric: rows below and above the reference's range, exact. `None` where that is not known.
    pub fn outside(&self) -> Option<(u64, u64)> {
        unimplemented!()
    }

    /// Category, boolean (`false`, `true`) and id: counts by name; `other` holds the reference's values that are not
    /// named, and new values beyond the bound. `None` for numeric columns.
    pub fn categories(&self) -> Option<Categories> {
        unimplemented!()
    }

    /// Category and id: rows whose value the reference does not have. Ids: short by the share of [`super::Seen::false_positive`].
    pub fn new_rows(&self) -> u64 {
        unimplemented!()
    }

    /// Category and id: values that the reference does not have, with their rows: those of the smallest hashes, at most
    /// `bounds.max_categories`.
    pub fn new_values(&self) -> Vec<(String, u64)> {
        unimplemented!()
    }

    /// About how many distinct new values there are: exact up to `bounds.max_categories`, above it estimated from the
    /// kept hashes (k minimum values; Bar-Yossef et al. 2002; relative error about 1/sqrt(k)).
    pub fn new_distinct(&self) -> f64 {
        unimplemented!()
    }
}
