//! A stream into Kafka, as a foreign client would produce it: Avro in the Confluent wire format, keyed by customer,
//! partitioned by murmur2, acknowledged by all replicas, each record once.

mod delivery;
mod follow;
mod topic;

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use millrace_schemas::{ConfluentRegistry, SchemaRegistry};
use rdkafka::ClientConfig;

use super::pace::Pace;
use crate::fraud::{Event, Label, Payment, labels_batch, payments_batch};
use delivery::{Producer, Report};
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

    fn client(&self) -> ClientConfig {
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
pub fn send(events: impl Iterator<Item = Event>, options: &Options) -> Result<Report> {
    send_watched(events, options, &ConfluentRegistry::new(&options.registry)?, &mut ())
}

/// Someone who follows what is sent; `()` does not care.
pub trait Watch {
    /// How many events the next chunk holds at most.
    fn at_most(&self) -> usize {
        usize::MAX
    }

    /// Told of each chunk of events before it is produced: may hold it back, and ends the stream by `false`.
    fn before(&mut self, _events: &[Event]) -> bool {
        true
    }

    /// Told of each record before it is produced.
    fn record(&mut self, _topic: &str, _partition: i32, _key: &[u8], _payload: &[u8]) {}
}

impl Watch for () {}

/// [`send`], watched, with the ids of another registry (`options.registry` is not used).
pub fn send_watched(
    mut events: impl Iterator<Item = Event>,
    options: &Options,
    registry: &dyn SchemaRegistry,
    watch: &mut dyn Watch,
) -> Result<Report> {
    let producer = Producer::new(options.client())?;
    let mut writers = Writers {
        payments: TopicWriter::open(&producer, registry, &format!("{}.transactions", options.app))?,
        labels: TopicWriter::open(&producer, registry, &format!("{}.labels", options.app))?,
    };
    let mut lag = options.follow.clone().map(|follow| Lag::new(follow, &options.client())).transpose()?;
    let pace = Pace::new(options.rate);
    let started = Instant::now();
    let (mut sent, mut flushed_ms) = (0, i64::MIN);
    loop {
        let chunk: Vec<Event> = events.by_ref().take(pace.chunk().min(watch.at_most())).collect();
        let Some(first) = chunk.first() else { break };
        if first.record_time_ms() >= flushed_ms.saturating_add(FLUSH_EVERY_MS) {
            producer.flush()?;
            flushed_ms = first.record_time_ms();
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

struct Writers {
    payments: TopicWriter,
    labels: TopicWriter,
}

impl Writers {
    /// Encodes a batch per topic, then produces in the order of the events.
    fn send(&mut self, producer: &Producer, events: &[Event], watch: &mut dyn Watch) -> Result<()> {
        let (mut payments, mut labels): (Vec<Payment>, Vec<Label>) = (Vec::new(), Vec::new());
        for event in events {
            match event {
                Event::Payment(payment) => payments.push(*payment),
                Event::Label(label) => labels.push(*label),
            }
        }
        self.payments.encode(&payments_batch(&payments)?)?;
        self.labels.encode(&labels_batch(&labels)?)?;
        for event in events {
            let writer = match event {
                Event::Payment(_) => &mut self.payments,
                Event::Label(_) => &mut self.labels,
            };
            let key = event.customer().to_string();
            writer.send_next(producer, key.as_bytes(), watch).with_context(|| format!("at {event:?}"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
