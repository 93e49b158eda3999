//! Reads a dead-letter topic, for people.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use millrace_schemas::envelope::DeadLetter;
use millrace_schemas::{Decoder, SchemaRegistry};
use millrace_topics::KafkaTopic;
use rdkafka::Offset;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message;
use rdkafka::topic_partition_list::TopicPartitionList;

use crate::config::Configuration;
use crate::error::{Error, is_transient};
use crate::kafka::options;
use crate::output::schema;

/// How long Kafka may be silent before the listing gives up.
const SILENCE: Duration = Duration::from_secs(15);

/// Reads all dead letters that `topic` holds now, from the oldest on, partition by partition as they come; `each` is given
/// one at a time. A record that is no dead letter is logged and left out.
pub fn list(
    configuration: &Configuration,
    topic: &KafkaTopic,
    registry: &Arc<dyn SchemaRegistry>,
    mut each: impl FnMut(DeadLetter),
) -> Result<(), Error> {
    let mut decoder = Decoder::new(topic.format, schema(topic)?, registry.clone());
    let what = || format!("cannot read {} from Kafka at {}", topic.name, configuration.kafka_bootstrap);
    let mut config = options::client(configuration, &[]);
    config
        .set("group.id", "millrace-dead-letters-list")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("isolation.level", "read_committed");
    let consumer: BaseConsumer = config.create().map_err(Error::kafka(what()))?;
    // A consumer would try for ever to reach brokers that are not there.
    consumer.fetch_metadata(None, SILENCE).map_err(Error::kafka(what()))?;
    let partitions = i32::try_from(topic.partitions).unwrap_or(i32::MAX);
    let mut assignment = TopicPartitionList::new();
    for partition in 0..partitions {
        assignment
            .add_partition_offset(&topic.name, partition, Offset::Beginning)
            .map_err(Error::kafka(what()))?;
    }
    consumer.assign(&assignment).map_err(Error::kafka(what()))?;
    let mut unread: BTreeSet<i32> = (0..partitions).collect();
    let mut heard = Instant::now();
    while !unread.is_empty() {
        match consumer.poll(SILENCE) {
            None => {
                let source = KafkaError::MessageConsumption(RDKafkaErrorCode::OperationTimedOut);
                return Err(Error::Kafka { what: what(), source });
            }
            Some(Ok(message)) => {
                heard = Instant::now();
                for letter in decode(&mut decoder, topic, message.payload())? {
                    each(letter);
                }
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                heard = Instant::now();
                unread.remove(&partition);
            }
            Some(Err(e)) if is_transient(&e) && heard.elapsed() < SILENCE => {
                tracing::warn!(error = %e, "still trying");
            }
            Some(Err(source)) => return Err(Error::Kafka { what: what(), source }),
        }
    }
    Ok(())
}

fn decode(
    decoder: &mut Decoder,
    topic: &KafkaTopic,
    payload: Option<&[u8]>,
) -> Result<Vec<DeadLetter>, Error> {
    let decoded =
        decoder.decode(&[payload]).map_err(|source| Error::Registry { topic: topic.name.clone(), source })?;
    for rejected in &decoded.rejected {
        tracing::warn!(topic = topic.name, detail = rejected.detail, "a record is no dead letter");
    }
    DeadLetter::from_batch(&decoded.rows)
        .map_err(|source| Error::Schema { topic: topic.name.clone(), source })
}
