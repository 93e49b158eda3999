//! Arrow rows to records.

mod json;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field};
use arrow::record_batch::RecordBatch;
use arrow_avro::schema::{FingerprintStrategy, SCHEMA_METADATA_KEY};
use arrow_avro::writer::format::AvroSoeFormat;
use arrow_avro::writer::{EncodedRows, WriterBuilder};

use crate::{Error, Format, TopicSchema};
use json::JsonWriter;

/// The records of a batch, one after the other in one buffer.
#[derive(Debug)]
pub struct Encoded {
    rows: EncodedRows,
}

impl Encoded {
    /// The record of row `i`, or `None` past the last.
    pub fn get(&self, i: usize) -> Option<&[u8]> {
        let offsets = self.rows.offsets();
        self.rows.bytes().get(*offsets.get(i)?..*offsets.get(i + 1)?)
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// Encodes rows of one topic.
pub struct Encoder {
    schema: Arc<TopicSchema>,
    form: Form,
}

enum Form {
    Avro(arrow_avro::writer::Encoder),
    Json(JsonWriter),
}

impl Encoder {
    /// An encoder of rows with `schema` as `format`; `id` is the schema's id in the registry (unused for JSON).
    pub fn new(format: Format, schema: Arc<TopicSchema>, id: u32) -> Result<Self, Error> {
        let form = match format {
            Format::Avro => Form::Avro(avro_encoder(&schema, id)?),
            Format::Json => Form::Json(JsonWriter::new(schema.arrow())),
        };
        Ok(Self { schema, form })
    }

    /// Encodes each row. The batch's columns are the schema's, in its order, by the same names and types; a null where
    /// the schema has none is an error.
    pub fn encode(&mut self, rows: &RecordBatch) -> Result<Encoded, Error> {
        let rows = self.conform(rows)?;
        let rows = match &mut self.form {
            Form::Avro(encoder) => {
                encoder.encode(&rows).map_err(|e| Error::Encode(e.to_string()))?;
                encoder.flush()
            }
            Form::Json(writer) => writer.encode(&rows)?,
        };
        Ok(Encoded { rows })
    }

    /// The rows under exactly the topic's Arrow schema: metadata, nullability and the names inside of lists and maps
    /// may be the batch's own.
    fn conform(&self, rows: &RecordBatch) -> Result<RecordBatch, Error> {
        let arrow = self.schema.arrow();
        let given = rows.schema();
        let name = |i: usize| given.fields().get(i).map_or("missing", |field| field.name().as_str());
        let mut columns = Vec::with_capacity(arrow.fields().len());
        for (i, field) in arrow.fields().iter().enumerate() {
            if name(i) != field.name() || i >= rows.num_columns() {
                return Err(Error::Encode(format!("column {i} is `{}`, not `{}`", name(i), field.name())));
            }
            columns.push(conform(rows.column(i), field)?);
        }
        if given.fields().len() > columns.len() {
            return Err(Error::Encode(format!("column `{}` is not in the schema", name(columns.len()))));
        }
        RecordBatch::try_new(Arc::clone(arrow), columns).map_err(|e| Error::Encode(e.to_string()))
    }
}

fn conform(column: &ArrayRef, field: &Field) -> Result<ArrayRef, Error> {
    let (given, asked) = (column.data_type(), field.data_type());
    if given == asked {
        return Ok(Arc::clone(column));
    }
    let same_items = match (given, asked) {
        (DataType::List(a), DataType::List(b)) => a.data_type() == b.data_type(),
        (DataType::Map(a, _), DataType::Map(b, _)) => match (a.data_type(), b.data_type()) {
            (DataType::Struct(a), DataType::Struct(b)) => {
                a.iter().map(|f| f.data_type()).eq(b.iter().map(|f| f.data_type()))
            }
            _ => false,
        },
        _ => false,
    };
    if !same_items {
        return Err(Error::Encode(format!("column `{}` is {given}, not {asked}", field.name())));
    }
    cast(column, asked).map_err(|e| Error::Encode(format!("column `{}`: {e}", field.name())))
}

fn avro_encoder(schema: &TopicSchema, id: u32) -> Result<arrow_avro::writer::Encoder, Error> {
    let mut arrow = schema.arrow().as_ref().clone();
    arrow.metadata.insert(SCHEMA_METADATA_KEY.to_owned(), schema.record().to_string());
    WriterBuilder::new(arrow)
        .with_fingerprint_strategy(FingerprintStrategy::Id(id))
        .build_encoder::<AvroSoeFormat>()
        .map_err(|e| Error::Schema(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Float64Array, Int64Array, ListBuilder, MapBuilder, StringBuilder};
    use arrow::datatypes::Schema;

    fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
        let fields: Vec<_> =
            columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
        let arrays = columns.into_iter().map(|(_, array)| array).collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap()
    }

    #[test]
    fn columns_must_be_the_schemas_and_nulls_where_it_has_them() {
        let arrow = Schema::new(vec![Field::new("n", DataType::Int64, false)]);
        let schema = Arc::new(TopicSchema::derive("a", "b", &arrow).unwrap());
        let good: ArrayRef = Arc::new(Int64Array::from(vec![1, -1]));
        let holes: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None]));
        let double: ArrayRef = Arc::new(Float64Array::from(vec![1.0]));
        for format in [Format::Avro, Format::Json] {
            let mut encoder = Encoder::new(format, Arc::clone(&schema), 3).unwrap();
            for (rows, what) in [
                (batch(vec![("m", good.clone())]), "`m`, not `n`"),
                (batch(vec![("n", double.clone())]), "Float64, not Int64"),
                (batch(vec![("n", holes.clone())]), "null"),
                (batch(vec![("n", good.clone()), ("extra", good.clone())]), "`extra`"),
            ] {
                let error = encoder.encode(&rows).unwrap_err().to_string();
                assert!(error.contains(what), "{error}");
            }
            // An error leaves nothing behind.
            let encoded = encoder.encode(&batch(vec![("n", good.clone())])).unwrap();
            assert_eq!(encoded.len(), 2);
            let expected: &[u8] = if format == Format::Avro { &[0, 0, 0, 0, 3, 1] } else { b"{\"n\":-1}" };
            assert_eq!(encoded.get(1), Some(expected));
            assert!(encoder.encode(&batch(vec![("n", good.slice(0, 0))])).unwrap().is_empty());
        }
    }

    #[test]
    fn lists_and_maps_from_arrows_builders_are_taken() {
        let schema = r#"{"type":"record","name":"R","fields":[
            {"name":"reasons","type":{"type":"array","items":"string"}},
            {"name":"context","type":{"type":"map","values":["null","string"]}}]}"#;
        let schema = Arc::new(TopicSchema::parse(schema).unwrap());
        let rows = |reason: Option<&str>| {
            let mut reasons = ListBuilder::new(StringBuilder::new());
            reasons.values().append_option(reason);
            reasons.append(true);
            let mut context = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
            context.keys().append_value("country");
            context.values().append_null();
            context.append(true).unwrap();
            batch(vec![("reasons", Arc::new(reasons.finish())), ("context", Arc::new(context.finish()))])
        };
        let mut encoder = Encoder::new(Format::Json, schema, 0).unwrap();
        let encoded = encoder.encode(&rows(Some("r"))).unwrap();
        let text = br#"{"reasons":["r"],"context":{"country":null}}"#;
        assert_eq!(encoded.get(0), Some(&text[..]));
        assert!(encoder.encode(&rows(None)).is_err());
    }
}
