//! What is watched: the columns, their kinds, and the fixed grid on which each is counted.

use std::sync::{Arc, OnceLock};

use xxhash_rust::xxh3::Xxh3;

use super::grid::Grid;
use super::names::Names;
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
    pub(super) grid: Arc<Grid>,
    pub(super) names: Arc<Names>,
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
    /// The default for that many columns: exact values take at most 32 MB a profile (and 1,000 rows at least), its sample
    /// 4 MB (and 500 rows at least).
    pub fn of_columns(columns: usize) -> Self {
        let columns = columns.max(1);
        let exact_rows = (4_000_000 / columns).clamp(1_000, 10_000);
        let sample_rows = (500_000 / columns).clamp(500, 2_000);
        Self { exact_rows, sample_rows, ..Self::default() }
    }
}

/// More edges cost memory in every profile and say no more.
const MAX_EDGES: usize = 4_000;

impl ColumnPlan {
    /// A column of that kind, of which no reference is known yet.
    pub fn new(name: &str, kind: Kind) -> Self {
        let plan = Self {
            name: name.to_owned(),
            kind,
            edges: Arc::default(),
            range: None,
            named: Arc::default(),
            seen: None,
            grid: Arc::default(),
            names: Arc::default(),
        };
        match kind {
            Kind::Boolean => plan.with_named(vec!["false".to_owned(), "true".to_owned()]),
            _ => plan,
        }
    }

    /// With edges (sorted, made distinct; those that are not finite are left out, and above 4,000 every other one).
    pub fn with_edges(mut self, edges: Vec<f64>) -> Self {
        let mut edges: Vec<f64> = edges.into_iter().filter(|e| e.is_finite()).map(|e| e + 0.0).collect();
        edges.sort_unstable_by(f64::total_cmp);
        edges.dedup();
        while edges.len() > MAX_EDGES {
            edges = edges.into_iter().step_by(2).collect();
        }
        self.grid = Arc::new(Grid::new(&edges));
        self.edges = edges.into();
        self
    }

    /// With the reference's range, whose ends become edges: rows outside are then counted exactly.
    pub fn with_range(mut self, low: f64, high: f64) -> Self {
        let ends = [(low + 0.0).next_down(), high];
        let edges = self.edges.iter().copied().chain(ends).collect();
        self.range = Some((low, high));
        self.with_edges(edges)
    }

    /// With the values that are counted by name (sorted, made distinct).
    pub fn with_named(mut self, mut named: Vec<String>) -> Self {
        named.sort_unstable();
        named.dedup();
        self.names = Arc::new(Names::new(&named));
        self.named = named.into();
        self
    }

    /// With the set of the reference's values, where `named` does not hold them all.
    pub fn with_seen(self, seen: Seen) -> Self {
        Self { seen: Some(Arc::new(seen)), ..self }
    }

    /// The values' classes: places in `named`, then these four.
    pub(super) fn classes(&self) -> Classes {
        let named = self.named.len() as u32;
        Classes { other: named, new: named + 1, missing: named + 2, mistyped: named + 3 }
    }

    fn describe(&self, hash: &mut Xxh3) {
        hash.update(self.name.as_bytes());
        hash.update(&[0xff, self.kind as u8]);
        hash.update(&(self.edges.len() as u64).to_le_bytes());
        self.edges.iter().for_each(|edge| hash.update(&edge.to_le_bytes()));
        self.range.iter().flat_map(|(a, b)| [a, b]).for_each(|v| hash.update(&v.to_le_bytes()));
        describe_texts(hash, &self.named);
        if let Some(seen) = &self.seen {
            hash.update(&seen.to_bytes());
        }
    }
}

fn describe_texts(hash: &mut Xxh3, texts: &[String]) {
    hash.update(&(texts.len() as u64).to_le_bytes());
    for text in texts {
        hash.update(text.as_bytes());
        hash.update(&[0xff]);
    }
}

/// Classes of values that are not counted by name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Classes {
    /// The reference has it, unnamed.
    pub(super) other: u32,
    /// The reference does not have it.
    pub(super) new: u32,
    pub(super) missing: u32,
    pub(super) mistyped: u32,
}

impl Classes {
    /// How many classes, the named ones too.
    pub(super) fn count(self) -> usize {
        self.mistyped as usize + 1
    }
}

impl Plan {
    /// Of these columns.
    pub fn new(columns: Vec<ColumnPlan>, bounds: Bounds, segments: Vec<SegmentPlan>) -> Self {
        Self { columns, bounds, segments, fingerprint: OnceLock::new() }
    }

    /// A hash of everything in it: profiles of equal fingerprints merge.
    pub fn fingerprint(&self) -> u64 {
        *self.fingerprint.get_or_init(|| {
            let mut hash = Xxh3::new();
            let bounds = [self.bounds.exact_rows, self.bounds.sample_rows, self.bounds.max_categories];
            bounds.iter().for_each(|bound| hash.update(&(*bound as u64).to_le_bytes()));
            self.columns.iter().for_each(|column| column.describe(&mut hash));
            for segment in &self.segments {
                hash.update(segment.column.as_bytes());
                describe_texts(&mut hash, &segment.values);
            }
            hash.digest()
        })
    }

    /// The index of the column of that name.
    pub fn index(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name == name)
    }
}
