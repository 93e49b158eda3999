//! Columns of a file's batches: times, numbers, texts.

use std::path::Path;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit};
use arrow::record_batch::RecordBatch;

use super::Error;

/// Per row its time in ms since 1970 UTC: of timestamps and dates, of text in RFC 3339, of integers as they are. A row
/// without one is an error that names it; `first_row` is the place of the batch's first row in the file, from 0.
pub fn times_ms(file: &Path, batch: &RecordBatch, column: &str, first_row: u64) -> Result<Vec<i64>, Error> {
    let times = times_or_null_ms(file, batch, column)?;
    let time = |(row, time): (u64, Option<i64>)| {
        let message = || format!("column `{column}`, row {}: no time", first_row + row + 1);
        time.ok_or_else(|| Error::new(file, message()))
    };
    (0..).zip(times).map(time).collect()
}

/// As [`times_ms`], `None` where there is no time.
pub fn times_or_null_ms(file: &Path, batch: &RecordBatch, column: &str) -> Result<Vec<Option<i64>>, Error> {
    let array = array(file, batch, column)?;
    let kind = array.data_type();
    let wrong = |why: &str| {
        let message = format!("column `{column}` ({kind}) cannot be read as times: {why}");
        Error::new(file, message)
    };
    if !(kind.is_temporal() || kind.is_integer() || kind.is_string()) {
        return Err(wrong("timestamps, dates, RFC 3339 texts or integers in ms can"));
    }
    let ms = DataType::Timestamp(TimeUnit::Millisecond, None);
    let times = cast(array, if kind.is_integer() { &DataType::Int64 } else { &ms });
    let times =
        times.and_then(|times| cast(&times, &DataType::Int64)).map_err(|error| wrong(&error.to_string()))?;
    if kind.is_string() && times.null_count() > array.null_count() {
        return Err(wrong("a text is no time; write it like 2026-01-31T12:00:00Z"));
    }
    Ok(times.as_primitive::<Int64Type>().iter().collect())
}

/// Per row its number; booleans are 0 and 1, NaN where there is none.
///
/// # Errors
/// There is no such column, or it is not numeric.
pub fn numbers(file: &Path, batch: &RecordBatch, column: &str) -> Result<Vec<f64>, Error> {
    let array = array(file, batch, column)?;
    let kind = array.data_type();
    let fits = kind.is_numeric() || *kind == DataType::Boolean;
    let numbers = if fits { cast(array, &DataType::Float64).ok() } else { None };
    let numbers =
        numbers.ok_or_else(|| Error::new(file, format!("column `{column}` ({kind}) is not numeric")))?;
    Ok(numbers.as_primitive::<Float64Type>().iter().map(|v| v.unwrap_or(f64::NAN)).collect())
}

/// Per row its text; of numbers and booleans as they are written, `None` where there is none.
///
/// # Errors
/// There is no such column, or its values have no text.
pub fn texts(file: &Path, batch: &RecordBatch, column: &str) -> Result<Vec<Option<String>>, Error> {
    let array = array(file, batch, column)?;
    let kind = array.data_type();
    let texts = cast(array, &DataType::Utf8)
        .map_err(|_| Error::new(file, format!("column `{column}` ({kind}) has no texts")))?;
    Ok(texts.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect())
}

fn array<'a>(file: &Path, batch: &'a RecordBatch, column: &str) -> Result<&'a ArrayRef, Error> {
    batch.column_by_name(column).ok_or_else(|| Error::new(file, format!("has no column `{column}`")))
}
