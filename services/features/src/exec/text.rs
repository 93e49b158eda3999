//! Values as text: record keys, and what the online store shows to a person.

use std::fmt::Write;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};

/// The text of a key column, as records are keyed: NULL stays NULL.
pub(crate) fn key_text(column: &ArrayRef) -> Result<StringArray, ArrowError> {
    Ok(cast(column, &DataType::Utf8)?.as_string::<i32>().clone())
}

/// Appends a value: doubles in the shortest form that reads back equal, timestamps as RFC 3339, NULL as nothing.
pub(crate) struct Texts<'a> {
    column: &'a dyn Array,
    formatter: ArrayFormatter<'a>,
}

const OPTIONS: FormatOptions<'static> = FormatOptions::new().with_display_error(true);

impl<'a> Texts<'a> {
    pub(crate) fn new(column: &'a dyn Array) -> Result<Self, ArrowError> {
        Ok(Self { column, formatter: ArrayFormatter::try_new(column, &OPTIONS)? })
    }

    pub(crate) fn get(&self, row: usize) -> String {
        if self.column.is_null(row) {
            return String::new();
        }
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = match self.column.data_type() {
            DataType::Float64 => write!(text, "{:?}", self.column.as_primitive::<Float64Type>().value(row)),
            DataType::Float32 => write!(text, "{:?}", self.column.as_primitive::<Float32Type>().value(row)),
            _ => write!(text, "{}", self.formatter.value(row)),
        };
        text
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{BooleanArray, Float64Array, Int64Array, TimestampMillisecondArray};

    use super::*;

    #[test]
    fn values_read_as_a_person_would_write_them() {
        let cases: [(ArrayRef, &[&str]); 4] = [
            (
                Arc::new(Float64Array::from(vec![
                    Some(1.5),
                    Some(3.0),
                    Some(0.1 + 0.2),
                    Some(1e21),
                    None,
                    Some(f64::NAN),
                ])),
                &["1.5", "3.0", "0.30000000000000004", "1e21", "", "NaN"],
            ),
            (Arc::new(Int64Array::from(vec![-42])), &["-42"]),
            (Arc::new(BooleanArray::from(vec![true, false])), &["true", "false"]),
            (
                Arc::new(TimestampMillisecondArray::from(vec![1_522_540_831_000]).with_timezone("+00:00")),
                &["2018-04-01T00:00:31Z"],
            ),
        ];
        for (column, expected) in cases {
            let texts = Texts::new(&column).unwrap();
            let found: Vec<String> = (0..column.len()).map(|row| texts.get(row)).collect();
            assert_eq!(found, expected);
        }
    }
}
