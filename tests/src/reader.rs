//! Reading topics as their consumers do: `read_committed`, decoded through the registry.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use arrow::compute::concat_batches;
use arrow::record_batch::RecordBatch;
use millrace_schemas::{ConfluentRegistry, Decoder, Format, SchemaRegistry, TopicSchema};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::{Offset, TopicPartitionList};

use crate::stack::Stack;

const DECODED_AT_ONCE: usize = 10_000;
const READ_WITHIN: Duration = Duration::from_secs(120);

/// One record as it lies in its topic.
#[derive(Debug, Clone)]
pub struct Record {
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// Its key's text.
    pub key: Option<String>,
    /// Its headers' texts.
    pub headers: BTreeMap<String, String>,
    /// Its payload; `None`: a tombstone.
    pub payload: Option<Vec<u8>>,
}

/// Every committed record that is in a topic now, by partition and offset.
pub fn read_all(stack: &Stack, topic: &str) -> Result<Vec<Record>> {
    let reader = Reader::new(stack, topic)?;
    let mut records =
        reader.read("its end", READ_WITHIN, |reader, _| reader.at_end.len() == reader.partitions)?;
    records.sort_by_key(|record| (record.partition, record.offset));
    Ok(records)
}

/// Waits until a topic holds at least `count` committed records. The first ones may be more than that.
pub fn wait_for(stack: &Stack, topic: &str, count: usize, bound: Duration) -> Result<Vec<Record>> {
    Reader::new(stack, topic)?.read(&format!("{count} records"), bound, |_, records| records.len() >= count)
}

/// Waits until a topic holds committed records of at least `count` different events: of different `origin`s.
pub fn wait_for_origins(stack: &Stack, topic: &str, count: usize, bound: Duration) -> Result<()> {
    let (mut origins, mut seen) = (HashSet::new(), 0);
    let enough = |_: &Reader, records: &[Record]| {
        origins.extend(records[seen..].iter().filter_map(|record| record.headers.get("origin").cloned()));
        seen = records.len();
        origins.len() >= count
    };
    Reader::new(stack, topic)?.read(&format!("records of {count} events"), bound, enough).map(drop)
}

/// Every event that is in a topic now, by partition and offset.
pub fn events<E: millrace_schemas::envelope::Record>(stack: &Stack, topic: &str) -> Result<Vec<E>> {
    let records = read_all(stack, topic)?;
    if records.is_empty() {
        return Ok(Vec::new());
    }
    Ok(E::from_batch(&decode(stack, topic, &records)?)?)
}

/// The rows of records, decoded with the newest schema of the topic's subject. Fails on a record that is not of it.
pub fn decode(stack: &Stack, topic: &str, records: &[Record]) -> Result<RecordBatch> {
    let registry = Arc::new(ConfluentRegistry::new(stack.registry.url())?);
    let subject = format!("{topic}-value");
    let (_, avro) = registry.latest(&subject)?.with_context(|| format!("no schema for {subject}"))?;
    let schema = Arc::new(TopicSchema::parse(&avro)?);
    let mut decoder = Decoder::new(Format::Avro, schema.clone(), registry);
    decode_with(&mut decoder, &schema, topic, records)
}

/// The rows of records that are JSON objects of `schema`.
pub fn decode_json(schema: Arc<TopicSchema>, topic: &str, records: &[Record]) -> Result<RecordBatch> {
    let registry = Arc::new(millrace_schemas::InProcessRegistry::default());
    let mut decoder = Decoder::new(Format::Json, schema.clone(), registry);
    decode_with(&mut decoder, &schema, topic, records)
}

fn decode_with(
    decoder: &mut Decoder,
    schema: &TopicSchema,
    topic: &str,
    records: &[Record],
) -> Result<RecordBatch> {
    let mut batches = Vec::new();
    for chunk in records.chunks(DECODED_AT_ONCE) {
        let payloads: Vec<Option<&[u8]>> = chunk.iter().map(|record| record.payload.as_deref()).collect();
        let decoded = decoder.decode(&payloads)?;
        if let Some(rejected) = decoded.rejected.first() {
            bail!("{topic}: {:?} does not decode: {rejected:?}", chunk.get(rejected.index));
        }
        batches.push(decoded.rows);
    }
    Ok(concat_batches(schema.arrow(), &batches)?)
}

struct Reader {
    topic: String,
    consumer: BaseConsumer,
    partitions: usize,
    at_end: HashSet<i32>,
}

impl Reader {
    fn new(stack: &Stack, topic: &str) -> Result<Self> {
        let consumer: BaseConsumer = stack
            .kafka
            .client_config()
            .set("group.id", "tests-do-not-join")
            .set("isolation.level", "read_committed")
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            .set("auto.offset.reset", "earliest")
            .create()?;
        let metadata = consumer.fetch_metadata(Some(topic), Duration::from_secs(30))?;
        let partitions = metadata.topics().first().map_or(0, |topic| topic.partitions().len());
        if partitions == 0 {
            bail!("there is no topic {topic}");
        }
        let mut assignment = TopicPartitionList::new();
        for partition in 0..i32::try_from(partitions)? {
            assignment.add_partition_offset(topic, partition, Offset::Beginning)?;
        }
        consumer.assign(&assignment)?;
        Ok(Self { topic: topic.into(), consumer, partitions, at_end: HashSet::new() })
    }

    /// Reads until there are `enough` records, with a bound.
    fn read(
        mut self,
        what: &str,
        bound: Duration,
        mut enough: impl FnMut(&Self, &[Record]) -> bool,
    ) -> Result<Vec<Record>> {
        let deadline = Instant::now() + bound;
        let mut records = Vec::new();
        while !enough(&self, &records) {
            if Instant::now() > deadline {
                bail!("{}: not {what} within {bound:?}, {} records so far", self.topic, records.len());
            }
            match self.consumer.poll(Duration::from_millis(100)) {
                None => {}
                Some(Ok(message)) => {
                    self.at_end.remove(&message.partition());
                    records.push(record(&message));
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    self.at_end.insert(partition);
                }
                Some(Err(error)) => bail!("reading {}: {error}", self.topic),
            }
        }
        Ok(records)
    }
}

fn record(message: &BorrowedMessage<'_>) -> Record {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers = message.headers().map(|headers| headers.iter()).into_iter().flatten();
    Record {
        partition: message.partition(),
        offset: message.offset(),
        key: message.key().map(text),
        headers: headers.map(|h| (h.key.to_string(), h.value.map(text).unwrap_or_default())).collect(),
        payload: message.payload().map(<[u8]>::to_vec),
    }
}
