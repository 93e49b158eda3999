//! Polled records, copied out of the client into one buffer per batch.

use std::ops::Range;
use std::sync::Arc;

use rdkafka::message::{BorrowedMessage, Message};

use crate::headers::RecordHeaders;

/// What is known of a record besides its bytes.
#[derive(Debug, Clone)]
pub struct RawRecord {
    /// Its offset.
    pub offset: i64,
    /// Kafka's own timestamp, in ms.
    pub timestamp_ms: i64,
    /// Its headers.
    pub headers: RecordHeaders,
    key: Option<Range<usize>>,
    payload: Option<Range<usize>>,
}

/// Records of one partition in the order of their offsets.
#[derive(Debug, Clone, Default)]
pub struct RawBatch {
    bytes: Vec<u8>,
    /// The records.
    pub records: Vec<RawRecord>,
}

impl RawBatch {
    /// Copies a message in. `origin` keeps the last origin's topic name.
    pub fn push(&mut self, message: &BorrowedMessage<'_>, origin: &mut Arc<str>) {
        let key = message.key().map(|b| self.copy(b));
        let payload = message.payload().map(|b| self.copy(b));
        self.records.push(RawRecord {
            offset: message.offset(),
            timestamp_ms: message.timestamp().to_millis().unwrap_or(0),
            headers: RecordHeaders::read(message.headers(), origin),
            key,
            payload,
        });
    }

    /// The key of record `i`.
    pub fn key(&self, i: usize) -> Option<&[u8]> {
        self.bytes.get(self.records.get(i)?.key.clone()?)
    }

    /// The payload of record `i`.
    pub fn payload(&self, i: usize) -> Option<&[u8]> {
        self.bytes.get(self.records.get(i)?.payload.clone()?)
    }

    /// The payloads of all records.
    pub fn payloads(&self) -> Vec<Option<&[u8]>> {
        (0..self.records.len()).map(|i| self.payload(i)).collect()
    }

    /// Bytes held.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    fn copy(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        start..self.bytes.len()
    }
}
