//! From the text of an `.avsc` file to the Arrow schema that arrow-avro decodes its records to.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use serde_json::Value;

use super::Error;
use crate::decode::arrow_decoder;

/// The record as JSON, and its Arrow schema without the metadata that arrow-avro attaches to fields.
pub(super) fn parse(avro: &str) -> Result<(Value, SchemaRef), Error> {
    let record: Value = serde_json::from_str(avro).map_err(|e| Error::Schema(format!("not JSON: {e}")))?;
    if record.get("type").and_then(Value::as_str) != Some("record") {
        return Err(Error::Schema("the topmost type must be a record".into()));
    }
    apache_avro::Schema::parse_str(avro).map_err(|e| Error::Schema(e.to_string()))?;
    let decoder = arrow_decoder(&record, &record).map_err(Error::Schema)?;
    let fields: Fields = decoder.schema().fields().iter().map(|f| bare(f)).collect();
    for field in &fields {
        supported(field)?;
    }
    if fields.is_empty() {
        return Err(Error::Schema("the record has no fields".into()));
    }
    Ok((record, Arc::new(Schema::new(fields))))
}

fn bare(field: &Field) -> Field {
    let data_type = match field.data_type() {
        DataType::List(item) => DataType::List(Arc::new(bare(item))),
        DataType::Map(entries, sorted) => DataType::Map(Arc::new(bare(entries)), *sorted),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(|f| bare(f)).collect()),
        other => other.clone(),
    };
    Field::new(field.name(), data_type, field.is_nullable())
}

fn supported(field: &Field) -> Result<(), Error> {
    let fits = match field.data_type() {
        DataType::List(item) => scalar(item.data_type()),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(pair) => pair.iter().all(|f| scalar(f.data_type())),
            _ => false,
        },
        other => scalar(other),
    };
    if fits {
        return Ok(());
    }
    Err(Error::Schema(format!(
        "field `{}` has a type that a topic cannot have (in Arrow: {}). Use string, boolean, int, long, float, double, \
         bytes, date, timestamp-millis or timestamp-micros, an array or a map of one of these, or a union of one with \
         null",
        field.name(),
        field.data_type()
    )))
}

fn scalar(data_type: &DataType) -> bool {
    use DataType::{Binary, Boolean, Date32, Float32, Float64, Int32, Int64, Timestamp, Utf8};
    matches!(
        data_type,
        Utf8 | Boolean
            | Int32
            | Int64
            | Float32
            | Float64
            | Binary
            | Date32
            | Timestamp(TimeUnit::Millisecond | TimeUnit::Microsecond, _)
    )
}
