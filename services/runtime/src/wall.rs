//! Threads of services that look at the wall clock, and how they reach Kafka.
//!
//! What such a thread decides it writes as a record before anybody acts on it, so that a replay reads the decision instead
//! of taking it again. Should two processes believe for a moment that it is their turn, both write, which changes nothing.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use arrow::record_batch::RecordBatch;
use millrace_schemas::{Encoder, SchemaRegistry};
use millrace_topics::KafkaTopic;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

/// How often a thread looks.
const LOOK: Duration = Duration::from_secs(1);

/// Why a thread cannot start, or write.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Kafka does not take records.
    #[error("cannot write to {topic}: {source}")]
    Kafka {
        /// The topic's name.
        topic: String,
        /// What the client says.
        source: KafkaError,
    },
    /// Rows do not become records.
    #[error("cannot write to {topic}: {message}")]
    Rows {
        /// The topic's name.
        topic: String,
        /// What is wrong.
        message: String,
    },
    /// The system gives no thread.
    #[error("cannot start the {name}: {source}")]
    Thread {
        /// What the thread is called.
        name: String,
        /// What the system says.
        source: std::io::Error,
    },
}

/// A running thread; it stops with the value.
pub struct Running {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// Calls `look` every second with the ms since the start; a fault is logged, and the next look tries again.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start<E: Display>(
        name: &'static str,
        mut look: impl FnMut(i64) -> Result<(), E> + Send + 'static,
    ) -> Result<Self, Error> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            let started = Instant::now();
            while !stopped.load(Ordering::Relaxed) {
                if let Err(error) = look(i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX)) {
                    tracing::warn!(%error, "the {name} could not tell what it saw; it tries again");
                }
                std::thread::park_timeout(LOOK);
            }
        });
        let thread = thread.map_err(|source| Error::Thread { name: name.to_owned(), source })?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

/// Where a thread reads and writes. Clients are opened when they are needed first.
pub struct Clients {
    kafka: ClientConfig,
    registry: Arc<dyn SchemaRegistry>,
    timeout: Duration,
    producer: Option<BaseProducer>,
    groups: BTreeMap<String, BaseConsumer>,
}

impl Clients {
    /// Of a cluster and a registry; Kafka may take `timeout` for an answer.
    pub fn new(kafka: ClientConfig, registry: Arc<dyn SchemaRegistry>, timeout: Duration) -> Self {
        Self { kafka, registry, timeout, producer: None, groups: BTreeMap::new() }
    }

    /// Gives up all that is open: after a fault the next use opens it anew.
    pub fn close(&mut self) {
        (self.producer, self.groups) = (None, BTreeMap::new());
    }

    /// Writes rows, and waits until they are there. `to`: a row's partition and key.
    ///
    /// # Errors
    /// A topic without a schema, rows that do not fit it, a registry or a cluster that does not answer.
    pub fn write<'a>(
        &mut self,
        topic: &KafkaTopic,
        rows: &RecordBatch,
        to: impl Fn(usize) -> (i32, Option<&'a str>),
    ) -> Result<(), Error> {
        let wrong = |message: String| Error::Rows { topic: topic.name.clone(), message };
        let schema = topic.schema.clone().ok_or_else(|| wrong("it has no schema".into()))?;
        let id = self.registry.register(&format!("{}-value", topic.name), schema.avro());
        let id = id.map_err(|error| wrong(error.to_string()))?;
        let encoder = Encoder::new(topic.format, schema, id);
        let mut encoder = encoder.map_err(|error| wrong(error.to_string()))?;
        let payloads = encoder.encode(rows).map_err(|error| wrong(error.to_string()))?;
        let failed = |source| Error::Kafka { topic: topic.name.clone(), source };
        let producer = match &mut self.producer {
            Some(producer) => producer,
            None => {
                let mut config = self.kafka.clone();
                config.set("acks", "all").set("enable.idempotence", "true");
                self.producer.insert(config.create().map_err(failed)?)
            }
        };
        for row in 0..rows.num_rows() {
            let (partition, key) = to(row);
            let record = BaseRecord::to(&topic.name).partition(partition);
            let record = record.payload(payloads.get(row).unwrap_or_default());
            let record = key.into_iter().fold(record, BaseRecord::key);
            producer.send(record).map_err(|(source, _)| failed(source))?;
        }
        producer.flush(self.timeout).map_err(failed)
    }

    /// Up to which offset a group has committed a partition, if it ever did; none where Kafka does not answer.
    pub fn position(&mut self, group: &str, topic: &str, partition: i32) -> Option<Option<i64>> {
        if !self.groups.contains_key(group) {
            let consumer = self.kafka.clone().set("group.id", group).create().ok()?;
            self.groups.insert(group.to_owned(), consumer);
        }
        let mut list = TopicPartitionList::new();
        list.add_partition(topic, partition);
        let committed = self.groups.get(group)?.committed_offsets(list, self.timeout).ok()?;
        match committed.find_partition(topic, partition)?.offset() {
            Offset::Offset(offset) => Some(Some(offset)),
            _ => Some(None),
        }
    }
}
