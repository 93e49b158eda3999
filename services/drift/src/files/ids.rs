//! Ids of rows, as hashes.

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::record_batch::RecordBatch;

use crate::hash;

/// Per row the hash of its id's text; of a missing one (or a missing column) 0.
pub fn ids(batch: &RecordBatch, column: &str) -> Vec<u64> {
    let texts = batch.column_by_name(column).and_then(|array| cast(array, &DataType::Utf8).ok());
    match texts {
        Some(texts) => texts.as_string::<i32>().iter().map(|text| text.map_or(0, hash::of_text)).collect(),
        None => vec![0; batch.num_rows()],
    }
}
