//! Follows the topic of deployments, on a thread of its own.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use metrics::counter;
use millrace_runtime::clock::now_ms;
use millrace_schemas::envelope::{Alert, Deployment, Record as _};
use millrace_schemas::{Decoder, SchemaRegistry};
use millrace_topics::KafkaTopic;
use millrace_topics::alerts::Alerts;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::Error;
use crate::deployed::Deployed;
use crate::deployments::{Event, History};
use crate::loading;
use crate::serving::Serving;
use crate::version::FeatureColumns;

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
    /// Whether the topic is of lists, which can be interleaved.
    pub interleaves: bool,
    /// Where what cannot serve is told.
    pub alerts: Alerts,
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
    history: History,
    next_offset: Option<i64>,
    /// The last event when deployments were tried last, and when that was.
    tried: Option<(i64, Instant)>,
    /// Events that were told not to serve.
    told: BTreeSet<i64>,
    /// Alerts that could not be written yet.
    alerts: Vec<Alert>,
    /// What served before, while batches still use it: models are freed on this thread, not on one that scores.
    retired: Vec<Arc<Deployed>>,
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
        let history = History::new(&watch.predictions);
        let follower = Self {
            watch,
            serving,
            consumer,
            decoder,
            history,
            next_offset: None,
            tried: None,
            told: BTreeSet::new(),
            alerts: Vec::new(),
            retired: Vec::new(),
        };
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
        self.retired.retain(|deployed| Arc::strong_count(deployed) > 1);
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
        match read {
            Ok(events) => events.into_iter().for_each(|event| self.history.take(offset, event)),
            Err(error) => {
                tracing::error!(topic = %self.watch.topic.name, offset, "deployment ignored: {error}");
            }
        }
        Ok(())
    }

    fn put_into_force(&mut self) {
        let Some(last) = self.history.newest_first().next() else {
            self.serving.wait_because(self.watch.advice.clone());
            return;
        };
        if self.tried.is_none_or(|(offset, _)| offset != last.offset) {
            self.bring_up(last.offset);
        }
    }

    /// As long as nothing serves, deployments that failed are tried again: their files may have been mended. Alerts are
    /// tried until they are written.
    fn try_again(&mut self) {
        let Some((last, at)) = self.tried else { return };
        if at.elapsed() < RETRY {
            return;
        }
        if self.serving.deployed().is_err() {
            self.bring_up(last);
        } else if !self.alerts.is_empty() {
            self.tried = Some((last, Instant::now()));
            self.raise_alerts();
        }
    }

    /// Loads the last deployment. Where it cannot serve, what served before goes on; a scorer that starts takes the last
    /// one that can.
    fn bring_up(&mut self, last: i64) {
        let before = self.serving.deployed().ok();
        let tried = if before.is_some() { 1 } else { usize::MAX };
        let events: Vec<Event> = self.history.newest_first().take(tried).cloned().collect();
        for event in events {
            let loaded = loading::load(
                &self.watch.models,
                (event.offset, &event.deployment),
                &self.watch.features,
                self.watch.interleaves,
                before.as_deref(),
            );
            match loaded {
                Ok(deployed) => {
                    tracing::info!(
                        topic = %self.watch.predictions, offset = event.offset,
                        champion = %deployed.champion().reference(), mode = deployed.deployment.mode, "deployed"
                    );
                    self.retired.extend(self.serving.set(deployed));
                    self.measure("millrace_deployments_total");
                    break;
                }
                Err(error) => self.failed(&event, last, &error),
            }
        }
        self.tried = Some((last, Instant::now()));
        self.raise_alerts();
    }

    fn failed(&mut self, event: &Event, last: i64, error: &Error) {
        if event.offset == last {
            self.serving.wait_because(format!(
                "deployment {} of {} cannot serve: {error}",
                event.offset, self.watch.predictions
            ));
        }
        if !self.told.insert(event.offset) {
            return;
        }
        self.measure("millrace_deployments_failed_total");
        tracing::error!(
            topic = %self.watch.topic.name, offset = event.offset,
            "deployment failed, what served before goes on serving: {error}"
        );
        let offset = event.offset.to_string();
        self.alerts.push(Alert {
            id: Alert::id_of(&["scorer", "deployment_failed", &self.watch.topic.name, &offset]),
            time_ms: now_ms(),
            service: "scorer".to_owned(),
            kind: "deployment_failed".to_owned(),
            subject: self.watch.predictions.clone(),
            detail: format!("{error}; what served before goes on serving"),
            deployment: Some(event.offset),
        });
    }

    /// Writes the alerts there are. An alert must not keep the next deployment from being followed: one that cannot be
    /// written is tried again.
    fn raise_alerts(&mut self) {
        let alerts = &self.watch.alerts;
        self.alerts.retain(|alert| match alerts.raise(alert) {
            Ok(_) => false,
            Err(error) => {
                tracing::warn!(topic = %self.watch.topic.name, "{error}");
                true
            }
        });
    }

    fn measure(&self, name: &'static str) {
        counter!(name, "topic" => self.watch.predictions.clone()).increment(1);
    }
}

#[cfg(test)]
mod tests;
