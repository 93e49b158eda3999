//! Records of a service's internal topics: a head that says what they are, and bytes, in parts where they are many.
//!
//! All internal topics have one schema: `key`, `time` (the record time), `head` (JSON, for people who look at the log)
//! and `body`. A broker takes messages of 1 MB, so a long body is cut: its parts follow each other in one transaction.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BinaryBuilder, StringArray, StringBuilder,
    TimestampMillisecondArray,
};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use arrow::record_batch::RecordBatch;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A record that this version does not write.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Error(String);

impl From<arrow::error::ArrowError> for Error {
    fn from(error: arrow::error::ArrowError) -> Self {
        Self(error.to_string())
    }
}

/// A body's part is no longer than this, in bytes: with its head it stays well below a broker's bound.
const PART_BYTES: usize = 512 << 10;

/// One record, its body whole. Without a key it goes to partition 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message<H> {
    /// The record's key.
    pub key: Option<String>,
    /// The record time, in ms.
    pub time_ms: i64,
    /// What it is.
    pub head: H,
    /// What it carries.
    pub body: Vec<u8>,
}

/// A head as it stands in the log: with its part where the body is cut.
#[derive(Serialize, Deserialize)]
struct Cut<H> {
    #[serde(flatten)]
    head: H,
    /// Which part, from 0, and of how many; none: the body is whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    part: Option<(u32, u32)>,
}

/// The Arrow schema of every internal topic.
pub fn schema() -> Arc<Schema> {
    let time = DataType::Timestamp(TimeUnit::Millisecond, Some("+00:00".into()));
    Arc::new(Schema::new(vec![
        Field::new("key", DataType::Utf8, true),
        Field::new("time", time, false),
        Field::new("head", DataType::Utf8, false),
        Field::new("body", DataType::Binary, false),
    ]))
}

/// Rows of messages, and for each row the index of its message.
///
/// # Errors
/// A head that JSON cannot hold.
pub fn encode<H: Serialize>(messages: &[Message<H>]) -> Result<(RecordBatch, Vec<usize>), Error> {
    let mut keys = StringBuilder::new();
    let (mut times, mut of) = (Vec::new(), Vec::new());
    let mut heads = StringBuilder::new();
    let mut bodies = BinaryBuilder::new();
    for (index, message) in messages.iter().enumerate() {
        let parts = message.body.len().div_ceil(PART_BYTES).max(1);
        for part in 0..parts {
            let cut = (parts > 1).then(|| (number(part), number(parts)));
            let head = serde_json::to_string(&Cut { head: &message.head, part: cut });
            heads.append_value(head.map_err(|error| Error(error.to_string()))?);
            let end = message.body.len().min((part + 1) * PART_BYTES);
            bodies.append_value(&message.body[part * PART_BYTES..end]);
            keys.append_option(message.key.as_deref());
            times.push(message.time_ms);
            of.push(index);
        }
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(keys.finish()),
        Arc::new(TimestampMillisecondArray::from(times).with_timezone("+00:00")),
        Arc::new(heads.finish()),
        Arc::new(bodies.finish()),
    ];
    Ok((RecordBatch::try_new(schema(), columns)?, of))
}

/// Reads rows whose bodies are never cut.
///
/// # Errors
/// Rows that hold something else.
pub fn decode<H: DeserializeOwned>(rows: &RecordBatch) -> Result<Vec<Message<H>>, Error> {
    let columns = Columns::of(rows)?;
    (0..rows.num_rows()).map(|row| columns.read::<H>(row).map(|(message, _)| message)).collect()
}

/// A record, and which part of its body it holds, of how many; none: the body is whole.
type Read<H> = (Message<H>, Option<(u32, u32)>);

impl<H> Message<H> {
    /// One without a key and a body.
    pub fn of(time_ms: i64, head: H) -> Self {
        Self { key: None, time_ms, head, body: Vec::new() }
    }
}

/// The columns of decoded rows.
struct Columns<'a> {
    keys: &'a StringArray,
    times: &'a TimestampMillisecondArray,
    heads: &'a StringArray,
    bodies: &'a BinaryArray,
}

impl<'a> Columns<'a> {
    fn of(rows: &'a RecordBatch) -> Result<Self, Error> {
        let wrong = |what: &str| Error(format!("an internal record has no {what}"));
        let column = |name: &'static str| rows.column_by_name(name).ok_or_else(|| wrong(name));
        let times = column("time")?.as_any().downcast_ref();
        Ok(Self {
            keys: column("key")?.as_string_opt().ok_or_else(|| wrong("key"))?,
            times: times.ok_or_else(|| wrong("time"))?,
            heads: column("head")?.as_string_opt().ok_or_else(|| wrong("head"))?,
            bodies: column("body")?.as_binary_opt().ok_or_else(|| wrong("body"))?,
        })
    }

    /// A record, and which part of its body it holds.
    fn read<H: DeserializeOwned>(&self, row: usize) -> Result<Read<H>, Error> {
        let head = self.heads.value(row);
        let cut: Cut<H> = serde_json::from_str(head)
            .map_err(|error| Error(format!("the head {head} cannot be read: {error}")))?;
        let message = Message {
            key: self.keys.is_valid(row).then(|| self.keys.value(row).to_owned()),
            time_ms: self.times.value(row),
            head: cut.head,
            body: self.bodies.value(row).to_vec(),
        };
        Ok((message, cut.part))
    }
}

/// Puts bodies together again. Parts of one message come in order; those of several may be mixed.
#[derive(Debug, Clone)]
pub struct Assembler<H> {
    /// By head, as it is written: what came of each body, and the offset of its first part.
    open: BTreeMap<String, (i64, Vec<u8>)>,
    head: PhantomData<H>,
}

impl<H> Default for Assembler<H> {
    fn default() -> Self {
        Self { open: BTreeMap::new(), head: PhantomData }
    }
}

impl<H: Serialize + DeserializeOwned> Assembler<H> {
    /// Takes row `row` of decoded rows, which lies at `offset`; once it is whole, the message and the offset of its first
    /// part.
    ///
    /// # Errors
    /// A row that holds something else.
    pub fn take(
        &mut self,
        rows: &RecordBatch,
        row: usize,
        offset: i64,
    ) -> Result<Option<(Message<H>, i64)>, Error> {
        let (message, part): (Message<H>, _) = Columns::of(rows)?.read(row)?;
        let Some((part, parts)) = part else { return Ok(Some((message, offset))) };
        let head = serde_json::to_string(&message.head).map_err(|error| Error(error.to_string()))?;
        let (mut first, mut body) = self.open.remove(&head).unwrap_or((offset, Vec::new()));
        // A first part begins anew: what lies there is of a writer that was cut off.
        if part == 0 {
            (first, body) = (offset, Vec::new());
        }
        if body.len() != part as usize * PART_BYTES {
            return Ok(None);
        }
        body.extend_from_slice(&message.body);
        if part + 1 == parts {
            return Ok(Some((Message { body, ..message }, first)));
        }
        self.open.insert(head, (first, body));
        Ok(None)
    }

    /// The lowest offset of a body that is not whole yet.
    pub fn first_open(&self) -> Option<i64> {
        self.open.values().map(|(first, _)| *first).min()
    }

    /// Bytes of bodies that are not whole yet.
    pub fn open_bytes(&self) -> usize {
        self.open.values().map(|(_, body)| body.len()).sum()
    }
}

/// Parts of a body are far fewer than this wraps at.
#[allow(clippy::cast_possible_truncation)]
fn number(index: usize) -> u32 {
    index as u32
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
    #[serde(tag = "kind", rename_all = "lowercase")]
    enum Head {
        Profile { partition: i32 },
        Progress { time_ms: i64 },
    }

    fn message(head: Head, bytes: usize) -> Message<Head> {
        let body = (0..bytes).map(|i| u8::try_from(i % 251).unwrap()).collect();
        Message { key: Some("k".into()), time_ms: 7, head, body }
    }

    #[test]
    fn long_bodies_are_cut_and_put_together_though_mixed_with_others() {
        let long = [
            message(Head::Profile { partition: 0 }, 3 * PART_BYTES + 5),
            message(Head::Profile { partition: 1 }, 2 * PART_BYTES),
            message(Head::Progress { time_ms: 3 }, 0),
        ];
        let (rows, of) = encode(&long).unwrap();
        assert_eq!(of, [0, 0, 0, 0, 1, 1, 2]);
        let mut assembler = Assembler::default();
        let order = [0, 4, 1, 6, 5, 2, 3];
        let mut whole = Vec::new();
        for row in order {
            whole.extend(assembler.take(&rows, row, i64::try_from(row).unwrap()).unwrap());
            assert!(assembler.first_open().is_none_or(|first| first == 0 || first == 4));
        }
        assert_eq!(whole, [(long[2].clone(), 6), (long[1].clone(), 4), (long[0].clone(), 0)]);
        assert_eq!((assembler.open_bytes(), assembler.first_open()), (0, None));
    }

    #[test]
    fn a_body_that_was_cut_off_gives_way_to_the_next() {
        let long = [message(Head::Profile { partition: 0 }, 2 * PART_BYTES)];
        let (rows, _) = encode(&long).unwrap();
        let mut assembler = Assembler::default();
        assert_eq!(assembler.take(&rows, 1, 5).unwrap(), None, "its beginning was never seen");
        assert_eq!(assembler.take(&rows, 0, 6).unwrap(), None);
        assert_eq!(assembler.take(&rows, 0, 8).unwrap(), None);
        assert_eq!(assembler.take(&rows, 1, 9).unwrap(), Some((long[0].clone(), 8)));
    }
}
