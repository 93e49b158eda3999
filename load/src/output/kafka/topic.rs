//! One topic: its schema in the registry, its encoder, its partitions.

use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use arrow::record_batch::RecordBatch;
use millrace_schemas::{Encoded, Encoder, Format, SchemaRegistry, TopicSchema};
use millrace_topics::Partitioner;

use super::delivery::Producer;

/// Told of each record before it is produced: topic, partition, key, payload.
pub type Told<'a> = &'a mut dyn FnMut(&str, i32, &[u8], &[u8]);

/// Writes the rows of one topic.
pub struct TopicWriter {
    name: String,
    partitions: u32,
    encoder: Encoder,
    encoded: Option<Encoded>,
    next: usize,
}

impl TopicWriter {
    /// A writer with the newest schema of the topic's subject.
    pub fn open(producer: &Producer, registry: &dyn SchemaRegistry, name: &str) -> Result<Self> {
        let partitions = producer.partitions(name)?;
        let subject = format!("{name}-value");
        let (id, avro) = registry.latest(&subject)?.ok_or_else(|| {
            anyhow!(
                "the registry has no subject {subject}; `millrace topics apply <app>` registers the schemas"
            )
        })?;
        let schema = TopicSchema::parse(&avro).with_context(|| format!("the schema of {subject}"))?;
        let encoder = Encoder::new(Format::Avro, Arc::new(schema), id)?;
        Ok(Self { name: name.to_owned(), partitions, encoder, encoded: None, next: 0 })
    }

    /// Encodes the rows that [`Self::send_next`] sends.
    pub fn encode(&mut self, rows: &RecordBatch) -> Result<()> {
        self.encoded = Some(self.encoder.encode(rows).with_context(|| format!("rows of {}", self.name))?);
        self.next = 0;
        Ok(())
    }

    /// Sends the next encoded row to the partition of its key.
    pub fn send_next(&mut self, producer: &Producer, key: &[u8], told: Told<'_>) -> Result<()> {
        let row = self.encoded.as_ref().and_then(|encoded| encoded.get(self.next));
        let row = row.ok_or_else(|| anyhow!("row {} of {} was not encoded", self.next, self.name))?;
        self.next += 1;
        let partition = i32::try_from(Partitioner::Murmur2.partition(Some(key), self.partitions))?;
        told(&self.name, partition, key, row);
        producer.send(&self.name, partition, key, row)
    }
}
