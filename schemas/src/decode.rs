//! Records to Arrow rows; bad records cost no good one.

mod avro;
mod json;
mod json_cell;
mod json_column;
mod shape;
mod writers;

use std::sync::Arc;

use arrow::compute::interleave_record_batch;
use arrow::record_batch::RecordBatch;

use crate::{Format, RegistryError, SchemaRegistry, TopicSchema};
use avro::Rows;
use json::JsonRows;
use writers::{Writer, Writers};

pub(crate) use avro::arrow_decoder;
pub(crate) use writers::reads;

/// Why a record was rejected; the text is the `reason` of its dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// No payload (a tombstone on a topic that has none).
    NullValue,
    /// Not the Confluent wire format: too short, or another magic byte.
    NotConfluent,
    /// A schema id that the registry does not know.
    UnknownSchema,
    /// The writer's schema cannot be read with the topic's, or this value of it cannot (null where the topic has none).
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
    schema: Arc<TopicSchema>,
    format: Form,
}

enum Form {
    Avro(Writers),
    Json(JsonRows),
}

impl Decoder {
    /// A decoder of `format` records into rows of `schema`.
    pub fn new(format: Format, schema: Arc<TopicSchema>, registry: Arc<dyn SchemaRegistry>) -> Self {
        let format = match format {
            Format::Avro => Form::Avro(Writers::new(Arc::clone(&schema), registry)),
            Format::Json => Form::Json(JsonRows::new(&schema)),
        };
        Self { schema, format }
    }

    /// Decodes one payload per record. Fails only where the registry does not answer (`Unavailable`: nothing was
    /// consumed, and the same call may be made again) or answers what no registry would (`Refused`: a wrong address or
    /// password, which a retry does not mend).
    pub fn decode(&mut self, payloads: &[Option<&[u8]>]) -> Result<Decoded, RegistryError> {
        let mut rejected = Vec::new();
        let mut parts = match &mut self.format {
            Form::Avro(writers) => decode_avro(writers, payloads, &mut rejected)?,
            Form::Json(rows) => vec![rows.decode(payloads, &mut rejected)],
        };
        parts.retain(|part| !part.index.is_empty());
        rejected.sort_by_key(|r| r.index);
        let (rows, index) = self.in_order(parts)?;
        Ok(Decoded { rows, index, rejected })
    }

    /// The rows of several batches in the order of their payloads.
    fn in_order(&self, mut parts: Vec<Rows>) -> Result<(RecordBatch, Vec<usize>), RegistryError> {
        if parts.len() < 2 {
            return Ok(match parts.pop() {
                Some(part) => (part.batch, part.index),
                None => (RecordBatch::new_empty(Arc::clone(self.schema.arrow())), Vec::new()),
            });
        }
        let mut places: Vec<(usize, (usize, usize))> = Vec::new();
        for (p, part) in parts.iter().enumerate() {
            places.extend(part.index.iter().enumerate().map(|(row, &payload)| (payload, (p, row))));
        }
        places.sort_unstable();
        let (index, places): (Vec<usize>, Vec<(usize, usize)>) = places.into_iter().unzip();
        let batches: Vec<&RecordBatch> = parts.iter().map(|part| &part.batch).collect();
        // All parts have the topic's schema, so that this fails only where a column outgrows its 2 GiB.
        let rows = interleave_record_batch(&batches, &places).map_err(|e| {
            RegistryError::Refused(format!("rows of several schemas do not fit one batch: {e}"))
        })?;
        Ok((rows, index))
    }
}

/// One batch per schema id; every id is known, or known to be unknown, before the first record is decoded.
fn decode_avro(
    writers: &mut Writers,
    payloads: &[Option<&[u8]>],
    rejected: &mut Vec<Rejected>,
) -> Result<Vec<Rows>, RegistryError> {
    let groups = by_schema_id(payloads, rejected);
    writers.look_up(groups.iter().map(|group| group.id))?;
    let mut parts = Vec::with_capacity(groups.len());
    for group in groups {
        let (reason, detail) = match writers.get(group.id) {
            Some(Writer::Readable(decoder)) => {
                parts.push(decoder.decode(payloads, &group.records, rejected));
                continue;
            }
            Some(Writer::Unreadable(why)) => (Reason::IncompatibleSchema, why.clone()),
            None => (Reason::UnknownSchema, format!("the registry knows no schema with id {}", group.id)),
        };
        rejected.extend(group.records.iter().map(|&index| Rejected {
            index,
            reason,
            detail: detail.clone(),
        }));
    }
    Ok(parts)
}

/// The records of one schema id.
struct Group {
    id: u32,
    records: Vec<usize>,
}

fn by_schema_id(payloads: &[Option<&[u8]>], rejected: &mut Vec<Rejected>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut place = hashbrown::HashMap::new();
    let mut last: Option<(u32, usize)> = None;
    for (index, payload) in payloads.iter().enumerate() {
        let id = match payload {
            Some([0, a, b, c, d, ..]) => u32::from_be_bytes([*a, *b, *c, *d]),
            Some(bytes) => {
                let detail = not_confluent(bytes);
                rejected.push(Rejected { index, reason: Reason::NotConfluent, detail });
                continue;
            }
            None => {
                rejected.push(no_value(index));
                continue;
            }
        };
        let group = match last {
            Some((last_id, group)) if last_id == id => group,
            _ => *place.entry(id).or_insert_with(|| {
                groups.push(Group { id, records: Vec::new() });
                groups.len() - 1
            }),
        };
        last = Some((id, group));
        groups[group].records.push(index);
    }
    groups
}

fn not_confluent(bytes: &[u8]) -> String {
    match bytes.first() {
        Some(0) => format!("{} bytes are too few for 0x00 and a schema id of 4 bytes", bytes.len()),
        Some(other) => format!("the first byte is 0x{other:02x}, not 0x00"),
        None => "the value is empty".into(),
    }
}

fn no_value(index: usize) -> Rejected {
    Rejected { index, reason: Reason::NullValue, detail: "the record has no value".into() }
}

#[cfg(test)]
mod tests;
