//! Simulated users on Kafka: they read lists and answer with impressions and clicks.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use millrace_schemas::envelope::ranking::AVRO;
use millrace_schemas::{Decoder, Format, SchemaRegistry, TopicSchema};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::message::{Message as _, OwnedMessage};
use rdkafka::{Offset, TopicPartitionList};

use super::delivery::Producer;
use super::{Options, Watch, Writers};
use crate::output::source::Visits;
use crate::ranking::{Answers, Event, Ledger, Shown};

/// The stem of the topic of lists.
const RANKINGS: &str = "rankings";
/// Lists that are read before what they cause is written.
const AT_ONCE: usize = 500;
const TIMEOUT: Duration = Duration::from_secs(30);
const WAIT: Duration = Duration::from_millis(20);

/// Someone who follows the users, and ends their day.
pub trait Attend: Watch<Event> {
    /// Whether to go on, `lists` having been read so far.
    fn go_on(&mut self, lists: u64) -> bool;

    /// Told of each list whose answer is written, or is waiting for its time.
    fn read(&mut self, _topic: &str, _partition: i32, _key: Option<&[u8]>, _payload: Option<&[u8]>) {}
}

/// Where lists are read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum From {
    /// After the last one that an earlier reader answered; the first reader reads all.
    LeftOff,
    /// Those that come from now on.
    Now,
    /// All that the topic has.
    Beginning,
}

/// As [`answer_from`], all that the topic has.
pub fn answer(
    source: &Visits,
    answers: Answers,
    options: &Options,
    registry: &Arc<dyn SchemaRegistry>,
    attend: &mut dyn Attend,
) -> Result<Ledger> {
    answer_from(From::Beginning, source, answers, options, registry, attend)
}

/// Reads lists of the application's topic of rankings, and writes what users do with them, until
/// `attend` ends it; then what is still to come, too. A list that is read again is answered once.
pub fn answer_from(
    from: From,
    source: &Visits,
    mut answers: Answers,
    options: &Options,
    registry: &Arc<dyn SchemaRegistry>,
    attend: &mut dyn Attend,
) -> Result<Ledger> {
    let producer = Producer::new(options.client())?;
    let mut writers = Writers::open(source, &producer, registry.as_ref(), &options.app)?;
    let mut lists = Lists::open(from, &producer, options, registry)?;
    let mut read = 0;
    while attend.go_on(read) {
        let messages = lists.poll()?;
        let mut events = Vec::new();
        for (message, shown) in lists.decode(&messages)? {
            read += 1;
            events.extend(answers.take(message.partition(), &shown));
        }
        writers.send(&producer, &events, &mut Told(attend))?;
        producer.serve_until(std::time::Instant::now())?;
        for message in &messages {
            attend.read(message.topic(), message.partition(), message.key(), message.payload());
        }
    }
    writers.send(&producer, &answers.rest(), &mut Told(attend))?;
    producer.flush()?;
    if from == From::LeftOff {
        lists.leave()?;
    }
    Ok(answers.into_ledger())
}

/// The watching half of who attends.
struct Told<'a>(&'a mut dyn Attend);

impl Watch<Event> for Told<'_> {
    fn record(&mut self, topic: &str, partition: i32, key: &[u8], payload: &[u8]) {
        self.0.record(topic, partition, key, payload);
    }
}

/// Where an earlier reader left each partition, else as it is in `partitions`.
fn left_off(consumer: &BaseConsumer, partitions: TopicPartitionList) -> Result<TopicPartitionList> {
    let mut from = TopicPartitionList::new();
    for one in consumer.committed_offsets(partitions, TIMEOUT)?.elements() {
        let offset = if let Offset::Offset(_) = one.offset() { one.offset() } else { Offset::Beginning };
        from.add_partition_offset(one.topic(), one.partition(), offset)?;
    }
    Ok(from)
}

/// The lists of all partitions.
struct Lists {
    consumer: BaseConsumer,
    decoder: Decoder,
    topic: String,
}

impl Lists {
    fn open(
        from: From,
        producer: &Producer,
        options: &Options,
        registry: &Arc<dyn SchemaRegistry>,
    ) -> Result<Self> {
        let topic = format!("{}.{RANKINGS}", options.app);
        let mut client = options.client();
        client
            .set("group.id", "millrace-load-users")
            .set("enable.auto.commit", "false")
            .set("isolation.level", "read_committed")
            .set("auto.offset.reset", "earliest");
        let consumer: BaseConsumer = client.create().context("cannot make a Kafka client")?;
        let mut partitions = TopicPartitionList::new();
        let start = if from == From::Now { Offset::End } else { Offset::Beginning };
        for partition in 0..producer.partitions(&topic)? {
            partitions.add_partition_offset(&topic, i32::try_from(partition)?, start)?;
        }
        if from == From::LeftOff {
            partitions = left_off(&consumer, partitions)
                .with_context(|| format!("cannot read where {topic} was left"))?;
        }
        consumer.assign(&partitions)?;
        let schema = Arc::new(TopicSchema::parse(AVRO)?);
        let decoder = Decoder::new(Format::Avro, schema, registry.clone());
        Ok(Self { consumer, decoder, topic })
    }

    /// Notes that all lists so far are answered, for the next reader.
    fn leave(&self) -> Result<()> {
        let positions = self.consumer.position()?;
        let mut read = TopicPartitionList::new();
        for one in positions.elements() {
            // A partition without a list has no position.
            if let Offset::Offset(_) = one.offset() {
                read.add_partition_offset(one.topic(), one.partition(), one.offset())?;
            }
        }
        if read.count() > 0 {
            self.consumer
                .commit(&read, CommitMode::Sync)
                .with_context(|| format!("cannot note what of {} is read", self.topic))?;
        }
        Ok(())
    }

    /// What is there, up to a bound.
    fn poll(&self) -> Result<Vec<OwnedMessage>> {
        let mut messages = Vec::new();
        let mut wait = WAIT;
        while messages.len() < AT_ONCE
            && let Some(message) = self.consumer.poll(wait)
        {
            messages.push(message.with_context(|| format!("cannot read {}", self.topic))?.detach());
            wait = Duration::ZERO;
        }
        Ok(messages)
    }

    fn decode<'m>(&mut self, messages: &'m [OwnedMessage]) -> Result<Vec<(&'m OwnedMessage, Shown)>> {
        let payloads: Vec<Option<&[u8]>> = messages.iter().map(|message| message.payload()).collect();
        let decoded = self.decoder.decode(&payloads)?;
        if let Some(bad) = decoded.rejected.first() {
            return Err(anyhow!("{}: a list cannot be read: {}", self.topic, bad.detail));
        }
        Ok(messages.iter().zip(Shown::read(&decoded.rows)?).collect())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
