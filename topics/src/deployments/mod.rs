//! Which model versions serve: read from, and written to, an application's topic of deployments.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use millrace_schemas::envelope::{Deployment, Record as _};
use millrace_schemas::{Decoder, Encoder, RegistryError, SchemaRegistry, TopicSchema};
use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::log::{Writer, read_to_end};
use crate::{Application, DeploymentsTable, ModelRef, Role, Topic};

/// Why deployments cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The application has no topic of deployments, since it predicts nothing.
    #[error("application `{0}` predicts nothing: no topic file of it has a table [predictions]")]
    NoPredictions(String),
    /// The topic is not there yet.
    #[error("topic {topic} does not exist; run `millrace topics apply {application}`")]
    NoTopic {
        /// The Kafka name.
        topic: String,
        /// The application.
        application: String,
    },
    /// Another deployment came in between; it stays in force.
    #[error("the deployment of `{topic}` was changed meanwhile ({}); look at it and decide again", at(*.last))]
    Changed {
        /// The stem of the prediction topic.
        topic: String,
        /// Where its last deployment lies.
        last: Option<i64>,
    },
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

/// The topic of deployments of an application.
pub struct Deployments<'a> {
    client: &'a ClientConfig,
    registry: Arc<dyn SchemaRegistry>,
    application: &'a Application,
    topic: &'a Topic,
    schema: Arc<TopicSchema>,
    transactional: bool,
}

impl<'a> Deployments<'a> {
    /// The deployments of `application`, in the cluster that `client` reaches (`bootstrap.servers`, and security
    /// options if any). `transactional` is false for an in-process cluster alone, whose transactions never end: its
    /// one process needs no fence.
    pub fn new(
        client: &'a ClientConfig,
        registry: Arc<dyn SchemaRegistry>,
        application: &'a Application,
        transactional: bool,
    ) -> Result<Self, Error> {
        let topic = application.deployments();
        let found = topic.and_then(|topic| Some((topic, topic.kafka.schema.clone()?)));
        let (topic, schema) = found.ok_or_else(|| Error::NoPredictions(application.name.clone()))?;
        Ok(Self { client, registry, application, topic, schema, transactional })
    }

    /// Every deployment with its offset, in order: the last one of a topic is in force. Records that cannot be read are
    /// skipped with a warning; they deploy nothing.
    pub fn read(&self) -> Result<Vec<(i64, Deployment)>, Error> {
        let records = read_to_end(self.client, self.name()).map_err(|source| self.kafka("read", source))?;
        let payloads: Vec<Option<&[u8]>> = records.iter().map(|(_, payload)| payload.as_deref()).collect();
        let mut decoder = Decoder::new(self.topic.kafka.format, self.schema.clone(), self.registry.clone());
        let decoded = decoder.decode(&payloads).map_err(|source| self.registry_error(source))?;
        for rejected in &decoded.rejected {
            let offset = records.get(rejected.index).map(|(offset, _)| *offset);
            tracing::warn!(
                topic = self.name(),
                offset,
                detail = rejected.detail,
                "a deployment cannot be read"
            );
        }
        let mut deployments = Vec::new();
        for (row, index) in decoded.index.iter().enumerate() {
            let Some((offset, _)) = records.get(*index) else { continue };
            // One by one, since one that cannot be read must not hide the others.
            match Deployment::from_batch(&decoded.rows.slice(row, 1)) {
                Ok(read) => deployments.extend(read.into_iter().map(|deployment| (*offset, deployment))),
                Err(error) => {
                    tracing::warn!(topic = self.name(), offset, %error, "a deployment cannot be read");
                }
            }
        }
        Ok(deployments)
    }

    /// Writes a deployment if the last one of its topic is still the one at offset `seen` (`None`: there was none); the
    /// offset of the new one.
    pub fn write(&self, deployment: Deployment, seen: Option<i64>) -> Result<i64, Error> {
        let writer = self.writer()?;
        let last = last_of(&self.read()?, &deployment.topic);
        if last != seen {
            return Err(Error::Changed { topic: deployment.topic, last });
        }
        Ok(self.append(&writer, &[deployment])?.first().copied().unwrap_or_default())
    }

    /// Writes the deployments that the application declares (`[deployments] first`) for topics that have none yet;
    /// what was written, with offsets.
    pub fn write_first(&self) -> Result<Vec<(i64, Deployment)>, Error> {
        let Role::Deployments(DeploymentsTable { first }) = &self.topic.role else { return Ok(Vec::new()) };
        let missing = |present: &[(i64, Deployment)]| -> Vec<Deployment> {
            let missing = first.iter().filter(|(topic, _)| last_of(present, topic).is_none());
            missing.map(|(topic, model)| first_deployment(topic, model)).collect()
        };
        if first.is_empty() || missing(&self.read()?).is_empty() {
            return Ok(Vec::new());
        }
        // Only what is read after the writer stands is what it writes on.
        let writer = self.writer()?;
        let deployments = missing(&self.read()?);
        if deployments.is_empty() {
            return Ok(Vec::new());
        }
        let offsets = self.append(&writer, &deployments)?;
        Ok(offsets.into_iter().zip(deployments).collect())
    }

    fn writer(&self) -> Result<Writer, Error> {
        let id = format!("{}.deployments", self.application.name);
        let writer = Writer::new(self.client, self.transactional.then_some(id.as_str()));
        writer.map_err(|source| self.kafka("write to", source))
    }

    fn append(&self, writer: &Writer, deployments: &[Deployment]) -> Result<Vec<i64>, Error> {
        let subject = format!("{}-value", self.name());
        let id = self
            .registry
            .register(&subject, self.schema.avro())
            .map_err(|source| self.registry_error(source))?;
        let encoder = Encoder::new(self.topic.kafka.format, self.schema.clone(), id);
        let mut encoder = encoder.map_err(|source| self.record(source))?;
        let rows = Deployment::to_batch(deployments).map_err(|source| self.record(source))?;
        let encoded = encoder.encode(&rows).map_err(|source| self.record(source))?;
        let keyed = deployments.iter().enumerate();
        let records: Vec<(String, Vec<u8>)> =
            keyed.filter_map(|(i, one)| Some((one.topic.clone(), encoded.get(i)?.to_vec()))).collect();
        writer.write(self.name(), &records).map_err(|source| self.kafka("write to", source))
    }

    fn name(&self) -> &str {
        &self.topic.kafka.name
    }

    fn kafka(&self, what: &'static str, source: KafkaError) -> Error {
        let topic = self.name().to_owned();
        match source.rdkafka_error_code() {
            Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => {
                Error::NoTopic { topic, application: self.application.name.clone() }
            }
            Some(
                RDKafkaErrorCode::Fenced
                | RDKafkaErrorCode::ProducerFenced
                | RDKafkaErrorCode::InvalidProducerEpoch,
            ) => Error::Overtaken(topic),
            _ => Error::Kafka { what, topic, source },
        }
    }

    fn registry_error(&self, source: RegistryError) -> Error {
        Error::Registry { topic: self.name().to_owned(), source }
    }

    fn record(&self, source: millrace_schemas::Error) -> Error {
        Error::Record { topic: self.name().to_owned(), source }
    }
}

/// What `[deployments] first` declares for a topic, as of now.
fn first_deployment(topic: &str, model: &ModelRef) -> Deployment {
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_millis());
    let time_ms = i64::try_from(now_ms).unwrap_or(i64::MAX);
    Deployment {
        set_by: "topics apply".to_owned(),
        reason: "the first champion that the application declares".to_owned(),
        ..Deployment::champion(topic, &model.model, &model.version, time_ms)
    }
}

/// Where the last deployment of a prediction topic lies.
fn last_of(deployments: &[(i64, Deployment)], topic: &str) -> Option<i64> {
    deployments.iter().rev().find(|(_, deployment)| deployment.topic == topic).map(|(offset, _)| *offset)
}

fn at(last: Option<i64>) -> String {
    last.map_or("there is none now".into(), |last| format!("the last is at offset {last}"))
}
