//! Carries out decisions: those that ask for a deployment become deployment events, each once.
//!
//! A thread of its own follows the results. A decision saw a deployment; if another is in force by now, a person or another
//! decision came in between: nothing is written, and an alert says so. Should two processes carry out the same decision
//! at once, one fences the other, which then finds it done.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use millrace_runtime::clock::now_ms;
use millrace_schemas::envelope::{Alert, Deployment, ExperimentResult, Record as _};
use millrace_schemas::{Decoder, SchemaRegistry};
use millrace_topics::alerts::Alerts;
use millrace_topics::deployments::{Deployments, Error as DeploymentsError};
use millrace_topics::{Application, KafkaTopic};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::Error;
use crate::deploying;

/// How long the thread waits for the next result before it looks whether it is to stop.
const POLL: Duration = Duration::from_millis(100);
/// After a fault the same is tried again, at most this often.
const RETRY: Duration = Duration::from_secs(1);

/// The running thread; dropping it stops it.
pub struct Deployer {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Deployer {
    /// Starts to follow an application's decisions.
    ///
    /// # Errors
    /// Without a topic of results, or if the thread cannot start.
    pub fn start(
        app: &Application,
        kafka: &ClientConfig,
        registry: Arc<dyn SchemaRegistry>,
    ) -> Result<Self, Error> {
        let results = app.experiments().ok_or_else(|| Error::internal("no topic of results"))?;
        let follower = Follower::new(app.clone(), kafka.clone(), registry, results.kafka.clone())?;
        let (stop, stopped) = channel();
        let thread = std::thread::Builder::new().name("experiments deployer".into());
        let thread = thread.spawn(move || follower.run(&stopped)).map_err(Error::internal)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }

    /// Whether it runs: decisions that nobody carries out must not go unnoticed.
    pub fn is_running(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }
}

impl Drop for Deployer {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(Err(_panic)) = self.thread.take().map(JoinHandle::join) {
            tracing::error!("the thread that carries out decisions had failed");
        }
    }
}

struct Follower {
    app: Application,
    kafka: ClientConfig,
    registry: Arc<dyn SchemaRegistry>,
    topic: KafkaTopic,
    consumer: BaseConsumer,
    decoder: Decoder,
    next_offset: Option<i64>,
}

impl Follower {
    fn new(
        app: Application,
        kafka: ClientConfig,
        registry: Arc<dyn SchemaRegistry>,
        topic: KafkaTopic,
    ) -> Result<Self, Error> {
        let schema = topic.schema.clone().ok_or_else(|| Error::internal("the results have no schema"))?;
        let mut config = kafka.clone();
        // The client asks for a group, which is never joined: the partition is assigned by hand.
        config
            .set("group.id", format!("{}.deployer", topic.name))
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("isolation.level", "read_committed")
            .set("auto.offset.reset", "earliest")
            .set("allow.auto.create.topics", "false");
        let failed = |source| Error::Kafka { what: format!("follow {}", topic.name), source };
        let consumer: BaseConsumer = config.create().map_err(failed)?;
        let decoder = Decoder::new(topic.format, schema, registry.clone());
        let follower = Self { app, kafka, registry, topic, consumer, decoder, next_offset: None };
        follower
            .assign()
            .map_err(|source| Error::Kafka { what: format!("follow {}", follower.topic.name), source })?;
        Ok(follower)
    }

    /// Reads on from where it stands.
    fn assign(&self) -> Result<(), KafkaError> {
        let from = self.next_offset.map_or(Offset::Beginning, Offset::Offset);
        let mut partitions = TopicPartitionList::new();
        partitions.add_partition_offset(&self.topic.name, 0, from)?;
        self.consumer.assign(&partitions)
    }

    fn run(mut self, stopped: &Receiver<()>) {
        while stopped.try_recv() == Err(TryRecvError::Empty) {
            let Err(fault) = self.step() else { continue };
            tracing::warn!(topic = %self.topic.name, "a decision is not carried out yet: {fault}");
            if stopped.recv_timeout(RETRY) == Err(RecvTimeoutError::Timeout)
                && let Err(error) = self.assign()
            {
                tracing::warn!(topic = %self.topic.name, "cannot read on: {error}");
            }
        }
    }

    /// Takes the next result. A fault leaves the place in the log as it was.
    fn step(&mut self) -> Result<(), String> {
        let (offset, payload) = match self.consumer.poll(POLL) {
            None => return Ok(()),
            Some(Ok(message)) => (message.offset(), message.payload().map(<[u8]>::to_vec)),
            Some(Err(error)) => return Err(error.to_string()),
        };
        let decoded = self.decoder.decode(&[payload.as_deref()]).map_err(|error| error.to_string())?;
        match ExperimentResult::from_batch(&decoded.rows) {
            Ok(events) => events.iter().try_for_each(|event| self.take(event))?,
            Err(error) => {
                tracing::error!(topic = %self.topic.name, offset, "a result is passed over: {error}")
            }
        }
        self.next_offset = Some(offset + 1);
        Ok(())
    }

    fn take(&self, event: &ExperimentResult) -> Result<(), String> {
        let Some(text) = &event.deploys else { return Ok(()) };
        let wanted: Deployment = match serde_json::from_str(text) {
            Ok(wanted) => wanted,
            Err(error) => {
                return self.alert(
                    event,
                    "refused_decision",
                    &format!("its deployment cannot be read: {error}"),
                );
            }
        };
        let registry = self.registry.clone();
        let deployments =
            Deployments::new(&self.kafka, registry, &self.app, true).map_err(|error| error.to_string())?;
        let there = deployments.read().map_err(|error| error.to_string())?;
        if there.iter().any(|(_, deployment)| deployment.cause == event.id) {
            return Ok(());
        }
        let wanted = Deployment { time_ms: now_ms(), ..wanted };
        // What a person is refused no decision may have.
        if let Err(error) = deploying::check(&wanted, &there) {
            return self.alert(event, "refused_decision", &error.to_string());
        }
        match deployments.write(wanted, Some(event.deployment)) {
            Ok(offset) => {
                tracing::info!(experiment = event.experiment, offset, decision = event.id, "deployed");
                Ok(())
            }
            Err(DeploymentsError::Changed { last, .. }) => {
                // Another process may have carried it out in between.
                let there = deployments.read().map_err(|error| error.to_string())?;
                if there.iter().any(|(_, deployment)| deployment.cause == event.id) {
                    return Ok(());
                }
                let last = last.map_or("none".to_owned(), |last| last.to_string());
                self.alert(
                    event,
                    "stale_decision",
                    &format!("it saw deployment {}, and the last one is {last} by now", event.deployment),
                )
            }
            Err(error) => Err(error.to_string()),
        }
    }

    fn alert(&self, event: &ExperimentResult, kind: &str, why: &str) -> Result<(), String> {
        let alert = not_carried_out(event, kind, why);
        let alerts = Alerts::new(&self.kafka, self.registry.clone(), &self.app, true);
        let raised = alerts.and_then(|alerts| alerts.raise(&alert)).map_err(|error| error.to_string())?;
        if raised {
            tracing::warn!(experiment = event.experiment, decision = event.id, "{}", alert.detail);
        }
        Ok(())
    }
}

/// What a person should know of a decision that changed nothing.
fn not_carried_out(event: &ExperimentResult, kind: &str, why: &str) -> Alert {
    let decided = event.decision.map(|decided| decided.to_string()).unwrap_or_default();
    Alert {
        id: Alert::id_of(&["experiments", kind, &event.id]),
        time_ms: now_ms(),
        service: "experiments".to_owned(),
        kind: kind.to_owned(),
        subject: event.experiment.clone(),
        detail: format!(
            "the decision to {decided} was not carried out: {why}; what serves goes on serving, and `millrace experiment stop` \
             ends the experiment"
        ),
        deployment: Some(event.deployment),
    }
}
