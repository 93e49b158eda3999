//! What a person should know of how services do: written to an application's topic of alerts, once each.

use std::sync::Arc;

use millrace_schemas::envelope::{Alert, Record as _};
use millrace_schemas::{Decoder, Encoder, RegistryError, SchemaRegistry, TopicSchema};
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;

use crate::log::{Writer, read_to_end};
use crate::{Application, KafkaTopic};

/// Why an alert was not written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The application has no topic of alerts, since it predicts nothing.
    #[error("application `{0}` predicts nothing, so it has no alerts")]
    NoAlerts(String),
    /// Kafka did not do what was asked.
    #[error("cannot write an alert to {topic}: {source}")]
    Kafka {
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
    /// An alert cannot be encoded.
    #[error("{topic}: {source}")]
    Record {
        /// The Kafka name.
        topic: String,
        /// What is wrong.
        source: millrace_schemas::Error,
    },
}

/// The topic of alerts of an application.
#[derive(Clone)]
pub struct Alerts {
    client: ClientConfig,
    registry: Arc<dyn SchemaRegistry>,
    topic: KafkaTopic,
    schema: Arc<TopicSchema>,
    transactional: bool,
}

impl Alerts {
    /// The alerts of `application`, in the cluster that `client` reaches. `transactional` is false for an in-process
    /// cluster alone: its one process needs no fence.
    pub fn new(
        client: &ClientConfig,
        registry: Arc<dyn SchemaRegistry>,
        application: &Application,
        transactional: bool,
    ) -> Result<Self, Error> {
        let topic = application.alerts().map(|topic| topic.kafka.clone());
        let found = topic.and_then(|topic| Some((topic.schema.clone()?, topic)));
        let (schema, topic) = found.ok_or_else(|| Error::NoAlerts(application.name.clone()))?;
        Ok(Self { client: client.clone(), registry, topic, schema, transactional })
    }

    /// Writes an alert unless one with its id is there; whether it did. Of several processes that raise the same one,
    /// one writes it: each fences those before it, and reads what they wrote.
    pub fn raise(&self, alert: &Alert) -> Result<bool, Error> {
        let id = format!("{}.{}", self.topic.name, alert.id);
        let writer = Writer::new(&self.client, self.transactional.then_some(id.as_str()));
        let writer = writer.map_err(|source| self.kafka(source))?;
        if self.read()?.iter().any(|known| known.id == alert.id) {
            return Ok(false);
        }
        let subject = format!("{}-value", self.topic.name);
        let registered = self.registry.register(&subject, self.schema.avro());
        let schema_id = registered.map_err(|source| self.registry_error(source))?;
        let encode = || {
            let rows = Alert::to_batch(std::slice::from_ref(alert))?;
            Encoder::new(self.topic.format, self.schema.clone(), schema_id)?.encode(&rows)
        };
        let encoded = encode().map_err(|source| self.record(source))?;
        let payload = encoded.get(0).map(<[u8]>::to_vec).unwrap_or_default();
        let written = writer.write(&self.topic.name, &[(alert.id.clone(), payload)]);
        written.map_err(|source| self.kafka(source))?;
        Ok(true)
    }

    /// Every alert that is there and can be read, in order.
    pub fn read(&self) -> Result<Vec<Alert>, Error> {
        let records = read_to_end(&self.client, &self.topic.name).map_err(|source| self.kafka(source))?;
        let payloads: Vec<Option<&[u8]>> = records.iter().map(|(_, payload)| payload.as_deref()).collect();
        let mut decoder = Decoder::new(self.topic.format, self.schema.clone(), self.registry.clone());
        let decoded = decoder.decode(&payloads).map_err(|source| self.registry_error(source))?;
        Alert::from_batch(&decoded.rows).map_err(|source| self.record(source))
    }

    fn kafka(&self, source: KafkaError) -> Error {
        Error::Kafka { topic: self.topic.name.clone(), source }
    }

    fn registry_error(&self, source: RegistryError) -> Error {
        Error::Registry { topic: self.topic.name.clone(), source }
    }

    fn record(&self, source: millrace_schemas::Error) -> Error {
        Error::Record { topic: self.topic.name.clone(), source }
    }
}
