//! Writes what tasks tell of versions to the topic of scorer stats, on a thread of its own.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use metrics::counter;
use millrace_runtime::clock::now_ms;
use millrace_schemas::envelope::{Record as _, ScorerStats};
use millrace_schemas::{Encoder, SchemaRegistry};
use millrace_topics::KafkaTopic;
use rdkafka::config::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

use super::{BatchStats, StatsQueue, Sums};
use crate::Error;

/// How many batches may wait to be summed.
const QUEUE: usize = 1_024;
/// How often sums are written.
const EVERY: Duration = Duration::from_secs(1);
/// So many sums are kept at most while they cannot be written; a scorer has far fewer arms and partitions.
const KEPT: usize = 10_000;
/// How long a stop waits for what was sent.
const FLUSH: Duration = Duration::from_secs(1);

/// The running thread; dropping it stops it.
pub struct StatsWriter {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Where stats go.
pub struct StatsTopic {
    /// How to reach Kafka.
    pub kafka: ClientConfig,
    /// Where the schema is registered.
    pub registry: Arc<dyn SchemaRegistry>,
    /// The topic of scorer stats.
    pub topic: KafkaTopic,
    /// The stem of the prediction topic that they are about.
    pub predictions: String,
}

impl StatsWriter {
    /// Starts to write what is put into the queue.
    pub fn start(topic: StatsTopic) -> Result<(Self, StatsQueue), Error> {
        let fail = |what: String| Error::Application(format!("{}: {what}", topic.topic.name));
        let mut config = topic.kafka.clone();
        // Few and small: what cannot be sent within a bound is lost, and counted.
        config
            .set("queue.buffering.max.messages", "10000")
            .set("message.timeout.ms", "30000")
            .set("acks", "1");
        let producer: BaseProducer = config.create().map_err(|error| fail(error.to_string()))?;
        let (sender, told) = sync_channel(QUEUE);
        let (stop, stopped) = channel();
        let name = format!("stats-{}", topic.predictions);
        let writing = Writing { topic, producer, encoder: None, sums: Sums::default() };
        let thread = std::thread::Builder::new().name(name).spawn(move || writing.run(&told, &stopped));
        let thread = thread.map_err(|source| {
            Error::Application(format!("cannot start the writer of scorer stats: {source}"))
        })?;
        Ok((Self { stop: Some(stop), thread: Some(thread) }, StatsQueue::new(sender)))
    }
}

impl Drop for StatsWriter {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(Err(_panic)) = self.thread.take().map(JoinHandle::join) {
            tracing::error!("the writer of scorer stats had failed");
        }
    }
}

struct Writing {
    topic: StatsTopic,
    producer: BaseProducer,
    encoder: Option<Encoder>,
    sums: Sums,
}

impl Writing {
    fn run(mut self, told: &Receiver<BatchStats>, stopped: &Receiver<()>) {
        let mut written = Instant::now();
        let mut open = true;
        while open {
            // The queue wakes this thread at once; a stop is seen within the tenth of a second.
            let wait = EVERY.saturating_sub(written.elapsed()).min(Duration::from_millis(100));
            match told.recv_timeout(wait) {
                Ok(batch) => self.sums.add(&self.topic.predictions, batch),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => open = false,
            }
            open &= stopped.try_recv() != Err(std::sync::mpsc::TryRecvError::Disconnected);
            if !open || written.elapsed() >= EVERY {
                self.write();
                written = Instant::now();
            }
        }
        if let Err(error) = self.producer.flush(FLUSH) {
            tracing::warn!(topic = %self.topic.topic.name, "some scorer stats were not written: {error}");
        }
    }

    fn write(&mut self) {
        self.producer.poll(Duration::ZERO);
        if self.sums.len() == 0 {
            return;
        }
        if self.encoder.is_none() {
            match self.encoder() {
                Ok(encoder) => self.encoder = Some(encoder),
                Err(error) if self.sums.len() < KEPT => {
                    tracing::debug!(topic = %self.topic.topic.name, "scorer stats wait: {error}");
                    return;
                }
                Err(error) => {
                    tracing::warn!(topic = %self.topic.topic.name, "scorer stats are lost: {error}");
                    lost(self.sums.take(0).len());
                    return;
                }
            }
        }
        let stats = self.sums.take(now_ms());
        if let Err(error) = self.send(&stats) {
            tracing::warn!(topic = %self.topic.topic.name, "scorer stats are lost: {error}");
            lost(stats.len());
        }
    }

    fn encoder(&self) -> Result<Encoder, String> {
        let topic = &self.topic.topic;
        let schema = topic.schema.clone().ok_or("its schema is not known")?;
        let id = self
            .topic
            .registry
            .register(&format!("{}-value", topic.name), schema.avro())
            .map_err(|error| error.to_string())?;
        Encoder::new(topic.format, schema, id).map_err(|error| error.to_string())
    }

    fn send(&mut self, stats: &[ScorerStats]) -> Result<(), String> {
        let Some(encoder) = &mut self.encoder else { return Ok(()) };
        let rows = ScorerStats::to_batch(stats).map_err(|error| error.to_string())?;
        let encoded = encoder.encode(&rows).map_err(|error| error.to_string())?;
        let topic = &self.topic.topic;
        for (row, one) in stats.iter().enumerate() {
            let Some(payload) = encoded.get(row) else { continue };
            let key = topic.key.as_deref().map(|column| text_of(one, column));
            let mut record = BaseRecord::<String, [u8]>::to(&topic.name).payload(payload);
            record.key = key.as_ref();
            self.producer.send(record).map_err(|(error, _)| error.to_string())?;
        }
        Ok(())
    }
}

/// The text of a column, where the topic file names one as the key.
fn text_of(stats: &ScorerStats, column: &str) -> String {
    let value =
        serde_json::to_value(stats).ok().and_then(|mut all| all.get_mut(column).map(|one| one.take()));
    match value {
        Some(serde_json::Value::String(text)) => text,
        Some(other) => other.to_string(),
        None => String::new(),
    }
}

fn lost(records: usize) {
    counter!("millrace_scorer_stats_dropped_total").increment(records as u64);
}
