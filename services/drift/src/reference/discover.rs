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
    /// Per numeric column, whether all its numbers so far are 0 or 1.
    binary: Vec<bool>,
    texts: Vec<(String, TextDiscovery)>,
    bounds: Bounds,
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
        let rows = (EDGE_CELLS / numeric.len().max(1)).clamp(2_000, 8_192);
        // Values are not needed beyond the sample's: nothing is kept exactly.
        let sample = Bounds { exact_rows: 0, sample_rows: rows, max_categories: 0 };
        let plans = numeric.iter().map(|name| ColumnPlan::new(name, Kind::Numeric).with_edges(vec![0.0]));
        let plan = Arc::new(Plan::new(plans.collect(), sample, Vec::new()));
        let bytes = (SEEN_BYTES / textual.len().max(1)).clamp(1 << 12, 1 << 21);
        let texts = textual.iter().map(|name| ((*name).clone(), TextDiscovery::new(bytes)));
        Self {
            sample: Profile::new(&plan),
            binary: vec![true; numeric.len()],
            texts: texts.collect(),
            plan,
            bounds,
        }
    }

    /// Adds a batch.
    pub(super) fn add(&mut self, batch: &RecordBatch, ids: &[u64]) {
        let cells = Cells::of(&self.plan, batch);
        self.sample.add(&cells, ids, Rows::All);
        for (i, binary) in self.binary.iter_mut().enumerate().filter(|(_, binary)| **binary) {
            let mut numbers = cells.numbers(i).unwrap_or_default().iter();
            *binary = numbers.all(|value| *value == 0.0 || *value == 1.0 || !value.is_finite());
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
        for ((column, binary), cells) in self.sample.columns().zip(&self.binary).zip(&sample.columns) {
            let SampleColumn::Numbers(values) = cells else { continue };
            let name = &column.plan().name;
            plans.insert(name.clone(), numeric(name, kinds.get(name), *binary, column.range(), values));
        }
        for (name, texts) in std::mem::take(&mut self.texts) {
            let plan = texts.plan(&name, kinds.get(&name).copied(), self.bounds);
            plans.insert(name, plan);
        }
        columns.iter().filter_map(|name| plans.remove(name)).collect()
    }
}

/// The plan of a numeric column, of its range and a sample of its values.
fn numeric(
    name: &str,
    kind: Option<&Kind>,
    binary: bool,
    range: Option<(f64, f64)>,
    sample: &[f64],
) -> ColumnPlan {
    // A column of zeros alone may well be an amount or a rate that has not happened yet.
    let boolean = binary && range == Some((0.0, 1.0));
    if kind.map_or(boolean, |kind| *kind == Kind::Boolean) {
        return ColumnPlan::new(name, Kind::Boolean);
    }
    let plan = ColumnPlan::new(name, Kind::Numeric);
    let Some((low, high)) = range else { return plan };
    let finite = sample.iter().copied().filter(|value| value.is_finite()).map(|value| value + 0.0);
    let mut values: Vec<f64> = finite.collect();
    values.sort_unstable_by(f64::total_cmp);
    if values.is_empty() {
        values = vec![low, high];
    }
    plan.with_edges(edges(&values, (low, high))).with_range(low, high)
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
