//! Letters to records.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, Int32Array, Int64Array, StringArray, TimestampMillisecondArray,
};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use millrace_schemas::SchemaRegistry;

use super::Letter;
use crate::error::Error;
use crate::headers;
use crate::kafka::producer::OutRecord;
use crate::output::{EncodedRows, OutTopic, schema};
use crate::service::Service;

/// Writes the dead letters of one service.
pub struct DeadLetters {
    topic: OutTopic,
    schema: SchemaRef,
    service: String,
    stages: Vec<String>,
}

impl DeadLetters {
    /// `Ok(None)`: the registry does not answer yet.
    pub fn open(service: &Service, registry: &dyn SchemaRegistry) -> Result<Option<Self>, Error> {
        let schema = schema(&service.dead_letters)?.arrow().clone();
        let Some(topic) = OutTopic::open(&service.dead_letters, registry)? else { return Ok(None) };
        Ok(Some(Self {
            topic,
            schema,
            service: service.name.clone(),
            stages: service.stages.iter().map(|stage| stage.name.clone()).collect(),
        }))
    }

    /// The topic's Kafka name.
    pub fn topic(&self) -> &str {
        self.topic.name()
    }

    /// The letter's record.
    pub fn encode(&mut self, letter: &Letter) -> Result<EncodedRows, Error> {
        let columns = self.schema.fields().iter().map(|field| self.column(field.name(), letter));
        let rows = columns.collect::<Option<Vec<_>>>().map(|c| RecordBatch::try_new(self.schema.clone(), c));
        match rows {
            Some(Ok(rows)) => self.topic.encode(&rows),
            Some(Err(source)) => Err(Error::Rows { what: self.topic().to_owned(), source }),
            None => Err(Error::Configuration(format!("{} has not the schema of dead letters", self.topic()))),
        }
    }

    /// What is sent.
    pub fn record<'a>(&'a self, letter: &Letter, rows: &'a EncodedRows) -> OutRecord<'a> {
        OutRecord {
            topic: self.topic.name(),
            partition: rows.partitions.first().copied().unwrap_or(0),
            key: rows.key(0),
            payload: rows.payloads.get(0).unwrap_or_default(),
            headers: headers::write(&letter.origin, letter.origin_ms, letter.traceparent.as_deref(), false),
        }
    }

    /// One column of a letter's row.
    fn column(&self, name: &str, letter: &Letter) -> Option<ArrayRef> {
        let text = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text])) };
        let time = |ms| -> ArrayRef { Arc::new(TimestampMillisecondArray::from(vec![ms]).with_timezone("+00:00")) };
        let bytes = |b: &Option<Vec<u8>>| -> ArrayRef { Arc::new(BinaryArray::from_opt_vec(vec![b.as_deref()])) };
        let origin = &letter.origin;
        Some(match name {
            "topic" => text(&letter.topic),
            "partition" => Arc::new(Int32Array::from(vec![letter.partition])),
            "offset" => Arc::new(Int64Array::from(vec![letter.offset])),
            "timestamp" => time(letter.timestamp_ms),
            "time" => time(letter.refused_ms),
            "service" => text(&self.service),
            "stage" => text(self.stages.get(letter.stage).map_or("", String::as_str)),
            "reason" => text(&letter.reason),
            "detail" => text(&letter.detail),
            "key" => bytes(&letter.key),
            "value" => bytes(&letter.value),
            "value_length" => Arc::new(Int64Array::from(vec![i64::try_from(letter.length).unwrap_or(i64::MAX)])),
            "value_sha256" => Arc::new(StringArray::from(vec![letter.sha256.as_deref()])),
            "origin" => text(&format!("{}/{}/{}", origin.topic, origin.partition, origin.offset)),
            "traceparent" => Arc::new(StringArray::from(vec![letter.traceparent.as_deref()])),
            _ => return None,
        })
    }
}
