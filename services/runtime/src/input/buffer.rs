//! Polls one partition's queue, decodes and checks what came, and holds it until the task takes it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use arrow::record_batch::RecordBatch;
use millrace_schemas::{Decoded, Decoder, RegistryError};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message;

use super::record::RawBatch;
use crate::error::Error;
use crate::headers::Parent;
use crate::kafka::consumer::{Queue, note};
use crate::service::InputTopic;
use crate::source_checks::{Fault, Outside, RowChecks};
use crate::task::{Origin, RowMeta};

/// How much a buffer holds before its queue is polled no further.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Records.
    pub rows: usize,
    /// Bytes of keys and payloads.
    pub bytes: usize,
}

/// What became of a record.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// A row of its chunk.
    Row(usize),
    /// No row, and why; boxed because rare.
    Refused(Box<Fault>),
}

/// A record that waits for the task.
#[derive(Debug, Clone)]
pub struct Item {
    /// What the task is told of it.
    pub meta: RowMeta,
    /// Kafka's timestamp of the event at the root of the chain, in ms; the record's own where that is not known.
    pub origin_ms: i64,
    /// The record that its writer took to write it, where it says so.
    pub parent: Option<Parent>,
    /// What became of it.
    pub outcome: Outcome,
}

/// Records decoded together.
#[derive(Debug)]
struct Chunk {
    number: u64,
    raw: Arc<RawBatch>,
    rows: RecordBatch,
    items: VecDeque<Item>,
    taken: usize,
}

/// A record on its way to the task.
pub struct Next<'a> {
    /// The record.
    pub item: Item,
    /// The number of its chunk, its rows, and its raw records with the index among them.
    pub chunk: u64,
    /// The chunk's rows.
    pub rows: &'a RecordBatch,
    /// The chunk's raw records.
    pub raw: &'a Arc<RawBatch>,
    /// The record's index among them.
    pub raw_index: usize,
}

/// What was polled of one partition and not yet taken.
pub struct PartitionBuffer {
    topic: Arc<str>,
    partition: i32,
    queue: Queue,
    raw: RawBatch,
    chunks: VecDeque<Chunk>,
    held: Bounds,
    numbers: u64,
    origin_topic: Arc<str>,
    end: bool,
    /// The offset behind the last record polled.
    next_offset: i64,
    /// The greatest record time decoded, in ms.
    seen_ms: i64,
    /// Up to which record time, in ms, of others the end is known to have been the end.
    clear_ms: i64,
    /// The end is being looked for again: it counts up to this record time, in ms.
    confirming: Option<i64>,
    /// The next offset, where offsets have no gaps.
    gapless: Option<i64>,
}

impl PartitionBuffer {
    /// An empty buffer of a partition that is consumed through `queue` from offset `begin` on. `gapless`: its offsets have no
    /// gaps, so that one means lost records.
    pub fn new(topic: Arc<str>, partition: i32, queue: Queue, begin: i64, gapless: bool) -> Self {
        Self {
            origin_topic: topic.clone(),
            topic,
            partition,
            queue,
            raw: RawBatch::default(),
            chunks: VecDeque::new(),
            held: Bounds { rows: 0, bytes: 0 },
            numbers: 0,
            end: false,
            next_offset: begin,
            seen_ms: i64::MIN,
            clear_ms: i64::MIN,
            confirming: None,
            gapless: gapless.then_some(begin),
        }
    }

    /// Takes what the queue has, up to the bounds, and never waits for more; how many records came.
    pub fn fill(&mut self, bounds: Bounds) -> Result<usize, Error> {
        let mut came = 0;
        while self.held.rows + self.raw.records.len() < bounds.rows
            && self.held.bytes + self.raw.size() < bounds.bytes
        {
            match self.queue.poll(Duration::ZERO) {
                None => break,
                Some(Ok(message)) => {
                    if let Some(next) = &mut self.gapless {
                        check_gap(&self.topic, self.partition, *next, message.offset())?;
                        *next = message.offset() + 1;
                    }
                    self.end = false;
                    self.next_offset = message.offset() + 1;
                    self.raw.push(&message, &mut self.origin_topic);
                    came += 1;
                }
                Some(Err(KafkaError::PartitionEOF(_))) => {
                    self.end = true;
                    self.clear_ms = self.clear_ms.max(self.confirming.take().unwrap_or(i64::MIN));
                }
                Some(Err(e)) => self.fault(e)?,
            }
        }
        Ok(came)
    }

    fn fault(&self, error: KafkaError) -> Result<(), Error> {
        let lost = [RDKafkaErrorCode::AutoOffsetReset, RDKafkaErrorCode::OffsetOutOfRange];
        if error.rdkafka_error_code().is_some_and(|code| lost.contains(&code)) {
            let text = format!("{}/{}: the log no longer holds the next record", self.topic, self.partition);
            return Err(Error::Lost(text));
        }
        note(&format!("{}/{}", self.topic, self.partition), error)
    }

    /// Decodes what was polled. Fails where the registry does not answer: the records wait, for another call.
    pub fn decode(&mut self, decoder: &mut Decoder, input: &InputTopic) -> Result<(), DecodeError> {
        if self.raw.records.is_empty() {
            return Ok(());
        }
        let decoded = decoder.decode(&self.raw.payloads()).map_err(DecodeError::Registry)?;
        let raw = std::mem::take(&mut self.raw);
        let items = self.items(input, &raw, &decoded).map_err(DecodeError::Rows)?;
        self.held.rows += items.len();
        self.held.bytes += raw.size();
        self.numbers += 1;
        self.chunks.push_back(Chunk {
            number: self.numbers,
            raw: Arc::new(raw),
            rows: decoded.rows,
            items,
            taken: 0,
        });
        Ok(())
    }

    fn items(
        &mut self,
        input: &InputTopic,
        raw: &RawBatch,
        decoded: &Decoded,
    ) -> Result<VecDeque<Item>, arrow::error::ArrowError> {
        let checks = RowChecks::new(input, &decoded.rows)?;
        let mut rows = decoded.index.iter().enumerate().peekable();
        let mut rejected = decoded.rejected.iter().peekable();
        let mut items = VecDeque::with_capacity(raw.records.len());
        for (i, record) in raw.records.iter().enumerate() {
            let outside =
                Outside { key: raw.key(i), timestamp_ms: record.timestamp_ms, partition: self.partition };
            let checked = match rows.next_if(|(_, index)| **index == i) {
                Some((row, _)) => checks.check(row, outside).map(|time| (row, time)),
                None => Err(rejected.next_if(|r| r.index == i).map_or_else(
                    || ("malformed", "the decoder gave no row".to_owned()),
                    |r| (r.reason.as_str(), r.detail.clone()),
                )),
            };
            let (outcome, time_ms) = match checked {
                Ok((row, time_ms)) => {
                    self.seen_ms = self.seen_ms.max(time_ms);
                    (Outcome::Row(row), time_ms)
                }
                Err(fault) => (Outcome::Refused(Box::new(fault)), 0),
            };
            let headers = &record.headers;
            let origin = headers.origin.clone().unwrap_or_else(|| Origin {
                topic: self.topic.clone(),
                partition: self.partition,
                offset: record.offset,
            });
            items.push_back(Item {
                meta: RowMeta {
                    offset: record.offset,
                    time_ms,
                    origin,
                    traceparent: headers.traceparent.clone(),
                    late: headers.late,
                },
                origin_ms: headers.origin_ms.unwrap_or(record.timestamp_ms),
                parent: headers.parent.clone(),
                outcome,
            });
        }
        Ok(items)
    }

    /// The record at the front.
    pub fn head(&self) -> Option<&Item> {
        self.chunks.front().and_then(|chunk| chunk.items.front())
    }

    /// Takes the record at the front; `use_it` sees it with its chunk.
    pub fn pop<T>(&mut self, use_it: impl FnOnce(Next<'_>) -> T) -> Option<T> {
        let chunk = self.chunks.front_mut()?;
        let item = chunk.items.pop_front()?;
        let next =
            Next { item, chunk: chunk.number, rows: &chunk.rows, raw: &chunk.raw, raw_index: chunk.taken };
        let result = use_it(next);
        chunk.taken += 1;
        self.held.rows -= 1;
        if chunk.items.is_empty() {
            self.held.bytes -= chunk.raw.size();
            self.chunks.pop_front();
        }
        Some(result)
    }

    /// Whether the log holds nothing more: its end was met, and nothing came or waits since.
    pub fn at_end(&self) -> bool {
        self.end && self.raw.records.is_empty() && self.chunks.is_empty()
    }

    /// Up to which record time of others, in ms, the end that was met is known to have been the end. Its last row says so
    /// by itself: whoever wrote it had come so far.
    pub fn clear_ms(&self) -> i64 {
        self.clear_ms.max(self.seen_ms)
    }

    /// Begins to look for the end again, on behalf of a row of `time_ms` that waits elsewhere; the offset from which to seek.
    /// `None`: it is not at its end, or is being looked for.
    pub fn confirm(&mut self, time_ms: i64) -> Option<i64> {
        if !self.at_end() || self.confirming.is_some() {
            return None;
        }
        self.confirming = Some(time_ms);
        Some(self.next_offset)
    }

    /// Records held, decoded or not.
    pub fn held(&self) -> usize {
        self.held.rows + self.raw.records.len()
    }
}

/// Why polled records could not be decoded.
#[derive(Debug)]
pub enum DecodeError {
    /// The registry: nothing is lost.
    Registry(RegistryError),
    /// The rows lack a column that the input names.
    Rows(arrow::error::ArrowError),
}

fn check_gap(topic: &str, partition: i32, next: i64, offset: i64) -> Result<(), Error> {
    if offset == next {
        return Ok(());
    }
    Err(Error::Lost(format!(
        "{topic}/{partition}: offsets {next}..{offset} were forgotten before they were read; bound what is in flight"
    )))
}
