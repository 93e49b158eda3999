//! Columns of decoded rows as text.

use arrow::array::{Array, ArrayRef, AsArray, MapArray, StringArray, StringBuilder};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use arrow::record_batch::RecordBatch;

use super::Error;

/// A column as text: numbers in their shortest form, `true` and `false`.
pub fn text(rows: &RecordBatch, name: &str) -> Result<StringArray, Error> {
    let column = column(rows, name)?;
    let text = match column.data_type() {
        DataType::Utf8 => column.clone(),
        _ => cast(column, &DataType::Utf8).map_err(Error::internal)?,
    };
    text.as_string_opt::<i32>().cloned().ok_or_else(|| Error::internal(format!("column `{name}` is no text")))
}

/// A column of whole numbers.
pub fn numbers(rows: &RecordBatch, name: &str) -> Result<Vec<i64>, Error> {
    let numbers = cast(column(rows, name)?, &DataType::Int64).map_err(Error::internal)?;
    let numbers = numbers.as_primitive::<Int64Type>();
    Ok((0..numbers.len()).map(|row| numbers.value(row)).collect())
}

/// The value of one key of the column `context`, per row.
pub fn context(rows: &RecordBatch, key: &str) -> Result<StringArray, Error> {
    let maps = column(rows, "context")?.as_map_opt();
    let maps: &MapArray = maps.ok_or_else(|| Error::internal("column `context` is no map"))?;
    let (keys, values) = (maps.keys().as_string_opt::<i32>(), maps.values().as_string_opt::<i32>());
    let (Some(keys), Some(values)) = (keys, values) else {
        return Err(Error::internal("column `context` does not map text to text"));
    };
    let mut found = StringBuilder::new();
    for row in 0..maps.len() {
        let range = maps.value_offsets()[row]..maps.value_offsets()[row + 1];
        let at = range.filter_map(|at| usize::try_from(at).ok()).find(|at| keys.value(*at) == key);
        found.append_option(at.filter(|at| values.is_valid(*at)).map(|at| values.value(at)));
    }
    Ok(found.finish())
}

/// Per row whether a column of lists of texts holds this one; nowhere without the column.
pub fn holds(rows: &RecordBatch, name: &str, text: &str) -> Vec<bool> {
    let lists = rows.column_by_name(name).and_then(|column| column.as_list_opt::<i32>());
    let Some(lists) = lists else { return vec![false; rows.num_rows()] };
    let holds = |row: usize| {
        let values = lists.value(row);
        values.as_string_opt::<i32>().is_some_and(|values| values.iter().flatten().any(|value| value == text))
    };
    (0..rows.num_rows()).map(holds).collect()
}

/// The text of a row, where it is not NULL.
pub fn value(column: &StringArray, row: usize) -> Option<String> {
    column.is_valid(row).then(|| column.value(row).to_owned())
}

fn column<'a>(rows: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, Error> {
    rows.column_by_name(name).ok_or_else(|| Error::internal(format!("column `{name}` is missing")))
}
