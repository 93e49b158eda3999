//! A worker's consumer: rebalances are noted where librdkafka reports them, and handled by the worker afterwards.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::base_consumer::PartitionQueue;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::RDKafkaRespErr;

use crate::error::{Error, is_transient};
use crate::wake::Wake;

/// What the group decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rebalance {
    /// These partitions are the worker's now.
    Assign(Vec<(String, i32)>),
    /// None is any more.
    Revoke,
}

/// Keeps what librdkafka reports while it is polled. A rebalance waits for the worker's own call of `assign` or
/// `unassign`, so it may be handled after the poll has returned, with everything the worker owns at hand.
#[derive(Default)]
pub struct Events {
    group: String,
    rebalances: Mutex<VecDeque<Rebalance>>,
    closing: AtomicBool,
}

impl ClientContext for Events {
    fn log(&self, level: RDKafkaLogLevel, fac: &str, message: &str) {
        log("consumer", level, fac, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if !matches!(error, KafkaError::Global(rdkafka::error::RDKafkaErrorCode::PartitionEOF)) {
            tracing::debug!(%error, reason, "consumer");
        }
    }

    fn stats(&self, statistics: rdkafka::Statistics) {
        for (topic, of_topic) in &statistics.topics {
            for (partition, of_partition) in &of_topic.partitions {
                if of_partition.consumer_lag >= 0 {
                    crate::metrics::lag(&self.group, topic, *partition, of_partition.consumer_lag);
                }
            }
        }
    }
}

impl ConsumerContext for Events {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        err: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        if self.closing.load(Ordering::Acquire) {
            let _ = consumer.unassign();
            return;
        }
        let event = match err {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => Rebalance::Assign(
                partitions.elements().iter().map(|e| (e.topic().to_owned(), e.partition())).collect(),
            ),
            _ => Rebalance::Revoke,
        };
        self.rebalances.lock().unwrap_or_else(PoisonError::into_inner).push_back(event);
    }
}

/// Passes librdkafka's own log on.
pub fn log(client: &str, level: RDKafkaLogLevel, fac: &str, message: &str) {
    match level {
        RDKafkaLogLevel::Emerg
        | RDKafkaLogLevel::Alert
        | RDKafkaLogLevel::Critical
        | RDKafkaLogLevel::Error => {
            tracing::warn!(target: "librdkafka", client, fac, "{message}");
        }
        RDKafkaLogLevel::Warning | RDKafkaLogLevel::Notice => {
            tracing::info!(target: "librdkafka", client, fac, "{message}");
        }
        _ => tracing::debug!(target: "librdkafka", client, fac, "{message}"),
    }
}

/// A partition's own queue: messages, errors and its end-of-partition events.
pub type Queue = PartitionQueue<Events>;

/// A worker's consumer.
pub struct Inlet {
    consumer: Arc<BaseConsumer<Events>>,
    wake: Wake,
}

impl Inlet {
    /// Creates the client; `wake` is woken when any queue of it gets something.
    pub fn open(config: &ClientConfig, group: &str, wake: Wake) -> Result<Self, Error> {
        let mut consumer: BaseConsumer<Events> = config
            .create_with_context(Events { group: group.to_owned(), ..Events::default() })
            .map_err(Error::kafka("cannot create a consumer"))?;
        let on_event = wake.clone();
        consumer.set_nonempty_callback(move || on_event.wake());
        Ok(Self { consumer: Arc::new(consumer), wake })
    }

    /// Joins the group for these topics.
    pub fn subscribe(&self, topics: &[&str]) -> Result<(), Error> {
        self.consumer.subscribe(topics).map_err(Error::kafka(format!("cannot subscribe to {topics:?}")))
    }

    /// The client itself.
    pub fn client(&self) -> &BaseConsumer<Events> {
        &self.consumer
    }

    /// Serves librdkafka's events without waiting. Errors that pass are logged.
    pub fn serve(&self) -> Result<(), Error> {
        // Rebalances and commits answer with nothing even where more events follow: the queue wakes the worker again.
        for _ in 0..16 {
            match self.consumer.poll(Duration::ZERO) {
                None => break,
                Some(Ok(_)) => {
                    return Err(Error::Configuration("a record came without its partition's queue".into()));
                }
                Some(Err(KafkaError::PartitionEOF(_))) => {}
                Some(Err(e)) => note("consumer", e)?,
            }
        }
        Ok(())
    }

    /// The next rebalance that [`serve`](Self::serve) met.
    pub fn rebalance(&self) -> Option<Rebalance> {
        self.rebalances().pop_front()
    }

    /// Whether a rebalance waits to be handled.
    pub fn rebalancing(&self) -> bool {
        !self.rebalances().is_empty()
    }

    /// Starts consuming these partitions at these offsets, each from a queue of its own, in the same order. The queues are
    /// split first: nothing can then arrive elsewhere.
    pub fn assign(&self, partitions: &[(&str, i32, i64)]) -> Result<Vec<Queue>, Error> {
        let mut list = TopicPartitionList::new();
        let mut queues = Vec::with_capacity(partitions.len());
        for &(topic, partition, offset) in partitions {
            let what = || format!("cannot consume {topic}/{partition} from {offset}");
            let mut queue = self
                .consumer
                .split_partition_queue(topic, partition)
                .ok_or_else(|| Error::Configuration(what()))?;
            let wake = self.wake.clone();
            queue.set_nonempty_callback(move || wake.wake());
            queues.push(queue);
            list.add_partition_offset(topic, partition, rdkafka::Offset::Offset(offset))
                .map_err(Error::kafka(what()))?;
        }
        self.consumer.assign(&list).map_err(Error::kafka("cannot assign"))?;
        self.wake.wake();
        Ok(queues)
    }

    /// Fetches a partition from `offset` on once more: its queue gets the records from there, or the end of the partition
    /// as it is then.
    pub fn look_again(&self, topic: &str, partition: i32, offset: i64) -> Result<(), Error> {
        self.consumer
            .seek(topic, partition, rdkafka::Offset::Offset(offset), Duration::ZERO)
            .map_err(Error::kafka(format!("cannot seek in {topic}/{partition}")))
    }

    /// Gives all partitions back.
    pub fn unassign(&self) -> Result<(), Error> {
        self.consumer.unassign().map_err(Error::kafka("cannot give partitions back"))
    }

    fn rebalances(&self) -> std::sync::MutexGuard<'_, VecDeque<Rebalance>> {
        self.consumer.context().rebalances.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Inlet {
    fn drop(&mut self) {
        self.consumer.context().closing.store(true, Ordering::Release);
    }
}

/// Logs an error that passes by itself; any other one stops the worker.
pub fn note(what: &str, error: KafkaError) -> Result<(), Error> {
    use rdkafka::error::RDKafkaErrorCode as Code;
    let code = error.rdkafka_error_code();
    let passing = matches!(
        code,
        Some(
            Code::UnknownTopicOrPartition
                | Code::UnknownTopic
                | Code::UnknownPartition
                | Code::PollExceeded
                | Code::IllegalGeneration
                | Code::UnknownMemberId
                | Code::RebalanceInProgress
                | Code::TopicAuthorizationFailed
        )
    );
    if matches!(error, KafkaError::MessageConsumptionFatal(_)) || !(passing || is_transient(&error)) {
        return Err(Error::Kafka { what: what.to_owned(), source: error });
    }
    tracing::warn!(%error, what, "kafka reports");
    Ok(())
}
