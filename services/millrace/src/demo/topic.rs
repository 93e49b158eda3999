//! A topic as the demo reads it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use arrow::array::RecordBatch;
use millrace_runtime::embedded::{Amount, Flow};
use millrace_schemas::{Decoder, SchemaRegistry};
use millrace_topics::KafkaTopic;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::message::Message as _;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

/// The reader's name in the flow.
const READER: &str = "demo";

/// A topic read from its beginning.
pub struct Topic {
    consumer: BaseConsumer,
    decoder: Decoder,
    flow: Flow,
    name: String,
}

impl Topic {
    /// Opens a topic of the application; what is written to it from now on is in flight until it is read here.
    pub fn open(
        client: &ClientConfig,
        flow: &Flow,
        registry: &Arc<dyn SchemaRegistry>,
        topics: &[KafkaTopic],
        name: &str,
    ) -> Result<Self> {
        let topic = topics.iter().find(|topic| topic.name == name);
        let topic = topic.with_context(|| format!("the application has no topic {name}"))?;
        let schema = topic.schema.clone().with_context(|| format!("{name} has no schema"))?;
        let mut client = client.clone();
        client.set("group.id", READER).set("enable.auto.commit", "false").set("fetch.wait.max.ms", "5");
        let consumer: BaseConsumer = client.create()?;
        let mut assignment = TopicPartitionList::new();
        for partition in 0..i32::try_from(topic.partitions)? {
            assignment.add_partition_offset(name, partition, Offset::Beginning)?;
        }
        consumer.assign(&assignment)?;
        flow.add_reader(READER, name);
        let decoder = Decoder::new(topic.format, schema, registry.clone());
        Ok(Self { consumer, decoder, flow: flow.clone(), name: name.to_owned() })
    }

    /// The rows that are there, waiting `wait` for the first at most.
    pub fn rows(&mut self, wait: Duration) -> Result<Option<RecordBatch>> {
        let mut payloads: Vec<Vec<u8>> = Vec::new();
        while payloads.len() < 4096 {
            let timeout = if payloads.is_empty() { wait } else { Duration::ZERO };
            match self.consumer.poll(timeout) {
                None => break,
                Some(Err(KafkaError::PartitionEOF(_))) => {}
                Some(message) => {
                    let message = message.with_context(|| format!("cannot read {}", self.name))?;
                    let payload = message.payload().unwrap_or_default();
                    let amount = Amount::of_record(message.key(), message.payload());
                    self.flow.read(READER, &self.name, message.partition(), amount);
                    payloads.push(payload.to_vec());
                }
            }
        }
        if payloads.is_empty() {
            return Ok(None);
        }
        let payloads: Vec<Option<&[u8]>> = payloads.iter().map(|p| Some(p.as_slice())).collect();
        let decoded = self.decoder.decode(&payloads)?;
        match decoded.rejected.first() {
            Some(bad) => Err(anyhow!("{}: {}", self.name, bad.detail)),
            None => Ok(Some(decoded.rows)),
        }
    }
}
