//! From Arrow columns to the text of an Avro schema.

use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use serde_json::{Value, json};

use super::Error;

/// The Avro text of a record with these columns.
pub(super) fn avro_text(namespace: &str, name: &str, arrow: &Schema) -> Result<String, Error> {
    let mut fields = Vec::with_capacity(arrow.fields().len());
    for column in arrow.fields() {
        if legal(column.name()) != *column.name() {
            return Err(Error::Schema(format!(
                "`{}` is no name that an Avro field can have: name the column with AS",
                column.name()
            )));
        }
        fields.push(field(column)?);
    }
    let namespace: Vec<String> = namespace.split('.').map(legal).collect();
    let record = json!({
        "type": "record",
        "name": legal(name),
        "namespace": namespace.join("."),
        "fields": fields,
    });
    Ok(record.to_string())
}

/// Rows with the given columns must be rows of the derived schema as they are.
pub(super) fn same_columns(given: &Schema, derived: &Schema) -> Result<(), Error> {
    for (a, b) in given.fields().iter().zip(derived.fields()) {
        if !a.data_type().equals_datatype(b.data_type()) {
            return Err(unsupported(
                a.name(),
                a.data_type(),
                &format!("a type that arrives as {}", b.data_type()),
            ));
        }
    }
    Ok(())
}

fn field(column: &Field) -> Result<Value, Error> {
    let avro = of_type(column.name(), column.data_type())?;
    Ok(if column.is_nullable() {
        json!({"name": column.name(), "type": ["null", avro], "default": null})
    } else {
        json!({"name": column.name(), "type": avro})
    })
}

fn of_type(column: &str, data_type: &DataType) -> Result<Value, Error> {
    let nested = |item: &Field| -> Result<Value, Error> {
        let avro = of_type(column, item.data_type())?;
        Ok(if item.is_nullable() { json!(["null", avro]) } else { avro })
    };
    let hint = match data_type {
        DataType::Utf8 => return Ok(json!("string")),
        DataType::Boolean => return Ok(json!("boolean")),
        DataType::Int32 => return Ok(json!("int")),
        DataType::Int64 => return Ok(json!("long")),
        DataType::Float32 => return Ok(json!("float")),
        DataType::Float64 => return Ok(json!("double")),
        DataType::Binary => return Ok(json!("bytes")),
        DataType::Date32 => return Ok(json!({"type": "int", "logicalType": "date"})),
        DataType::Timestamp(unit @ (TimeUnit::Millisecond | TimeUnit::Microsecond), zone) => {
            return Ok(json!({"type": "long", "logicalType": timestamp(*unit, zone.is_some())}));
        }
        DataType::List(item) => return Ok(json!({"type": "array", "items": nested(item)?})),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(pair) if pair.len() == 2 => {
                return Ok(json!({"type": "map", "values": nested(&pair[1])?}));
            }
            _ => "a map from text",
        },
        DataType::Utf8View | DataType::LargeUtf8 | DataType::Dictionary(..) => "VARCHAR",
        DataType::Timestamp(..) | DataType::Date64 => "TIMESTAMP(3)",
        DataType::Decimal128(..) | DataType::Decimal256(..) | DataType::Float16 => "DOUBLE",
        DataType::Null => "the type it is to have",
        _ => "BIGINT, DOUBLE or VARCHAR",
    };
    Err(unsupported(column, data_type, hint))
}

fn timestamp(unit: TimeUnit, zoned: bool) -> &'static str {
    match (unit, zoned) {
        (TimeUnit::Microsecond, true) => "timestamp-micros",
        (TimeUnit::Microsecond, false) => "local-timestamp-micros",
        (_, true) => "timestamp-millis",
        (_, false) => "local-timestamp-millis",
    }
}

fn unsupported(column: &str, data_type: &DataType, hint: &str) -> Error {
    Error::Schema(format!(
        "column `{column}` is {data_type}, which a topic cannot have: CAST({column} AS ...) to {hint}"
    ))
}

fn legal(name: &str) -> String {
    let mut out: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if !out.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        out.insert(0, '_');
    }
    out
}
