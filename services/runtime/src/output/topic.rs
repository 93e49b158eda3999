//! A topic that a worker writes: its encoder and its partitioner.

use std::sync::Arc;

use arrow::array::{Array, StringArray};
use arrow::record_batch::RecordBatch;
use millrace_schemas::{Encoded, Encoder, Format, RegistryError, SchemaRegistry, TopicSchema};
use millrace_topics::KafkaTopic;

use crate::error::Error;
use crate::source_checks::key_text;

/// A topic that a worker writes.
pub struct OutTopic {
    topic: KafkaTopic,
    name: Arc<str>,
    encoder: Encoder,
}

/// Rows ready to send.
#[derive(Debug)]
pub struct EncodedRows {
    /// Their payloads.
    pub payloads: Encoded,
    /// Their keys; `None`: the topic's records have none.
    pub keys: Option<StringArray>,
    /// Their partitions.
    pub partitions: Vec<i32>,
}

impl EncodedRows {
    /// The key of row `i`.
    pub fn key(&self, i: usize) -> Option<&[u8]> {
        let keys = self.keys.as_ref()?;
        keys.is_valid(i).then(|| keys.value(i).as_bytes())
    }
}

impl OutTopic {
    /// Registers the topic's schema where its format needs that. `Ok(None)`: the registry does not answer yet.
    pub fn open(topic: &KafkaTopic, registry: &dyn SchemaRegistry) -> Result<Option<Self>, Error> {
        let schema = schema(topic)?;
        let id = match topic.format {
            Format::Json => 0,
            Format::Avro => match registry.register(&format!("{}-value", topic.name), schema.avro()) {
                Ok(id) => id,
                Err(RegistryError::Unavailable(why)) => {
                    tracing::warn!(topic = topic.name, why, "the schema registry does not answer");
                    return Ok(None);
                }
                Err(source) => return Err(Error::Registry { topic: topic.name.clone(), source }),
            },
        };
        let encoder = Encoder::new(topic.format, schema, id)
            .map_err(|source| Error::Schema { topic: topic.name.clone(), source })?;
        Ok(Some(Self { topic: topic.clone(), name: topic.name.as_str().into(), encoder }))
    }

    /// The Kafka name.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Encodes rows, which have the topic's Arrow schema.
    pub fn encode(&mut self, rows: &RecordBatch) -> Result<EncodedRows, Error> {
        let payloads = self
            .encoder
            .encode(rows)
            .map_err(|source| Error::Schema { topic: self.topic.name.clone(), source })?;
        let keys = key_text(&self.topic, rows)
            .map_err(|source| Error::Rows { what: self.topic.name.clone(), source })?;
        let mut encoded = EncodedRows { payloads, keys, partitions: Vec::new() };
        encoded.partitions = (0..rows.num_rows())
            .map(|i| {
                let partition = self.topic.partitioner.partition(encoded.key(i), self.topic.partitions);
                i32::try_from(partition).unwrap_or(0)
            })
            .collect();
        Ok(encoded)
    }
}

/// The schema of a topic that is read or written.
pub fn schema(topic: &KafkaTopic) -> Result<Arc<TopicSchema>, Error> {
    let missing = || Error::Configuration(format!("topic {} has no schema", topic.name));
    topic.schema.clone().ok_or_else(missing)
}
