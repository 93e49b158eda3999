//! Threads that look at the wall clock, and how they reach Kafka.
//!
//! What such a thread decides it writes as a record before anybody acts on it, so that a replay reads the decision instead
//! of taking it again. Should two processes believe for a moment that it is their turn, both write, which changes nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use arrow::record_batch::RecordBatch;
use millrace_schemas::{Encoder, SchemaRegistry};
use millrace_topics::KafkaTopic;
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

use super::Error;

const LOOK: Duration = Duration::from_secs(1);
/// How long Kafka may take to answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A running thread; it stops with the value.
pub struct Running {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// Calls `look` every second with the ms since the start; a fault is logged, and the next look tries again.
    pub fn start(
        name: &str,
        mut look: impl FnMut(i64) -> Result<(), Error> + Send + 'static,
    ) -> Result<Self, Error> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            let started = Instant::now();
            while !stopped.load(Ordering::Relaxed) {
                if let Err(error) = look(i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX)) {
                    tracing::warn!(%error, "what is silent could not be told; it is tried again");
                }
                std::thread::park_timeout(LOOK);
            }
        });
        let thread = thread.map_err(|error| Error::internal(format!("cannot start the {name}: {error}")))?;
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

/// How a thread writes records.
pub struct Writer {
    registry: Arc<dyn SchemaRegistry>,
    producer: BaseProducer,
}

impl Writer {
    /// Connects.
    pub fn open(kafka: &ClientConfig, registry: Arc<dyn SchemaRegistry>) -> Result<Self, Error> {
        let producer = kafka.clone().set("acks", "all").set("enable.idempotence", "true").create();
        let failed = |source| Error::Kafka { what: "write what is silent".into(), source };
        Ok(Self { registry, producer: producer.map_err(failed)? })
    }

    /// Writes rows without keys to a partition, and waits until they are there.
    pub fn write(&self, topic: &KafkaTopic, partition: i32, rows: &RecordBatch) -> Result<(), Error> {
        let schema = topic.schema.clone();
        let schema = schema.ok_or_else(|| Error::internal(format!("{} has no schema", topic.name)))?;
        let id = self.registry.register(&format!("{}-value", topic.name), schema.avro());
        let id = id.map_err(Error::internal)?;
        let mut encoder = Encoder::new(topic.format, schema, id).map_err(Error::internal)?;
        let payloads = encoder.encode(rows).map_err(Error::internal)?;
        let failed = |source| Error::Kafka { what: format!("write to {}", topic.name), source };
        for row in 0..rows.num_rows() {
            let record = BaseRecord::<(), [u8]>::to(&topic.name).partition(partition);
            let record = record.payload(payloads.get(row).unwrap_or_default());
            self.producer.send(record).map_err(|(source, _)| failed(source))?;
        }
        self.producer.flush(TIMEOUT).map_err(failed)
    }
}
