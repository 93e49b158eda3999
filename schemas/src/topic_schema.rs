//! A topic's schema, in Avro and in Arrow at once.

mod derive;
mod parse;

use arrow::datatypes::{Schema, SchemaRef};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Why a schema cannot be used, or a row not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text is no Avro schema, or not one of a flat record.
    #[error("not a usable Avro schema: {0}")]
    Schema(String),
    /// A row cannot be written with the schema.
    #[error("cannot encode: {0}")]
    Encode(String),
    /// A row is not what the envelope asks for.
    #[error("not a record of this kind: {0}")]
    Envelope(String),
}

/// How the records of a topic are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Avro in the Confluent wire format: 0x00, schema id as 4 bytes big-endian, body.
    #[default]
    Avro,
    /// One JSON object per record, fields as in the Avro schema, timestamps as integers of the schema's unit. Bytes are
    /// a string of the characters U+0000 to U+00FF, as in Avro's own JSON encoding; the floats that JSON lacks are the
    /// strings "NaN", "Infinity" and "-Infinity", as in Protobuf's.
    Json,
}

/// A topic's record schema: the Avro text and the Arrow schema that its rows have in memory.
#[derive(Debug, Clone)]
pub struct TopicSchema {
    avro: String,
    record: Value,
    arrow: SchemaRef,
}

impl TopicSchema {
    /// Reads an Avro record schema (the text of an `.avsc` file). Fields are string, boolean, int, long, float, double,
    /// bytes, date, timestamp-millis, timestamp-micros (local ones too), an array or a map of one of these, or a union
    /// of one with null; anything else is refused with the field's name.
    pub fn parse(avro: &str) -> Result<Self, Error> {
        let (record, arrow) = parse::parse(avro)?;
        Ok(Self { avro: avro.to_owned(), record, arrow })
    }

    /// The Avro schema of rows that have this Arrow schema: a record `name` in `namespace`, whose characters that Avro
    /// does not allow become underscores. Nullable columns have the default null. A column with a name or a type that
    /// Avro cannot express is refused, with what to write in the SQL instead.
    pub fn derive(namespace: &str, name: &str, arrow: &Schema) -> Result<Self, Error> {
        let schema = Self::parse(&derive::avro_text(namespace, name, arrow)?)?;
        derive::same_columns(arrow, &schema.arrow)?;
        Ok(schema)
    }

    /// The Avro schema as JSON text.
    pub fn avro(&self) -> &str {
        &self.avro
    }

    /// The Arrow schema of decoded rows: `timestamp-millis` is `Timestamp(Millisecond, "+00:00")`, strings are
    /// `Utf8`, a union with null is a nullable column.
    pub fn arrow(&self) -> &SchemaRef {
        &self.arrow
    }

    /// The Avro schema as JSON.
    pub(crate) fn record(&self) -> &Value {
        &self.record
    }

    /// The default of a field as JSON, where the schema has one.
    pub(crate) fn default_of(&self, field: &str) -> Option<&Value> {
        let fields = self.record.get("fields")?.as_array()?;
        fields.iter().find(|f| f.get("name").and_then(Value::as_str) == Some(field))?.get("default")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::datatypes::{DataType, Field, TimeUnit};

    use super::*;

    const ALL: &str = include_str!("topic_schema/every_type.avsc");

    #[test]
    fn every_supported_type_has_its_arrow_type() {
        let schema = TopicSchema::parse(ALL).unwrap();
        let millis = DataType::Timestamp(TimeUnit::Millisecond, Some("+00:00".into()));
        let types: Vec<_> = schema
            .arrow()
            .fields()
            .iter()
            .map(|f| (f.name().as_str(), f.data_type().clone(), f.is_nullable()))
            .collect();
        let list = |nullable| DataType::List(Arc::new(Field::new("item", DataType::Utf8, nullable)));
        let entries = Field::new(
            "entries",
            DataType::Struct(
                vec![Field::new("key", DataType::Utf8, false), Field::new("value", DataType::Utf8, true)]
                    .into(),
            ),
            false,
        );
        assert_eq!(
            types,
            vec![
                ("text", DataType::Utf8, false),
                ("flag", DataType::Boolean, false),
                ("small", DataType::Int32, false),
                ("big", DataType::Int64, false),
                ("single", DataType::Float32, false),
                ("double", DataType::Float64, false),
                ("raw", DataType::Binary, false),
                ("day", DataType::Date32, false),
                ("millis", millis.clone(), false),
                ("micros", DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into())), false),
                ("local", DataType::Timestamp(TimeUnit::Millisecond, None), false),
                ("tags", list(false), false),
                ("holes", list(true), false),
                ("context", DataType::Map(Arc::new(entries), false), false),
                ("maybe_first", DataType::Utf8, true),
                ("maybe_last", DataType::Float64, true),
                ("maybe_millis", millis, true),
                ("maybe_tags", list(false), true),
            ]
        );
        assert!(schema.arrow().fields().iter().all(|f| f.metadata().is_empty()));
        assert_eq!(schema.avro(), ALL);
    }

    #[test]
    fn what_a_flat_record_cannot_hold_is_refused_by_field() {
        for (field, what) in [
            (r#"{"type":"record","name":"P","fields":[{"name":"x","type":"int"}]}"#, "nested"),
            (r#"{"type":"enum","name":"E","symbols":["A"]}"#, "enum"),
            (r#"["null","int","string"]"#, "union"),
            (r#"{"type":"array","items":{"type":"array","items":"int"}}"#, "list of lists"),
            (r#"{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}"#, "decimal"),
        ] {
            let text =
                format!(r#"{{"type":"record","name":"R","fields":[{{"name":"bad","type":{field}}}]}}"#);
            let error = TopicSchema::parse(&text).expect_err(what).to_string();
            assert!(error.contains("`bad`"), "{what}: {error}");
        }
        for text in ["", "{}", "\"string\"", r#"[{"type":"record","name":"R","fields":[]}]"#, "{\"type\":"] {
            assert!(TopicSchema::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_derived_schema_reads_as_the_columns_it_came_from() {
        let given = TopicSchema::parse(ALL).unwrap();
        let derived = TopicSchema::derive("click-stream", "2nd-features", given.arrow()).unwrap();
        assert_eq!(derived.arrow(), given.arrow());
        let again = TopicSchema::parse(derived.avro()).unwrap();
        assert_eq!(again.arrow(), given.arrow());
        assert_eq!(derived.record()["name"], "_2nd_features");
        assert_eq!(derived.record()["namespace"], "click_stream");
        assert_eq!(derived.default_of("maybe_last"), Some(&Value::Null));
        assert_eq!(derived.default_of("text"), None);
    }

    #[test]
    fn a_column_that_avro_cannot_hold_says_what_to_write() {
        let bad = Schema::new(vec![Field::new("n", DataType::UInt64, true)]);
        let error = TopicSchema::derive("a", "b", &bad).unwrap_err().to_string();
        assert!(error.contains("`n`") && error.contains("CAST"), "{error}");
        let bad = Schema::new(vec![Field::new("avg(t.x)", DataType::Int64, true)]);
        let error = TopicSchema::derive("a", "b", &bad).unwrap_err().to_string();
        assert!(error.contains("avg(t.x)") && error.contains("AS"), "{error}");
    }
}
