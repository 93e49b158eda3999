//! One dead letter.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::input::RawBatch;
use crate::output::Cause;
use crate::task::Origin;

/// The most bytes of a record that its dead letter keeps.
pub const MAX_BYTES: usize = 256 << 10;

/// A record that could not be processed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// The stage that refused it.
    pub stage: usize,
    /// When, in ms. Set once: a letter that is produced again after an abort is the same.
    pub refused_ms: i64,
    /// The class of the fault, in snake case.
    pub reason: String,
    /// What exactly is wrong.
    pub detail: String,
    /// The record's topic.
    pub topic: Arc<str>,
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// Kafka's own timestamp of it, in ms.
    pub timestamp_ms: i64,
    /// The event at the root of the chain.
    pub origin: Origin,
    /// Kafka's timestamp of that event, in ms.
    pub origin_ms: i64,
    /// The header `traceparent`.
    pub traceparent: Option<Arc<str>>,
    /// The record's key, at most [`MAX_BYTES`] of it.
    pub key: Option<Vec<u8>>,
    /// The value, at most [`MAX_BYTES`] of it.
    pub value: Option<Vec<u8>>,
    /// How many bytes the value has.
    pub length: u64,
    /// The SHA-256 of the whole value, in hex.
    pub sha256: Option<String>,
}

impl Letter {
    /// The dead letter of a record that never became a row.
    pub fn of_record(
        raw: &RawBatch,
        index: usize,
        (stage, topic, partition): (usize, &Arc<str>, i32),
        origin: &Origin,
        origin_ms: i64,
        (reason, detail): (&str, String),
    ) -> Self {
        let record = raw.records.get(index);
        let payload = raw.payload(index);
        Self {
            stage,
            refused_ms: crate::clock::now_ms(),
            reason: reason.to_owned(),
            detail,
            topic: topic.clone(),
            partition,
            offset: record.map_or(-1, |r| r.offset),
            timestamp_ms: record.map_or(0, |r| r.timestamp_ms),
            origin: origin.clone(),
            origin_ms,
            traceparent: record.and_then(|r| r.headers.traceparent.clone()),
            key: raw.key(index).map(capped),
            value: payload.map(capped),
            length: payload.map_or(0, |p| p.len() as u64),
            sha256: payload.map(hex_sha256),
        }
    }

    /// The dead letter of a row that was refused later on.
    pub fn of_row(cause: &Cause, reason: &str, detail: String) -> Self {
        Self::of_record(
            &cause.raw.batch,
            cause.raw.index,
            (cause.stage, &cause.topic, cause.partition),
            &cause.origin,
            cause.origin_ms,
            (reason, detail),
        )
    }

    /// Leaves the bytes out: the letter itself is too large for its topic.
    pub fn drop_bytes(&mut self) {
        self.key = None;
        self.value = None;
    }
}

fn capped(bytes: &[u8]) -> Vec<u8> {
    bytes.get(..MAX_BYTES).unwrap_or(bytes).to_vec()
}

fn hex_sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
