//! What is watched: the columns, their kinds, and the fixed grid on which each is counted.

use std::sync::{Arc, OnceLock};

use super::seen::Seen;

/// How a column is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Numbers: their distribution.
    Numeric,
    /// Few distinct values, each told apart by name.
    Category,
    /// True or false; also numbers that are 0 or 1.
    Boolean,
    /// Many distinct values: the most frequent of the reference by name, the others by whether they are new.
    Id,
}

impl Kind {
    /// In lower case, as files and reports say it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Numeric => "numeric",
            Self::Category => "category",
            Self::Boolean => "boolean",
            Self::Id => "id",
        }
    }

    /// The kind of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        [Self::Numeric, Self::Category, Self::Boolean, Self::Id].into_iter().find(|k| k.name() == name)
    }
}

/// A watched column. Made by [`ColumnPlan::new`], completed by the `with_` functions.
#[derive(Debug, Clone)]
pub struct ColumnPlan {
    /// The column's name in the batches.
    pub name: String,
    /// How it is watched.
    pub kind: Kind,
    /// Numeric: ascending distinct inner edges, from the reference. Bin `i` holds `edges[i-1] < v <= edges[i]`, so that
    /// a distribution function is exact at every edge. Empty: none known yet; numbers beyond the exact bound are then
    /// counted in logarithmic buckets of 1.6 % width.
    pub edges: Arc<[f64]>,
    /// Numeric: the smallest and largest value of the reference.
    pub range: Option<(f64, f64)>,
    /// Category and id: the reference's values that are counted by name (ids: its most frequent ones), ascending.
    pub named: Arc<[String]>,
    /// Category and id: which values the reference has, if `named` does not hold them all.
    pub seen: Option<Arc<Seen>>,
}

/// Which rows get a profile of their own: those whose `column` has one of `values`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentPlan {
    /// The column, such as `country`.
    pub column: String,
    /// Values told apart, ascending; all others share the segment `country=(other)`, missing ones `country=(missing)`.
    pub values: Arc<[String]>,
}

/// The bounds of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Up to as many rows a window's numbers are kept exactly, above it as counts on the plan's edges.
    pub exact_rows: usize,
    /// How many whole rows are kept: those of the smallest id hashes.
    pub sample_rows: usize,
    /// Category: above as many distinct values a text column is watched as an id. Also how many values that the
    /// reference does not have are kept by name, and how many of the most frequent ids are named.
    pub max_categories: usize,
}

/// What is watched, of one topic and model version. Profiles of one plan merge; its fingerprint says which are.
#[derive(Debug, Clone)]
pub struct Plan {
    /// In the order of [`super::Profile::column`].
    pub columns: Vec<ColumnPlan>,
    /// The bounds.
    pub bounds: Bounds,
    /// Segments beside the whole.
    pub segments: Vec<SegmentPlan>,
    fingerprint: OnceLock<u64>,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { exact_rows: 10_000, sample_rows: 2_000, max_categories: 100 }
    }
}

impl Bounds {
    /// The default for that many columns: a profile's sample has at most 500,000 cells, and at least 500 rows.
    pub fn of_columns(columns: usize) -> Self {
        let sample_rows = (500_000 / columns.max(1)).clamp(500, 2_000);
        Self { sample_rows, ..Self::default() }
    }
}

impl ColumnPlan {
    /// A column of that kind, of which no reference is known yet.
    pub fn new(name: &str, kind: Kind) -> Self {
        unimplemented!()
    }

    /// With edges (sorted, made distinct; those that are not finite are left out).
    pub fn with_edges(self, edges: Vec<f64>) -> Self {
        unimplemented!()
    }

    /// With the reference's range.
    pub fn with_range(self, low: f64, high: f64) -> Self {
        unimplemented!()
    }

    /// With the values that are counted by name.
    pub fn with_named(self, named: Vec<String>) -> Self {
        unimplemented!()
    }

    /// With the set of the reference's values, where `named` does not hold them all.
    pub fn with_seen(self, seen: Seen) -> Self {
        unimplemented!()
    }
}

impl Plan {
    /// Of these columns.
    pub fn new(columns: Vec<ColumnPlan>, bounds: Bounds, segments: Vec<SegmentPlan>) -> Self {
        unimplemented!()
    }

    /// A hash of everything in it: profiles of equal fingerprints merge.
    pub fn fingerprint(&self) -> u64 {
        unimplemented!()
    }

    /// The index of the column of that name.
    pub fn index(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name == name)
    }
}
