//! Follows the topic of deployments, on a thread of its own.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use metrics::counter;
use millrace_schemas::envelope::{Deployment, Record as _};
use millrace_schemas::{Decoder, SchemaRegistry};
use millrace_topics::KafkaTopic;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::Error;
use crate::deployments::{Event, InForce};
use crate::serving::{Champion, FeatureColumns, Serving};

/// How long the thread waits for the next event before it looks whether it is to stop.
const POLL: Duration = Duration::from_millis(100);
/// After a fault (of Kafka, the registry, the model repository) the same is tried again, at most this often.
const RETRY: Duration = Duration::from_secs(1);

/// What the watcher follows, and for whom.
pub struct Watch {
    /// How to reach Kafka.
    pub kafka: ClientConfig,
    /// Where the schemas of events are.
    pub registry: Arc<dyn SchemaRegistry>,
    /// The topic of deployments.
    pub topic: KafkaTopic,
    /// The stem of the prediction topic whose deployments count.
    pub predictions: String,
    /// The model repository.
    pub models: PathBuf,
    /// What a model must fit.
    pub features: FeatureColumns,
    /// What to say as long as there is no deployment.
    pub advice: String,
}

/// The running thread; dropping it stops it.
pub struct Watcher {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watcher {
    /// Starts to follow deployments from the beginning of their topic and to put the one in force into `serving`.
    pub fn start(watch: Watch, serving: Serving) -> Result<Self, Error> {
        let follower = Follower::new(watch, serving.clone())?;
        let (stop, stopped) = channel();
        let thread = std::thread::Builder::new()
            .name(format!("deployments-{}", follower.watch.predictions))
            .spawn(move || {
                let mut alarm = Alarm { serving, armed: true };
                follower.run(&stopped);
                alarm.armed = false;
            })
            .map_err(|source| {
                Error::Application(format!("cannot start the watch on deployments: {source}"))
            })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(Err(_panic)) = self.thread.take().map(JoinHandle::join) {
            tracing::error!("the watch on deployments had failed");
        }
    }
}

/// Goes off where the thread panics: a scorer that misses deployments silently must not go on.
struct Alarm {
    serving: Serving,
    armed: bool,
}

impl Drop for Alarm {
    fn drop(&mut self) {
        if self.armed {
            self.serving.fail("the watch on deployments has failed; its panic is in the log");
        }
    }
}

struct Follower {
    watch: Watch,
    serving: Serving,
    consumer: BaseConsumer,
    decoder: Decoder,
    in_force: InForce,
    next_offset: Option<i64>,
    /// The event that was tried last, and when, if it could not be put into force.
    tried: Option<(i64, Option<Instant>)>,
}

impl Follower {
    fn new(watch: Watch, serving: Serving) -> Result<Self, Error> {
        let fail = |message: String| Error::Deployments { topic: watch.topic.name.clone(), message };
        let schema = watch.topic.schema.clone().ok_or_else(|| fail("its schema is not known".into()))?;
        let mut config = watch.kafka.clone();
        // The client asks for a group, which is never joined: the partition is assigned by hand.
        config
            .set("group.id", format!("{}.watch", watch.topic.name))
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("enable.partition.eof", "true")
            .set("isolation.level", "read_committed")
            // The end of the log is told with an empty answer, which the broker holds back for this long.
            .set("fetch.wait.max.ms", "100")
            .set("auto.offset.reset", "earliest")
            .set("allow.auto.create.topics", "false");
        let consumer: BaseConsumer = config.create().map_err(|error| fail(error.to_string()))?;
        let decoder = Decoder::new(watch.topic.format, schema, watch.registry.clone());
        let in_force = InForce::new(&watch.predictions);
        let follower = Self { watch, serving, consumer, decoder, in_force, next_offset: None, tried: None };
        follower.assign().map_err(|error| Error::Deployments {
            topic: follower.watch.topic.name.clone(),
            message: error.to_string(),
        })?;
        Ok(follower)
    }

    /// Reads on from where it stands.
    fn assign(&self) -> Result<(), KafkaError> {
        let from = self.next_offset.map_or(Offset::Beginning, Offset::Offset);
        let mut partitions = TopicPartitionList::new();
        partitions.add_partition_offset(&self.watch.topic.name, 0, from)?;
        self.consumer.assign(&partitions)
    }

    fn run(mut self, stopped: &Receiver<()>) {
        while stopped.try_recv() == Err(TryRecvError::Empty) {
            let Err(fault) = self.step() else { continue };
            tracing::warn!(topic = %self.watch.topic.name, "{fault}");
            self.serving.wait_because(format!("{}: {fault}", self.watch.topic.name));
            if stopped.recv_timeout(RETRY) == Err(RecvTimeoutError::Timeout)
                && let Err(error) = self.assign()
            {
                tracing::warn!(topic = %self.watch.topic.name, "cannot read on: {error}");
            }
        }
    }

    /// Takes the next event, or at the end of the log puts the last one into force. A fault leaves the place in the log
    /// as it was.
    fn step(&mut self) -> Result<(), String> {
        match self.consumer.poll(POLL) {
            None => self.try_again(),
            Some(Ok(message)) => {
                let (offset, payload) = (message.offset(), message.payload().map(<[u8]>::to_vec));
                drop(message);
                self.take(offset, payload.as_deref())?;
                self.next_offset = Some(offset + 1);
            }
            Some(Err(KafkaError::PartitionEOF(_))) => self.put_into_force(),
            Some(Err(error)) => return Err(error.to_string()),
        }
        Ok(())
    }

    /// An event that cannot be read or is not understood changes nothing and is told.
    fn take(&mut self, offset: i64, payload: Option<&[u8]>) -> Result<(), String> {
        let decoded = self.decoder.decode(&[payload]).map_err(|error| error.to_string())?;
        let unread = decoded.rejected.first().map(|bad| format!("{}: {}", bad.reason.as_str(), bad.detail));
        let read = match unread {
            Some(bad) => Err(bad),
            None => Deployment::from_batch(&decoded.rows).map_err(|error| error.to_string()),
        };
        let taken =
            read.and_then(|events| events.iter().try_for_each(|event| self.in_force.take(offset, event)));
        if let Err(error) = taken {
            tracing::error!(topic = %self.watch.topic.name, offset, "deployment ignored: {error}");
        }
        Ok(())
    }

    fn put_into_force(&mut self) {
        let Some(event) = self.in_force.last().cloned() else {
            self.serving.wait_because(self.watch.advice.clone());
            return;
        };
        if self.tried.is_some_and(|(offset, _)| offset == event.offset) {
            return;
        }
        let error = self.load(&event);
        if let Some(error) = &error {
            tracing::error!(
                topic = %self.watch.topic.name, offset = event.offset, model = %event.champion,
                "deployment failed, what served before goes on serving: {error}"
            );
        }
        self.tried = Some((event.offset, error.map(|_| Instant::now())));
    }

    /// As long as nothing serves, a deployment that failed is tried again: its files may have been mended.
    fn try_again(&mut self) {
        let Some((_, Some(at))) = self.tried else { return };
        if at.elapsed() < RETRY || self.serving.champion().is_ok() {
            return;
        }
        if let Some(event) = self.in_force.last().cloned() {
            let error = self.load(&event);
            self.tried = Some((event.offset, error.map(|_| Instant::now())));
        }
    }

    fn load(&mut self, event: &Event) -> Option<Error> {
        let loaded = Champion::load(&self.watch.models, &event.champion, event.offset, &self.watch.features);
        match loaded {
            Ok(champion) => {
                tracing::info!(
                    topic = %self.watch.predictions, offset = event.offset, model = %event.champion, "deployed"
                );
                self.serving.set(champion);
                self.measure("millrace_deployments_total");
                None
            }
            Err(error) => {
                self.serving.wait_because(format!(
                    "deployment {} of {} cannot serve: {error}",
                    event.offset, self.watch.predictions
                ));
                self.measure("millrace_deployments_failed_total");
                Some(error)
            }
        }
    }

    fn measure(&self, name: &'static str) {
        counter!(name, "topic" => self.watch.predictions.clone()).increment(1);
    }
}

#[cfg(test)]
mod tests;
