//! The records of a topic of one partition: read to the end, written under a transactional id.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

/// How long the cluster may take for all of one step.
const TIMEOUT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(100);
/// A writer that dies holds up readers for this long at most.
const TRANSACTION_TIMEOUT_MS: &str = "10000";

/// A record's offset and payload.
pub type Record = (i64, Option<Vec<u8>>);

/// All committed records of partition 0, in order.
pub fn read_to_end(client: &ClientConfig, topic: &str) -> KafkaResult<Vec<Record>> {
    let mut config = client.clone();
    config
        .set("group.id", format!("{topic}.reader")) // asked for by the client; nothing is committed, nobody joins
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "earliest")
        .set("isolation.level", "read_committed")
        .set("topic.metadata.propagation.max.ms", "2000") // so long a new topic may be unknown to a broker
        .set("enable.partition.eof", "true");
    let consumer: BaseConsumer = config.create()?;
    // A leader that is not known at the assignment is looked for a second later.
    consumer.fetch_metadata(Some(topic), TIMEOUT)?;
    let mut partitions = TopicPartitionList::new();
    partitions.add_partition_offset(topic, 0, Offset::Beginning)?;
    consumer.assign(&partitions)?;
    let deadline = Instant::now() + TIMEOUT;
    let mut records = Vec::new();
    loop {
        match consumer.poll(POLL) {
            // The last offset + 1 never meets the watermark where transactions wrote: only this event tells the end.
            Some(Err(KafkaError::PartitionEOF(_))) => return Ok(records),
            Some(Ok(message)) => records.push((message.offset(), message.payload().map(<[u8]>::to_vec))),
            Some(Err(error)) if !passes(&error) || Instant::now() > deadline => return Err(error),
            None if Instant::now() > deadline => {
                return Err(KafkaError::MessageConsumption(RDKafkaErrorCode::OperationTimedOut));
            }
            Some(Err(_)) | None => {}
        }
    }
}

/// Whether the client goes on trying by itself.
fn passes(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::AllBrokersDown
                | RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::LeaderNotAvailable
                | RDKafkaErrorCode::NotLeaderForPartition
                | RDKafkaErrorCode::RequestTimedOut
        )
    )
}

/// Writes records of partition 0. With a transactional id, writers of the same id that were there before are fenced
/// when it is made, and what they left open is aborted: what is read from then on stays the last until this one writes.
pub struct Writer {
    producer: BaseProducer<Deliveries>,
    transactional: bool,
}

impl Writer {
    /// A writer; without an id its records are not fenced.
    pub fn new(client: &ClientConfig, transactional_id: Option<&str>) -> KafkaResult<Self> {
        let mut config = client.clone();
        config.set("acks", "all");
        if let Some(id) = transactional_id {
            config.set("transactional.id", id).set("transaction.timeout.ms", TRANSACTION_TIMEOUT_MS);
        }
        let producer: BaseProducer<Deliveries> = config.create_with_context(Deliveries::default())?;
        if transactional_id.is_some() {
            producer.init_transactions(TIMEOUT)?;
        }
        Ok(Self { producer, transactional: transactional_id.is_some() })
    }

    /// Writes all records, or with a transactional id none; their offsets, in order.
    pub fn write(&self, topic: &str, records: &[(String, Vec<u8>)]) -> KafkaResult<Vec<i64>> {
        if !self.transactional {
            return self.send(topic, records);
        }
        self.producer.begin_transaction()?;
        let sent = self.send(topic, records).and_then(|offsets| {
            self.producer.commit_transaction(TIMEOUT)?;
            Ok(offsets)
        });
        if sent.is_err() {
            // The error tells more than a failed abort would; the broker aborts by itself in time.
            let _ = self.producer.abort_transaction(TIMEOUT);
        }
        // A fenced producer drops what it holds and tells why only here.
        let fatal = self.producer.client().fatal_error();
        sent.map_err(|error| fatal.map_or(error, |(code, _)| KafkaError::MessageProduction(code)))
    }

    fn send(&self, topic: &str, records: &[(String, Vec<u8>)]) -> KafkaResult<Vec<i64>> {
        for (key, payload) in records {
            let record = BaseRecord::to(topic).partition(0).key(key).payload(payload);
            self.producer.send(record).map_err(|(error, _)| error)?;
        }
        self.producer.flush(TIMEOUT)?;
        self.producer.context().take()
    }
}

/// The outcome of each record sent, in order.
#[derive(Clone, Default)]
struct Deliveries(Arc<Mutex<Vec<KafkaResult<i64>>>>);

impl Deliveries {
    fn take(&self) -> KafkaResult<Vec<i64>> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_iter().collect()
    }
}

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let outcome = match result {
            Ok(message) => Ok(message.offset()),
            Err((error, _)) => Err(error.clone()),
        };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(outcome);
    }
}
