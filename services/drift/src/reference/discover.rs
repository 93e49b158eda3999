//! The first pass over training data: of which kind each column is, on which edges it is counted, which values it has.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Schema};
use arrow::record_batch::RecordBatch;

use super::edges::edges;
use crate::hash;
use crate::profile::{Bounds, Cells, ColumnPlan, Kind, Plan, Profile, Rows, SampleColumn, Seen};

/// Numbers of a sample from which edges are taken: an error of the quantiles of 0.1 % of the rows at the most.
const EDGE_CELLS: usize = 16_000_000;

/// Values told apart while the most frequent are sought: every one of a share above 1 in 8,000 is found.
const COUNTERS: usize = 8_000;

/// What filters of seen values may hold while they are filled, in bytes, over all columns.
const SEEN_BYTES: usize = 256 << 20;

/// Above this share of values taken for seen wrongly, a filter is not made smaller.
const SEEN_WRONGLY: f64 = 0.001;

/// The first pass. Numeric columns share one sample; text columns are counted each.
pub(super) struct Discovery {
    /// Watched numeric columns, with no edges yet.
    plan: Arc<Plan>,
    sample: Profile,
    numbers: Vec<NumberDiscovery>,
    texts: Vec<(String, TextDiscovery)>,
    bounds: Bounds,
}

/// What one numeric column holds beside its sample.
#[derive(Default, Clone)]
struct NumberDiscovery {
    zeros: u64,
    ones: u64,
    others: u64,
    low: Option<f64>,
    high: Option<f64>,
}

/// The values of a text column, as they are counted: the most frequent (Misra and Gries 1982), and all in a filter.
pub(super) struct TextDiscovery {
    counts: BTreeMap<u64, (Box<str>, u64)>,
    /// Whether a value was ever dropped.
    dropped: bool,
    seen: Seen,
}

/// Whether a column of that type is watched, and as what until more is known.
pub(super) fn watched(kind: &DataType) -> Option<Kind> {
    match kind {
        DataType::Boolean => Some(Kind::Boolean),
        kind if kind.is_numeric() => Some(Kind::Numeric),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Some(Kind::Category),
        DataType::Dictionary(_, values) => watched(values),
        _ => None,
    }
}

impl Discovery {
    /// Of these columns of files with that schema. `kinds`: those declared.
    pub(super) fn new(
        schema: &Schema,
        columns: &[String],
        kinds: &BTreeMap<String, Kind>,
        bounds: Bounds,
    ) -> Self {
        let (mut numeric, mut textual) = (Vec::new(), Vec::new());
        for name in columns {
            let of_type = schema.field_with_name(name).ok().and_then(|field| watched(field.data_type()));
            match kinds.get(name).copied().or(of_type) {
                // Digits in text are names until someone says that they are numbers.
                Some(Kind::Numeric | Kind::Boolean) => numeric.push(name),
                _ => textual.push(name),
            }
        }
        let rows = (EDGE_CELLS / numeric.len().max(1)).clamp(2_000, 16_384);
        // Values are not needed beyond the sample's: nothing is kept exactly.
        let sample = Bounds { exact_rows: 0, sample_rows: rows, max_categories: 0 };
        let plans = numeric.iter().map(|name| ColumnPlan::new(name, Kind::Numeric).with_edges(vec![0.0]));
        let plan = Arc::new(Plan::new(plans.collect(), sample, Vec::new()));
        let bytes = (SEEN_BYTES / textual.len().max(1)).clamp(1 << 12, 1 << 21);
        let texts = textual.iter().map(|name| ((*name).clone(), TextDiscovery::new(bytes)));
        Self {
            sample: Profile::new(&plan),
            numbers: vec![NumberDiscovery::default(); numeric.len()],
            texts: texts.collect(),
            plan,
            bounds,
        }
    }

    /// Adds a batch.
    pub(super) fn add(&mut self, batch: &RecordBatch, ids: &[u64]) {
        let cells = Cells::of(&self.plan, batch);
        self.sample.add(&cells, ids, Rows::All);
        for (i, found) in self.numbers.iter_mut().enumerate() {
            found.add(cells.numbers(i).unwrap_or_default());
        }
        for (name, texts) in &mut self.texts {
            if let Some(array) = batch.column_by_name(name) {
                texts.add(array);
            }
        }
    }

    /// The columns' plans, in the order of `columns`.
    pub(super) fn plans(mut self, columns: &[String], kinds: &BTreeMap<String, Kind>) -> Vec<ColumnPlan> {
        let sample = self.sample.sample_rows();
        let mut plans = BTreeMap::new();
        for ((column, found), cells) in self.plan.columns.iter().zip(&self.numbers).zip(&sample.columns) {
            let SampleColumn::Numbers(values) = cells else { continue };
            plans.insert(column.name.clone(), found.plan(&column.name, kinds.get(&column.name), values));
        }
        for (name, texts) in std::mem::take(&mut self.texts) {
            let plan = texts.plan(&name, kinds.get(&name).copied(), self.bounds);
            plans.insert(name, plan);
        }
        columns.iter().filter_map(|name| plans.remove(name)).collect()
    }
}

impl NumberDiscovery {
    fn add(&mut self, values: &[f64]) {
        for value in values.iter().filter(|value| value.is_finite()) {
            let value = value + 0.0;
            self.zeros += u64::from(value == 0.0);
            self.ones += u64::from(value == 1.0);
            self.others += u64::from(value != 0.0 && value != 1.0);
            self.low = Some(self.low.map_or(value, |low| low.min(value)));
            self.high = Some(self.high.map_or(value, |high| high.max(value)));
        }
    }

    fn plan(&self, name: &str, kind: Option<&Kind>, sample: &[f64]) -> ColumnPlan {
        // A column of zeros alone may well be an amount or a rate that has not happened yet.
        let boolean = self.others == 0 && self.zeros > 0 && self.ones > 0;
        if kind.map_or(boolean, |kind| *kind == Kind::Boolean) {
            return ColumnPlan::new(name, Kind::Boolean);
        }
        let mut values: Vec<f64> =
            sample.iter().copied().filter(|v| v.is_finite()).map(|v| v + 0.0).collect();
        values.sort_unstable_by(f64::total_cmp);
        let plan = ColumnPlan::new(name, Kind::Numeric);
        match (self.low, self.high) {
            (Some(low), Some(high)) if values.is_empty() => {
                plan.with_edges(edges(&[low, high], (low, high))).with_range(low, high)
            }
            (Some(low), Some(high)) => plan.with_edges(edges(&values, (low, high))).with_range(low, high),
            _ => plan,
        }
    }
}

impl TextDiscovery {
    pub(super) fn new(seen_bytes: usize) -> Self {
        let seen = Seen::new(seen_bytes);
        Self { counts: BTreeMap::new(), dropped: false, seen }
    }

    pub(super) fn add(&mut self, array: &ArrayRef) {
        let Ok(texts) = cast(array, &DataType::Utf8) else { return };
        texts.as_string::<i32>().iter().flatten().for_each(|text| self.add_one(text));
    }

    fn add_one(&mut self, text: &str) {
        let hash = hash::of_text(text);
        if let Some((_, count)) = self.counts.get_mut(&hash) {
            *count += 1;
            return;
        }
        self.seen.add(hash);
        if self.counts.len() < COUNTERS {
            self.counts.insert(hash, (text.into(), 1));
            return;
        }
        self.dropped = true;
        self.counts.retain(|_, (_, count)| {
            *count -= 1;
            *count > 0
        });
    }

    /// The most frequent values, ascending by name; and whether these are all.
    pub(super) fn most_frequent(&self, bound: usize) -> (Vec<String>, bool) {
        let mut counts: Vec<_> = self.counts.values().collect();
        counts.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let all = !self.dropped && counts.len() <= bound;
        let mut names: Vec<String> =
            counts.into_iter().take(bound).map(|(text, _)| text.to_string()).collect();
        names.sort_unstable();
        (names, all)
    }

    fn plan(mut self, name: &str, kind: Option<Kind>, bounds: Bounds) -> ColumnPlan {
        let (named, all) = self.most_frequent(bounds.max_categories);
        let inferred = if all { Kind::Category } else { Kind::Id };
        let kind = kind.unwrap_or(inferred);
        let plan = ColumnPlan::new(name, kind).with_named(named);
        if all {
            return plan;
        }
        self.seen.shrink(SEEN_WRONGLY);
        plan.with_seen(self.seen)
    }
}
