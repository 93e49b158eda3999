//! A stream into Kafka, as a foreign client would produce it: Avro in the Confluent wire format, keyed by customer
//! or user, partitioned by murmur2, acknowledged by all replicas, each record once.

mod delivery;
mod follow;
mod topic;
pub mod users;

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use millrace_schemas::{ConfluentRegistry, SchemaRegistry};
use rdkafka::ClientConfig;

use super::pace::Pace;
use super::source::Source;
use delivery::Producer;
pub use delivery::Report;
pub use follow::Follow;
use follow::Lag;
use topic::TopicWriter;

/// Partitions of the topics are never further apart than this in the log: readers that run in step (`max_skew`) then
/// find the stream as a live one.
const FLUSH_EVERY_MS: i64 = 6 * 3_600_000;

/// Where and how a stream is produced.
#[derive(Debug, Clone)]
pub struct Options {
    /// Kafka's `bootstrap.servers`.
    pub bootstrap: String,
    /// The schema registry's URL.
    pub registry: String,
    /// The application, whose topics are `<app>.transactions` and `<app>.labels`.
    pub app: String,
    /// Records per second, payments and labels together; `None`: as fast as the cluster takes them.
    pub rate: Option<f64>,
    /// Consumers that are not left behind.
    pub follow: Option<Follow>,
    /// Options of librdkafka, over the defaults.
    pub kafka: Vec<(String, String)>,
}

impl Options {
    /// Produces as fast as the cluster takes records.
    pub fn new(bootstrap: &str, app: &str) -> Self {
        Self {
            bootstrap: bootstrap.to_owned(),
            registry: String::new(),
            app: app.to_owned(),
            rate: None,
            follow: None,
            kafka: Vec::new(),
        }
    }

    pub(crate) fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.bootstrap).set("client.id", "millrace-load");
        for (option, value) in &self.kafka {
            config.set(option, value);
        }
        config
    }
}

/// Produces events in their order. An event's time is in its row: Kafka's own timestamp is when it was sent. Fails at
/// the first record that the cluster did not acknowledge.
pub fn send<S: Source>(
    source: &S,
    events: impl Iterator<Item = S::Event>,
    options: &Options,
) -> Result<Report> {
    send_watched(source, events, options, &ConfluentRegistry::new(&options.registry)?, &mut ())
}

/// Someone who follows what is sent; `()` does not care.
pub trait Watch<E> {
    /// How many events the next chunk holds at most.
    fn at_most(&self) -> usize {
        usize::MAX
    }

    /// Told of each chunk of events before it is produced: may hold it back, and ends the stream by `false`.
    fn before(&mut self, _events: &[E]) -> bool {
        true
    }

    /// Told of each record before it is produced.
    fn record(&mut self, _topic: &str, _partition: i32, _key: &[u8], _payload: &[u8]) {}
}

impl<E> Watch<E> for () {}

/// [`send`], watched, with the ids of another registry (`options.registry` is not used).
pub fn send_watched<S: Source>(
    source: &S,
    mut events: impl Iterator<Item = S::Event>,
    options: &Options,
    registry: &dyn SchemaRegistry,
    watch: &mut dyn Watch<S::Event>,
) -> Result<Report> {
    let producer = Producer::new(options.client())?;
    let mut writers = Writers::open(source, &producer, registry, &options.app)?;
    let mut lag = options.follow.clone().map(|follow| Lag::new(follow, &options.client())).transpose()?;
    let pace = Pace::new(options.rate);
    let started = Instant::now();
    let (mut sent, mut flushed_ms) = (0, i64::MIN);
    loop {
        let chunk: Vec<S::Event> = events.by_ref().take(pace.chunk().min(watch.at_most())).collect();
        let Some(first) = chunk.first() else { break };
        if source.record_time_ms(first) >= flushed_ms.saturating_add(FLUSH_EVERY_MS) {
            producer.flush()?;
            flushed_ms = source.record_time_ms(first);
        }
        producer.serve_until(started + pace.due(sent).min(Duration::from_secs(u32::MAX.into())))?;
        if let Some(lag) = &mut lag {
            lag.wait(&producer)?;
        }
        if !watch.before(&chunk) {
            break;
        }
        writers.send(&producer, &chunk, watch)?;
        sent += chunk.len() as u64;
    }
    producer.flush()?;
    Ok(Report { records: sent, elapsed: started.elapsed() })
}

/// A writer per topic of a source.
struct Writers<'a, S> {
    source: &'a S,
    topics: Vec<TopicWriter>,
}

impl<'a, S: Source> Writers<'a, S> {
    /// Writers of the topics of an application.
    fn open(source: &'a S, producer: &Producer, registry: &dyn SchemaRegistry, app: &str) -> Result<Self> {
        let open = |stem: &&str| TopicWriter::open(producer, registry, &format!("{app}.{stem}"));
        Ok(Self { source, topics: source.topics().iter().map(open).collect::<Result<_>>()? })
    }

    /// Encodes a batch per topic, then produces in the order of the events.
    fn send(
        &mut self,
        producer: &Producer,
        events: &[S::Event],
        watch: &mut dyn Watch<S::Event>,
    ) -> Result<()> {
        for (writer, rows) in self.topics.iter_mut().zip(self.source.batches(events)?) {
            writer.encode(&rows)?;
        }
        for event in events {
            let (topic, key) = (self.source.topic(event), self.source.key(event));
            let mut told = |topic: &str, partition, key: &[u8], row: &[u8]| {
                watch.record(topic, partition, key, row);
            };
            let writer = self.topics.get_mut(topic).context("an event of no topic")?;
            writer.send_next(producer, key.as_bytes(), &mut told).with_context(|| format!("at {event:?}"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
