//! Rows to JSON objects, one per record.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Float32Type, Float64Type, Int32Type, Int64Type, Schema, TimeUnit,
    TimestampMicrosecondType, TimestampMillisecondType,
};
use arrow::record_batch::RecordBatch;
use arrow_avro::writer::EncodedRows;

use crate::Error;

/// Writes rows of one schema.
pub(super) struct JsonWriter {
    /// Per column, what stands before its value: `,"name":`.
    before: Vec<Vec<u8>>,
}

impl JsonWriter {
    pub(super) fn new(arrow: &Schema) -> Self {
        let before = arrow
            .fields()
            .iter()
            .enumerate()
            .map(|(i, field)| {
                let mut text = vec![if i == 0 { b'{' } else { b',' }];
                write_text(&mut text, field.name());
                text.push(b':');
                text
            })
            .collect();
        Self { before }
    }

    pub(super) fn encode(&self, rows: &RecordBatch) -> Result<EncodedRows, Error> {
        let columns: Vec<Cells<'_>> = rows.columns().iter().map(Cells::of).collect::<Result<_, _>>()?;
        let mut bytes = Vec::with_capacity(rows.num_rows() * 32 * columns.len());
        let mut offsets = Vec::with_capacity(rows.num_rows() + 1);
        offsets.push(0);
        for row in 0..rows.num_rows() {
            for (before, cells) in self.before.iter().zip(&columns) {
                bytes.extend_from_slice(before);
                cells.write(row, &mut bytes);
            }
            bytes.push(b'}');
            offsets.push(bytes.len());
        }
        Ok(EncodedRows::new(bytes.into(), offsets))
    }
}

/// A column, downcast once per batch.
struct Cells<'a> {
    array: &'a dyn Array,
    values: Values<'a>,
}

enum Values<'a> {
    Boolean(&'a arrow::array::BooleanArray),
    Int(&'a [i32]),
    Long(&'a [i64]),
    Float(&'a [f32]),
    Double(&'a [f64]),
    Text(&'a arrow::array::StringArray),
    Bytes(&'a arrow::array::BinaryArray),
    List { offsets: &'a [i32], items: Box<Cells<'a>> },
    Map { offsets: &'a [i32], keys: &'a arrow::array::StringArray, items: Box<Cells<'a>> },
}

impl<'a> Cells<'a> {
    fn of(array: &'a ArrayRef) -> Result<Self, Error> {
        let values = match array.data_type() {
            DataType::Boolean => Values::Boolean(array.as_boolean()),
            DataType::Int32 => Values::Int(array.as_primitive::<Int32Type>().values()),
            DataType::Date32 => Values::Int(array.as_primitive::<Date32Type>().values()),
            DataType::Int64 => Values::Long(array.as_primitive::<Int64Type>().values()),
            DataType::Timestamp(TimeUnit::Millisecond, _) => {
                Values::Long(array.as_primitive::<TimestampMillisecondType>().values())
            }
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                Values::Long(array.as_primitive::<TimestampMicrosecondType>().values())
            }
            DataType::Float32 => Values::Float(array.as_primitive::<Float32Type>().values()),
            DataType::Float64 => Values::Double(array.as_primitive::<Float64Type>().values()),
            DataType::Utf8 => Values::Text(array.as_string()),
            DataType::Binary => Values::Bytes(array.as_binary()),
            DataType::List(_) => {
                let list = array.as_list::<i32>();
                Values::List { offsets: list.value_offsets(), items: Box::new(Self::of(list.values())?) }
            }
            DataType::Map(..) => {
                let map = array.as_map();
                let keys = map
                    .keys()
                    .as_string_opt()
                    .ok_or_else(|| Error::Encode("a map's keys are no text".into()))?;
                Values::Map { offsets: map.value_offsets(), keys, items: Box::new(Self::of(map.values())?) }
            }
            other => return Err(Error::Encode(format!("{other} has no JSON form"))),
        };
        Ok(Self { array, values })
    }

    fn write(&self, row: usize, out: &mut Vec<u8>) {
        if self.array.is_null(row) {
            return out.extend_from_slice(b"null");
        }
        match &self.values {
            Values::Boolean(values) => {
                out.extend_from_slice(if values.value(row) { b"true" } else { b"false" })
            }
            Values::Int(values) => write_number(out, values[row]),
            Values::Long(values) => write_number(out, values[row]),
            Values::Float(values) => match not_finite(values[row].into()) {
                Some(text) => write_text(out, text),
                None => write_number(out, values[row]),
            },
            Values::Double(values) => match not_finite(values[row]) {
                Some(text) => write_text(out, text),
                None => write_number(out, values[row]),
            },
            Values::Text(values) => write_text(out, values.value(row)),
            Values::Bytes(values) => {
                let text: String = values.value(row).iter().map(|&byte| char::from(byte)).collect();
                write_text(out, &text);
            }
            Values::List { offsets, items } => {
                let items = (offsets[row]..offsets[row + 1]).map(|i| (i as usize, &**items));
                write_all(out, b"[]", items, |out, (i, items)| items.write(i, out));
            }
            Values::Map { offsets, keys, items } => {
                let entries = (offsets[row]..offsets[row + 1]).map(|i| i as usize);
                write_all(out, b"{}", entries, |out, i| {
                    write_text(out, keys.value(i));
                    out.push(b':');
                    items.write(i, out);
                });
            }
        }
    }
}

fn write_all<T>(
    out: &mut Vec<u8>,
    around: &[u8; 2],
    of: impl Iterator<Item = T>,
    write: impl Fn(&mut Vec<u8>, T),
) {
    out.push(around[0]);
    for (i, item) in of.enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(around[1]);
}

fn not_finite(value: f64) -> Option<&'static str> {
    match value {
        _ if value.is_nan() => Some("NaN"),
        f64::INFINITY => Some("Infinity"),
        f64::NEG_INFINITY => Some("-Infinity"),
        _ => None,
    }
}

/// Shortest text that reads back as the same number. Writing to memory does not fail.
fn write_number(out: &mut Vec<u8>, number: impl serde::Serialize) {
    let _ = serde_json::to_writer(out, &number);
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    let _ = serde_json::to_writer(out, text);
}
