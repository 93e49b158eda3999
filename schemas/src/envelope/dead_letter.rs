//! Records that could not be processed.

use std::sync::Arc;

use arrow::array::{
    Array, BinaryArray, Int32Array, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray,
};
use sha2::{Digest, Sha256};

use super::column;
use crate::{Error, TopicSchema};

/// A record that a service could not process, and why: one row of a dead-letter topic.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeadLetter {
    /// The Kafka topic that the record lies in.
    pub topic: String,
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// Kafka's own timestamp of the record, in ms.
    pub timestamp_ms: Option<i64>,
    /// When the record was rejected, in ms.
    pub time_ms: i64,
    /// The service that rejected it.
    pub service: String,
    /// The stage of the service.
    pub stage: String,
    /// The class of the fault, in snake case.
    pub reason: String,
    /// What exactly is wrong.
    pub detail: String,
    /// The record's key, at most [`DeadLetter::MAX_BYTES`] of it.
    pub key: Option<Vec<u8>>,
    /// The record's value, at most [`DeadLetter::MAX_BYTES`] of it.
    pub value: Option<Vec<u8>>,
    /// The length of the whole value, in bytes.
    pub value_length: i64,
    /// SHA-256 of the whole value, in hex.
    pub value_sha256: Option<String>,
    /// The event at the root of the chain: `topic/partition/offset`.
    pub origin: String,
    /// The record's W3C trace context.
    pub traceparent: Option<String>,
}

impl DeadLetter {
    /// The Avro schema of every dead-letter topic, `schemas/dead-letters.avsc`.
    pub const AVRO: &str = include_str!("../../dead-letters.avsc");
    /// How much of a key and of a value is kept.
    pub const MAX_BYTES: usize = 256 * 1024;

    /// Takes the record's raw bytes: cut to [`DeadLetter::MAX_BYTES`], with the value's whole length and hash.
    pub fn set_record(&mut self, key: Option<&[u8]>, value: Option<&[u8]>) {
        let cut = |bytes: &[u8]| bytes[..bytes.len().min(Self::MAX_BYTES)].to_vec();
        self.key = key.map(cut);
        self.value = value.map(cut);
        self.value_length = value.map_or(0, |bytes| bytes.len() as i64);
        self.value_sha256 =
            value.map(|bytes| Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect());
    }

    /// One row per letter, with the schema of [`DeadLetter::AVRO`].
    pub fn to_batch(letters: &[Self]) -> Result<RecordBatch, Error> {
        let schema = TopicSchema::parse(Self::AVRO)?;
        let text = |of: fn(&Self) -> &str| Arc::new(StringArray::from_iter_values(letters.iter().map(of)));
        let maybe = |of: fn(&Self) -> Option<&str>| Arc::new(letters.iter().map(of).collect::<StringArray>());
        let bytes =
            |of: fn(&Self) -> Option<&[u8]>| Arc::new(letters.iter().map(of).collect::<BinaryArray>());
        let long = |of: fn(&Self) -> i64| letters.iter().map(of);
        let kafka_time: TimestampMillisecondArray = letters.iter().map(|l| l.timestamp_ms).collect();
        let columns: Vec<Arc<dyn Array>> = vec![
            text(|l| &l.topic),
            Arc::new(Int32Array::from_iter_values(letters.iter().map(|l| l.partition))),
            Arc::new(Int64Array::from_iter_values(long(|l| l.offset))),
            Arc::new(kafka_time.with_timezone("+00:00")),
            Arc::new(
                TimestampMillisecondArray::from_iter_values(long(|l| l.time_ms)).with_timezone("+00:00"),
            ),
            text(|l| &l.service),
            text(|l| &l.stage),
            text(|l| &l.reason),
            text(|l| &l.detail),
            bytes(|l| l.key.as_deref()),
            bytes(|l| l.value.as_deref()),
            Arc::new(Int64Array::from_iter_values(long(|l| l.value_length))),
            maybe(|l| l.value_sha256.as_deref()),
            text(|l| &l.origin),
            maybe(|l| l.traceparent.as_deref()),
        ];
        RecordBatch::try_new(Arc::clone(schema.arrow()), columns).map_err(|e| Error::Envelope(e.to_string()))
    }

    /// The letters of decoded rows.
    pub fn from_batch(rows: &RecordBatch) -> Result<Vec<Self>, Error> {
        let text = |name| column::<StringArray>(rows, name);
        let bytes = |name| column::<BinaryArray>(rows, name);
        let (topic, service, stage) = (text("topic")?, text("service")?, text("stage")?);
        let (reason, detail, origin) = (text("reason")?, text("detail")?, text("origin")?);
        let (hash, traceparent) = (text("value_sha256")?, text("traceparent")?);
        let (key, value) = (bytes("key")?, bytes("value")?);
        let partition = column::<Int32Array>(rows, "partition")?;
        let offset = column::<Int64Array>(rows, "offset")?;
        let length = column::<Int64Array>(rows, "value_length")?;
        let timestamp = column::<TimestampMillisecondArray>(rows, "timestamp")?;
        let time = column::<TimestampMillisecondArray>(rows, "time")?;
        let letter = |i| Self {
            topic: topic.value(i).to_owned(),
            partition: partition.value(i),
            offset: offset.value(i),
            timestamp_ms: timestamp.is_valid(i).then(|| timestamp.value(i)),
            time_ms: time.value(i),
            service: service.value(i).to_owned(),
            stage: stage.value(i).to_owned(),
            reason: reason.value(i).to_owned(),
            detail: detail.value(i).to_owned(),
            key: key.is_valid(i).then(|| key.value(i).to_vec()),
            value: value.is_valid(i).then(|| value.value(i).to_vec()),
            value_length: length.value(i),
            value_sha256: hash.is_valid(i).then(|| hash.value(i).to_owned()),
            origin: origin.value(i).to_owned(),
            traceparent: traceparent.is_valid(i).then(|| traceparent.value(i).to_owned()),
        };
        Ok((0..rows.num_rows()).map(letter).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Decoder, Encoder, Format, InProcessRegistry, SchemaRegistry};

    #[test]
    fn letters_survive_the_wire_in_both_formats() {
        let mut full = DeadLetter {
            topic: "fraud.transactions".into(),
            partition: 3,
            offset: 1 << 40,
            timestamp_ms: Some(5),
            time_ms: 6,
            service: "features".into(),
            stage: "features/customer_id".into(),
            reason: "malformed".into(),
            detail: "é".into(),
            origin: "fraud.transactions/3/7".into(),
            traceparent: Some("00-a-b-01".into()),
            ..DeadLetter::default()
        };
        full.set_record(Some(&[0, 255, 128]), Some(&[7; DeadLetter::MAX_BYTES + 9]));
        assert_eq!(full.value.as_ref().map(Vec::len), Some(DeadLetter::MAX_BYTES));
        assert_eq!(full.value_length, DeadLetter::MAX_BYTES as i64 + 9);
        let mut empty = DeadLetter::default();
        empty.set_record(None, None);
        let letters = vec![full, empty];
        let rows = DeadLetter::to_batch(&letters).unwrap();
        let schema = Arc::new(TopicSchema::parse(DeadLetter::AVRO).unwrap());
        let registry = Arc::new(InProcessRegistry::default());
        let id = registry.register("x", DeadLetter::AVRO).unwrap();
        for format in [Format::Avro, Format::Json] {
            let encoded = Encoder::new(format, Arc::clone(&schema), id).unwrap().encode(&rows).unwrap();
            let decoded = Decoder::new(format, Arc::clone(&schema), registry.clone())
                .decode(&[encoded.get(0), encoded.get(1)]);
            assert_eq!(DeadLetter::from_batch(&decoded.unwrap().rows).unwrap(), letters);
        }
    }

    #[test]
    fn the_hash_is_of_the_whole_value() {
        let mut letter = DeadLetter::default();
        letter.set_record(None, Some(b"abc"));
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(letter.value_sha256.as_deref(), Some(sha256));
        assert!(
            DeadLetter::from_batch(&RecordBatch::new_empty(Arc::new(arrow::datatypes::Schema::empty())))
                .is_err()
        );
    }
}
