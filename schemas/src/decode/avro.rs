//! Records of one writer's schema, decoded by arrow-avro as one batch.
//!
//! arrow-avro cannot take a failed row back, and a truncated body may shift columns without an error. So bodies are
//! first held against the writer's schema ([`Shape`]), and what passes is decoded as one batch of which every call must
//! consume exactly its record and add exactly one row. If one does not, the decoder is dropped and the batch is decoded
//! again record by record, so that only bad ones are rejected.

use arrow::record_batch::RecordBatch;
use arrow_avro::reader::ReaderBuilder;
use arrow_avro::schema::{AvroSchema, Fingerprint, FingerprintAlgorithm, SchemaStore};
use serde_json::Value;

use super::shape::Shape;
use super::{Reason, Rejected};
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;

/// Magic byte and schema id.
const PREFIX: usize = 5;
/// The id under which a decoder knows its one writer's schema; the wire's id is replaced by it.
const ONLY: u32 = 0;
const MAX_ROWS: usize = i32::MAX as usize;

/// Good rows, with the index of each row's payload.
pub(super) struct Rows {
    pub(super) batch: RecordBatch,
    pub(super) index: Vec<usize>,
}

/// Decodes the records of one writer's schema into rows of the topic's.
pub(super) struct AvroRows {
    shape: Shape,
    writer: Value,
    reader: Value,
    arrow: SchemaRef,
    /// Clean: without rows, or absent after a failure.
    decoder: Option<arrow_avro::reader::Decoder>,
    record: Vec<u8>,
}

impl AvroRows {
    /// Fails with what a person can read if no record of `writer` can be read as `reader`.
    pub(super) fn new(writer: Value, reader: Value, arrow: SchemaRef) -> Result<Self, String> {
        let shape = Shape::of(&writer)?;
        let decoder = Some(arrow_decoder(&writer, &reader)?);
        Ok(Self { shape, writer, reader, arrow, decoder, record: Vec::new() })
    }

    /// Decodes the payloads that `records` names; they have the wire format's prefix.
    pub(super) fn decode(
        &mut self,
        payloads: &[Option<&[u8]>],
        records: &[usize],
        rejected: &mut Vec<Rejected>,
    ) -> Rows {
        let mut index = Vec::with_capacity(records.len());
        for &record in records {
            match self.shape.check(body(payloads, record)) {
                Ok(()) => index.push(record),
                Err(detail) => rejected.push(Rejected { index: record, reason: Reason::Malformed, detail }),
            }
        }
        match self.together(payloads, &index) {
            Ok(batch) => Rows { batch, index },
            Err(_) => self.one_by_one(payloads, &index, rejected),
        }
    }

    fn together(&mut self, payloads: &[Option<&[u8]>], records: &[usize]) -> Result<RecordBatch, String> {
        if records.is_empty() {
            return Ok(RecordBatch::new_empty(self.arrow.clone()));
        }
        // Taken out: an error on the way drops it.
        let mut decoder = match self.decoder.take() {
            Some(decoder) => decoder,
            None => arrow_decoder(&self.writer, &self.reader)?,
        };
        for &record in records {
            self.record.clear();
            self.record.push(0);
            self.record.extend_from_slice(&ONLY.to_be_bytes());
            self.record.extend_from_slice(body(payloads, record));
            let room = decoder.capacity();
            let consumed = decoder.decode(&self.record).map_err(|e| e.to_string())?;
            if consumed != self.record.len() || decoder.capacity() + 1 != room {
                return Err(format!("{consumed} of {} bytes make a record", self.record.len()));
            }
        }
        let batch = decoder.flush().map_err(|e| e.to_string())?.ok_or("no rows")?;
        if batch.num_rows() != records.len() {
            return Err(format!("{} rows of {} records", batch.num_rows(), records.len()));
        }
        let batch =
            RecordBatch::try_new(self.arrow.clone(), batch.columns().to_vec()).map_err(|e| e.to_string())?;
        self.decoder = Some(decoder);
        Ok(batch)
    }

    fn one_by_one(
        &mut self,
        payloads: &[Option<&[u8]>],
        records: &[usize],
        rejected: &mut Vec<Rejected>,
    ) -> Rows {
        let mut index = Vec::with_capacity(records.len());
        let mut rows = Vec::with_capacity(records.len());
        for &record in records {
            // A failure leaves no decoder behind, so the next record starts with a fresh one; after a record that was
            // decoded exactly and flushed there is nothing in it.
            match self.together(payloads, &[record]) {
                Ok(row) => {
                    rows.push(row);
                    index.push(record);
                }
                Err(detail) => {
                    rejected.push(Rejected { index: record, reason: Reason::IncompatibleSchema, detail });
                }
            }
        }
        match concat_batches(&self.arrow, &rows) {
            Ok(batch) => Rows { batch, index },
            Err(e) => {
                // Only a column beyond 2 GiB: no row may vanish without a word.
                let detail = format!("the batch is too large: {e}");
                let reason = Reason::Malformed;
                rejected.extend(index.iter().map(|&index| Rejected {
                    index,
                    reason,
                    detail: detail.clone(),
                }));
                Rows { batch: RecordBatch::new_empty(self.arrow.clone()), index: Vec::new() }
            }
        }
    }
}

fn body<'a>(payloads: &[Option<&'a [u8]>], record: usize) -> &'a [u8] {
    payloads.get(record).copied().flatten().and_then(|bytes| bytes.get(PREFIX..)).unwrap_or_default()
}

/// arrow-avro's decoder of `writer` records into `reader` rows, for frames of schema id 0.
pub(crate) fn arrow_decoder(writer: &Value, reader: &Value) -> Result<arrow_avro::reader::Decoder, String> {
    let mut store = SchemaStore::new_with_type(FingerprintAlgorithm::Id);
    store.set(Fingerprint::Id(ONLY), AvroSchema::new(writer.to_string())).map_err(|e| e.to_string())?;
    ReaderBuilder::new()
        .with_writer_schema_store(store)
        .with_reader_schema(AvroSchema::new(reader.to_string()))
        .with_batch_size(MAX_ROWS)
        .build_decoder()
        .map_err(|e| e.to_string())
}
