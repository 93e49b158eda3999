//! The producer: bounded, idempotent, and unforgiving of a record that was not delivered.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _, ProducerContext};

/// Longer than librdkafka's own `message.timeout.ms`, which decides.
const FLUSH: Duration = Duration::from_secs(330);
/// How many records may wait for their acknowledgement.
const MAX_IN_FLIGHT: &str = "100000";

/// What was sent.
#[derive(Debug, Clone, Copy)]
pub struct Report {
    /// How many records, all acknowledged.
    pub records: u64,
    /// From the first to the last acknowledgement.
    pub elapsed: Duration,
}

#[derive(Default)]
struct Delivered {
    first_error: Option<String>,
    next_offsets: HashMap<(String, i32), i64>,
}

/// Delivery reports, collected.
#[derive(Default)]
struct Reports(Mutex<Delivered>);

impl Reports {
    fn lock(&self) -> MutexGuard<'_, Delivered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Reports {}

impl ProducerContext for Reports {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let mut delivered = self.lock();
        match result {
            Ok(record) => {
                let partition = (record.topic().to_owned(), record.partition());
                let next = delivered.next_offsets.entry(partition).or_default();
                *next = (*next).max(record.offset() + 1);
            }
            Err((error, record)) => {
                let message = || format!("{}, partition {}: {error}", record.topic(), record.partition());
                delivered.first_error.get_or_insert_with(message);
            }
        }
    }
}

/// A producer of records in order.
pub struct Producer {
    inner: BaseProducer<Reports>,
}

impl Producer {
    /// An idempotent producer of a client's configuration.
    pub fn new(mut config: ClientConfig) -> Result<Self> {
        config.set("enable.idempotence", "true").set("acks", "all");
        config.set("queue.buffering.max.messages", MAX_IN_FLIGHT);
        let inner = config.create_with_context(Reports::default()).context("cannot make a Kafka producer")?;
        Ok(Self { inner })
    }

    /// How many partitions a topic has.
    pub fn partitions(&self, topic: &str) -> Result<u32> {
        let metadata = self.inner.client().fetch_metadata(Some(topic), Duration::from_secs(30));
        let metadata = metadata.context("Kafka does not answer; is --bootstrap right, and is it running?")?;
        let found = metadata.topics().iter().find(|t| t.name() == topic && t.error().is_none());
        match found.map(|t| t.partitions().len()).and_then(|n| u32::try_from(n).ok()) {
            Some(partitions) if partitions > 0 => Ok(partitions),
            _ => bail!(
                "Kafka has no topic {topic}; `millrace topics apply <app>` makes the topics of an application"
            ),
        }
    }

    /// Queues one record, waiting while the queue is full.
    pub fn send(&self, topic: &str, partition: i32, key: &[u8], payload: &[u8]) -> Result<()> {
        let mut record = BaseRecord::to(topic).partition(partition).key(key).payload(payload);
        while let Err((error, unsent)) = self.inner.send(record) {
            let full = KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull);
            if error != full {
                return Err(error).with_context(|| format!("cannot produce to {topic}"));
            }
            record = unsent;
            self.inner.poll(Duration::from_millis(10));
            self.check()?;
        }
        Ok(())
    }

    /// Serves delivery reports until an instant; once at least.
    pub fn serve_until(&self, due: Instant) -> Result<()> {
        loop {
            let wait = due.saturating_duration_since(Instant::now());
            self.inner.poll(wait);
            self.check()?;
            if wait.is_zero() {
                return Ok(());
            }
        }
    }

    /// Waits until every record is acknowledged.
    pub fn flush(&self) -> Result<()> {
        // The client's own flush answers at steps of 100 ms.
        let bound = Instant::now() + FLUSH;
        while self.inner.in_flight_count() > 0 {
            if Instant::now() > bound {
                bail!("records are still not acknowledged");
            }
            self.inner.poll(Duration::from_millis(1));
        }
        self.check()
    }

    /// The offset after the last acknowledged record, by topic and partition.
    pub fn next_offsets(&self) -> HashMap<(String, i32), i64> {
        self.inner.context().lock().next_offsets.clone()
    }

    /// How many records are queued or sent, and not acknowledged yet.
    pub fn in_flight(&self) -> u64 {
        u64::try_from(self.inner.in_flight_count()).unwrap_or(0)
    }

    fn check(&self) -> Result<()> {
        match &self.inner.context().lock().first_error {
            Some(error) => bail!("a record was not delivered: {error}"),
            None => Ok(()),
        }
    }
}
