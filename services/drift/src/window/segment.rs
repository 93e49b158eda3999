//! Segments: groups of rows with a profile of their own.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::record_batch::RecordBatch;

use crate::profile::{Cells, Plan, Profile, Rows, SegmentPlan};

/// The name of the segment of all rows.
pub const WHOLE: &str = "";

/// The segment's name, such as `country=NE`; `None`: the rows without a value, `country=(missing)`.
pub fn segment_name(column: &str, value: Option<&str>) -> String {
    format!("{column}={}", value.unwrap_or("(missing)"))
}

/// A batch, ready to be counted: its cells, and per segment column the rows' segments.
pub(crate) struct Prepared {
    cells: Cells,
    segments: Vec<SegmentRows>,
}

struct SegmentRows {
    names: Arc<[String]>,
    /// Per row the place of its segment in `names`.
    places: Vec<u32>,
}

impl Prepared {
    pub(crate) fn of(plan: &Arc<Plan>, batch: &RecordBatch) -> Self {
        let segments = plan.segments.iter().map(|segment| SegmentRows::of(segment, batch)).collect();
        Self { cells: Cells::of(plan, batch), segments }
    }

    /// Adds rows to the profiles of the whole and of the segments.
    pub(crate) fn add(
        &self,
        plan: &Arc<Plan>,
        into: &mut BTreeMap<String, Profile>,
        ids: &[u64],
        rows: Rows<'_>,
    ) {
        let mut add = |name: &str, rows: Rows<'_>| match into.get_mut(name) {
            Some(profile) => profile.add(&self.cells, ids, rows),
            None => {
                let mut profile = Profile::new(plan);
                profile.add(&self.cells, ids, rows);
                into.insert(name.to_owned(), profile);
            }
        };
        add(WHOLE, rows);
        for segment in &self.segments {
            for (name, rows) in segment.names.iter().zip(segment.split(rows)) {
                if !rows.is_empty() {
                    add(name, Rows::These(&rows));
                }
            }
        }
    }

    /// Per row, the segments that it lies in beside the whole.
    pub(crate) fn segments_of(&self, row: usize) -> impl Iterator<Item = &str> {
        self.segments.iter().map(move |segment| segment.names[segment.places[row] as usize].as_str())
    }
}

impl SegmentRows {
    fn of(plan: &SegmentPlan, batch: &RecordBatch) -> Self {
        let count = plan.values.len() as u32;
        let (other, missing) = (count, count + 1);
        let values = plan.values.iter().map(|value| Some(value.as_str()));
        let names = values.chain([Some("(other)"), None]).map(|value| segment_name(&plan.column, value));
        let texts = batch.column_by_name(&plan.column).and_then(|array| cast(array, &DataType::Utf8).ok());
        let place =
            |text: &str| plan.values.binary_search_by(|v| v.as_str().cmp(text)).map_or(other, |i| i as u32);
        let places = match texts {
            Some(texts) => texts.as_string::<i32>().iter().map(|text| text.map_or(missing, place)).collect(),
            None => vec![missing; batch.num_rows()],
        };
        Self { names: names.collect(), places }
    }

    fn split(&self, rows: Rows<'_>) -> Vec<Vec<u32>> {
        let mut split = vec![Vec::new(); self.names.len()];
        match rows {
            Rows::All => (0..).zip(&self.places).for_each(|(row, place)| split[*place as usize].push(row)),
            Rows::These(rows) => {
                rows.iter().for_each(|row| split[self.places[*row as usize] as usize].push(*row));
            }
        }
        split
    }
}

/// Merges the profiles of segments into others of the same plan.
pub(crate) fn merge_segments(into: &mut BTreeMap<String, Profile>, from: &BTreeMap<String, Profile>) {
    for (name, profile) in from {
        match into.get_mut(name) {
            // Both are of the one plan of their windows or reference.
            Some(mine) => drop(mine.merge(profile)),
            None => drop(into.insert(name.clone(), profile.clone())),
        }
    }
}
