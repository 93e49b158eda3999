//! The clock: looks every second for inputs that are silent, and writes ticks for them.
//!
//! Should two processes believe for a moment that a partition is theirs, both write, and the later tick counts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use millrace_schemas::{Encoder, SchemaRegistry};
use millrace_topics::KafkaTopic;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

use super::Source;
use super::silence::{Tasks, Watch};
use super::ticks::{Tick, encode};
use crate::service::Error;

const LOOK: Duration = Duration::from_secs(1);
/// How long Kafka may take to answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// What the clock does.
pub struct Clock {
    /// How to reach the cluster.
    pub kafka: ClientConfig,
    /// Where schema ids come from.
    pub registry: Arc<dyn SchemaRegistry>,
    /// The topics that may be silent.
    pub topics: BTreeMap<Source, String>,
    /// Where ticks go.
    pub ticks: KafkaTopic,
    /// How long an input must be silent, in ms.
    pub max_wait_ms: i64,
    /// The tasks of this process.
    pub tasks: Tasks,
}

/// The running clock; it stops with the value.
pub struct Running {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Clock {
    /// Starts the clock's thread.
    pub fn start(self) -> Result<Running, Error> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::Builder::new().name("clicks clock".into()).spawn(move || {
            let (mut watch, mut clients, started) = (Watch::default(), None, Instant::now());
            while !stopped.load(Ordering::Relaxed) {
                let now_ms = i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX);
                if let Err(error) = self.look(&mut watch, &mut clients, now_ms) {
                    tracing::warn!(%error, "ticks for silent topics could not be written; it is tried again");
                    clients = None;
                }
                std::thread::park_timeout(LOOK);
            }
        });
        let thread = thread.map_err(|error| Error::Internal(format!("cannot start the clock: {error}")))?;
        Ok(Running { stop, thread: Some(thread) })
    }

    fn look(&self, watch: &mut Watch, clients: &mut Option<Clients>, now_ms: i64) -> Result<(), Error> {
        let told = self.tasks.told();
        if told.values().all(|told| told.wakes.iter().all(Option::is_none)) {
            *watch = Watch::default();
            return Ok(());
        }
        let clients = match clients {
            Some(clients) => clients,
            None => clients.insert(Clients::open(&self.kafka)?),
        };
        let due = watch.due(&told, self.max_wait_ms, now_ms, |partition, source| {
            let topic = self.topics.get(&source)?;
            clients.looks.fetch_watermarks(topic, partition, TIMEOUT).ok().map(|(_, high)| high)
        });
        for (partition, tick) in &due {
            tracing::info!(
                topic = self.topics.get(&tick.source).map_or("", String::as_str),
                partition,
                to_ms = tick.time_ms,
                "no rows for a while: lists and clicks no longer wait for this partition"
            );
            self.write(clients, *partition, *tick)?;
            watch.ticked(*partition, *tick);
        }
        Ok(())
    }

    fn write(&self, clients: &Clients, partition: i32, tick: Tick) -> Result<(), Error> {
        let topic = &self.ticks;
        let schema = topic.schema.clone().ok_or_else(|| Error::internal("ticks have no schema"))?;
        let id = self.registry.register(&format!("{}-value", topic.name), schema.avro());
        let id = id.map_err(Error::internal)?;
        let mut encoder = Encoder::new(topic.format, schema, id).map_err(Error::internal)?;
        let payloads = encoder.encode(&encode(&[tick])?).map_err(Error::internal)?;
        let failed = |source| Error::Kafka { what: format!("write to {}", topic.name), source };
        let record = BaseRecord::<(), [u8]>::to(&topic.name).partition(partition);
        let record = record.payload(payloads.get(0).unwrap_or_default());
        clients.writes.send(record).map_err(|(source, _)| failed(source))?;
        clients.writes.flush(TIMEOUT).map_err(failed)
    }
}

/// How the clock reaches Kafka.
struct Clients {
    looks: BaseConsumer,
    writes: BaseProducer,
}

impl Clients {
    fn open(kafka: &ClientConfig) -> Result<Self, Error> {
        let failed = |source| Error::Kafka { what: "reach Kafka for ticks".into(), source };
        let writes = kafka.clone().set("acks", "all").set("enable.idempotence", "true").create();
        Ok(Self { looks: kafka.create().map_err(failed)?, writes: writes.map_err(failed)? })
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
