//! Arrow rows to records.

mod json;

use std::sync::Arc;

use arrow::array::Array;
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

    /// The rows under exactly the topic's Arrow schema: metadata and nullability of the batch's own do not matter.
    fn conform(&self, rows: &RecordBatch) -> Result<RecordBatch, Error> {
        let arrow = self.schema.arrow();
        let given = rows.schema();
        let names = |i: usize| given.fields().get(i).map(|f| f.name().as_str());
        for (i, field) in arrow.fields().iter().enumerate() {
            if names(i) != Some(field.name()) {
                return Err(Error::Encode(format!(
                    "column {i} is `{}`, not `{}`",
                    names(i).unwrap_or("missing"),
                    field.name()
                )));
            }
            let column = rows.column(i);
            if !column.data_type().equals_datatype(field.data_type()) {
                return Err(Error::Encode(format!(
                    "column `{}` is {}, not {}",
                    field.name(),
                    column.data_type(),
                    field.data_type()
                )));
            }
        }
        if given.fields().len() > arrow.fields().len() {
            return Err(Error::Encode(format!(
                "column `{}` is not in the schema",
                names(arrow.fields().len()).unwrap_or("")
            )));
        }
        RecordBatch::try_new(Arc::clone(arrow), rows.columns().to_vec())
            .map_err(|e| Error::Encode(e.to_string()))
    }
}

fn avro_encoder(schema: &TopicSchema, id: u32) -> Result<arrow_avro::writer::Encoder, Error> {
    let mut arrow = schema.arrow().as_ref().clone();
    arrow.metadata.insert(SCHEMA_METADATA_KEY.to_owned(), schema.record().to_string());
    WriterBuilder::new(arrow)
        .with_fingerprint_strategy(FingerprintStrategy::Id(id))
        .build_encoder::<AvroSoeFormat>()
        .map_err(|e| Error::Schema(e.to_string()))
}
