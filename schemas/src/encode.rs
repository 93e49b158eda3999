//! Arrow rows to records.

use std::sync::Arc;

use arrow::record_batch::RecordBatch;

use crate::{Error, Format, TopicSchema};

/// The records of a batch, one after the other in one buffer.
#[derive(Debug, Default)]
pub struct Encoded {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Encoded {
    /// The record of row `i`, or `None` past the last.
    pub fn get(&self, i: usize) -> Option<&[u8]> {
        let end = *self.ends.get(i)?;
        let start = if i == 0 { 0 } else { *self.ends.get(i - 1)? };
        self.bytes.get(start..end)
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

/// Encodes rows of one topic.
pub struct Encoder {
    _format: Format,
    _schema: Arc<TopicSchema>,
    _id: u32,
}

impl Encoder {
    /// An encoder of rows with `schema` as `format`; `id` is the schema's id in the registry (unused for JSON).
    pub fn new(format: Format, schema: Arc<TopicSchema>, id: u32) -> Result<Self, Error> {
        Ok(Self { _format: format, _schema: schema, _id: id })
    }

    /// Encodes each row. The batch's columns are the schema's, in its order, by the same names and types.
    pub fn encode(&mut self, rows: &RecordBatch) -> Result<Encoded, Error> {
        let _ = rows;
        Err(Error::Encode("not implemented yet".into()))
    }
}
