//! Records to Arrow rows; bad records cost no good one.

use std::sync::Arc;

use arrow::record_batch::RecordBatch;

use crate::{Format, RegistryError, SchemaRegistry, TopicSchema};

/// Why a record was rejected; the text is the `reason` of its dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// No payload (a tombstone on a topic that has none).
    NullValue,
    /// Not the Confluent wire format: too short, or another magic byte.
    NotConfluent,
    /// A schema id that the registry does not know.
    UnknownSchema,
    /// The writer's schema cannot be read with the topic's.
    IncompatibleSchema,
    /// The body is truncated, overlong, or no value of its schema.
    Malformed,
    /// Well-formed, but a field has a wrong type or is missing (JSON).
    WrongType,
}

impl Reason {
    /// The reason as dead letters and metrics show it, in snake case.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::NullValue => "null_value",
            Reason::NotConfluent => "not_confluent",
            Reason::UnknownSchema => "unknown_schema",
            Reason::IncompatibleSchema => "incompatible_schema",
            Reason::Malformed => "malformed",
            Reason::WrongType => "wrong_type",
        }
    }
}

/// One record that could not be decoded.
#[derive(Debug, Clone)]
pub struct Rejected {
    /// Its index among the payloads.
    pub index: usize,
    /// The class of the fault.
    pub reason: Reason,
    /// What exactly is wrong, for a person.
    pub detail: String,
}

/// What [`Decoder::decode`] made of some payloads.
#[derive(Debug)]
pub struct Decoded {
    /// The good records, in the order of the payloads, with the topic's Arrow schema.
    pub rows: RecordBatch,
    /// For each row, the index of its payload; ascending.
    pub index: Vec<usize>,
    /// The bad ones, by ascending index.
    pub rejected: Vec<Rejected>,
}

/// Decodes the records of one topic into Arrow batches.
pub struct Decoder {
    _format: Format,
    _schema: Arc<TopicSchema>,
    _registry: Arc<dyn SchemaRegistry>,
}

impl Decoder {
    /// A decoder of `format` records into rows of `schema`.
    pub fn new(format: Format, schema: Arc<TopicSchema>, registry: Arc<dyn SchemaRegistry>) -> Self {
        Self { _format: format, _schema: schema, _registry: registry }
    }

    /// Decodes one payload per record. Fails only where the registry does not answer: nothing was consumed then,
    /// and the same call may be made again.
    pub fn decode(&mut self, payloads: &[Option<&[u8]>]) -> Result<Decoded, RegistryError> {
        let _ = payloads;
        Err(RegistryError::Unavailable("not implemented yet".into()))
    }
}
