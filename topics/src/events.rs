//! A topic of one partition whose records are events of one kind: read whole, appended to.

use std::marker::PhantomData;
use std::sync::Arc;

use millrace_schemas::envelope::Record;
use millrace_schemas::{Decoder, Encoder, RegistryError, SchemaRegistry, TopicSchema};
use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::log::{Writer, read_to_end};
use crate::{Application, KafkaTopic};

/// Records decoded at once.
const CHUNK: usize = 500;

/// Why events cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The topic is not there yet.
    #[error("topic {topic} does not exist; run `millrace topics apply {application}`")]
    NoTopic {
        /// The Kafka name.
        topic: String,
        /// The application.
        application: String,
    },
    /// The topic's schema is not derived.
    #[error("{0} has no schema")]
    NoSchema(String),
    /// Another writer began while this one was at it; nothing was written here.
    #[error("another process writes to {0} at this moment; look at what it deployed and decide again")]
    Overtaken(String),
    /// Kafka did not do what was asked.
    #[error("cannot {what} {topic}: {source}")]
    Kafka {
        /// Read, or write.
        what: &'static str,
        /// The Kafka name.
        topic: String,
        /// What the client says.
        source: KafkaError,
    },
    /// The registry did not do what was asked.
    #[error("schema of {topic}: {source}")]
    Registry {
        /// The Kafka name.
        topic: String,
        /// What the client says.
        source: RegistryError,
    },
    /// A record cannot be encoded or decoded.
    #[error("{topic}: {source}")]
    Record {
        /// The Kafka name.
        topic: String,
        /// What is wrong.
        source: millrace_schemas::Error,
    },
}

impl Error {
    /// What the client says of a topic of an application, in words that say what to do.
    pub fn of_kafka(application: &str, what: &'static str, topic: &str, source: KafkaError) -> Self {
        use RDKafkaErrorCode::{
            Fenced, InvalidProducerEpoch, ProducerFenced, UnknownTopic, UnknownTopicOrPartition,
        };
        let topic = topic.to_owned();
        match source.rdkafka_error_code() {
            Some(UnknownTopicOrPartition | UnknownTopic) => {
                Self::NoTopic { topic, application: application.to_owned() }
            }
            Some(Fenced | ProducerFenced | InvalidProducerEpoch) => Self::Overtaken(topic),
            _ => Self::Kafka { what, topic, source },
        }
    }
}

/// An event that was read, or why it is none.
pub type Read<R> = Result<R, millrace_schemas::Error>;

/// A topic of events of one kind.
#[derive(Clone)]
pub struct Events<R> {
    client: ClientConfig,
    registry: Arc<dyn SchemaRegistry>,
    application: String,
    topic: KafkaTopic,
    schema: Arc<TopicSchema>,
    kind: PhantomData<R>,
}

impl<R: Record> Events<R> {
    /// The events of a topic of `application`, in the cluster that `client` reaches (`bootstrap.servers`, and security
    /// options if any).
    pub fn new(
        client: &ClientConfig,
        registry: Arc<dyn SchemaRegistry>,
        application: &Application,
        topic: &KafkaTopic,
    ) -> Result<Self, Error> {
        let schema = topic.schema.clone().ok_or_else(|| Error::NoSchema(topic.name.clone()))?;
        let (client, application, topic) = (client.clone(), application.name.clone(), topic.clone());
        Ok(Self { client, registry, application, topic, schema, kind: PhantomData })
    }

    /// The topic's Kafka name.
    pub fn name(&self) -> &str {
        &self.topic.name
    }

    /// Every record with its offset, in order. Those that are not of the schema are left out, with a warning.
    pub fn read(&self) -> Result<Vec<(i64, Read<R>)>, Error> {
        let records = read_to_end(&self.client, self.name()).map_err(|source| self.kafka("read", source))?;
        let mut decoder = Decoder::new(self.topic.format, self.schema.clone(), self.registry.clone());
        let mut events = Vec::with_capacity(records.len());
        for chunk in records.chunks(CHUNK) {
            let payloads: Vec<Option<&[u8]>> = chunk.iter().map(|(_, payload)| payload.as_deref()).collect();
            let decoded = decoder.decode(&payloads).map_err(|source| self.registry_error(source))?;
            let offset = |index: usize| chunk.get(index).map(|(offset, _)| *offset);
            for rejected in &decoded.rejected {
                let (topic, offset) = (self.name(), offset(rejected.index));
                tracing::warn!(topic, offset, detail = rejected.detail, "an event cannot be read");
            }
            let read: Vec<Read<R>> = match R::from_batch(&decoded.rows) {
                Ok(all) => all.into_iter().map(Ok).collect(),
                // One by one, since one that cannot be read must not hide the others.
                Err(_) => {
                    (0..decoded.rows.num_rows()).flat_map(|row| one(&decoded.rows.slice(row, 1))).collect()
                }
            };
            events.extend(decoded.index.iter().filter_map(|index| offset(*index)).zip(read));
        }
        Ok(events)
    }

    /// Every event, in order; the first that cannot be read is an error.
    pub fn all(&self) -> Result<Vec<R>, Error> {
        let read = self.read()?.into_iter().map(|(_, event)| event.map_err(|source| self.record(source)));
        read.collect()
    }

    /// A writer; with a transactional id those of the same id that were there before are fenced, see [`Writer`].
    pub fn writer(&self, transactional_id: Option<&str>) -> Result<Writer, Error> {
        Writer::new(&self.client, transactional_id).map_err(|source| self.kafka("write to", source))
    }

    /// Writes events under the keys that `key` gives; their offsets.
    pub fn append(&self, writer: &Writer, events: &[R], key: fn(&R) -> &str) -> Result<Vec<i64>, Error> {
        let subject = format!("{}-value", self.name());
        let registered = self.registry.register(&subject, self.schema.avro());
        let id = registered.map_err(|source| self.registry_error(source))?;
        let encode =
            || Encoder::new(self.topic.format, self.schema.clone(), id)?.encode(&R::to_batch(events)?);
        let encoded = encode().map_err(|source| self.record(source))?;
        let keyed = events.iter().enumerate();
        let records: Vec<(String, Vec<u8>)> =
            keyed.filter_map(|(i, event)| Some((key(event).to_owned(), encoded.get(i)?.to_vec()))).collect();
        writer.write(self.name(), &records).map_err(|source| self.kafka("write to", source))
    }

    fn kafka(&self, what: &'static str, source: KafkaError) -> Error {
        Error::of_kafka(&self.application, what, self.name(), source)
    }

    fn registry_error(&self, source: RegistryError) -> Error {
        Error::Registry { topic: self.name().to_owned(), source }
    }

    fn record(&self, source: millrace_schemas::Error) -> Error {
        Error::Record { topic: self.name().to_owned(), source }
    }
}

/// What one row says.
fn one<R: Record>(row: &arrow::record_batch::RecordBatch) -> Vec<Read<R>> {
    match R::from_batch(row) {
        Ok(read) => read.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error)],
    }
}
