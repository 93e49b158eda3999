//! Which model versions serve: read from, and written to, an application's topic of deployments.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use millrace_schemas::SchemaRegistry;
use millrace_schemas::envelope::Deployment;
use rdkafka::ClientConfig;

use crate::events::{self, Events};
use crate::log::Writer;
use crate::{Application, DeploymentsTable, ModelRef, Role, Topic};

/// Why deployments cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The application has no topic of deployments, since it predicts nothing.
    #[error("application `{0}` predicts nothing: no topic file of it has a table [predictions]")]
    NoPredictions(String),
    /// Another deployment came in between; it stays in force.
    #[error("the deployment of `{topic}` was changed meanwhile ({}); look at it and decide again", at(*.last))]
    Changed {
        /// The stem of the prediction topic.
        topic: String,
        /// Where its last deployment lies.
        last: Option<i64>,
    },
    /// The topic cannot be read or written.
    #[error(transparent)]
    Events(#[from] events::Error),
}

/// The topic of deployments of an application.
pub struct Deployments<'a> {
    application: &'a Application,
    topic: &'a Topic,
    events: Events<Deployment>,
    transactional: bool,
}

impl<'a> Deployments<'a> {
    /// The deployments of `application`, in the cluster that `client` reaches (`bootstrap.servers`, and security
    /// options if any). `transactional` is false for an in-process cluster alone, whose transactions never end: its
    /// one process needs no fence.
    pub fn new(
        client: &ClientConfig,
        registry: Arc<dyn SchemaRegistry>,
        application: &'a Application,
        transactional: bool,
    ) -> Result<Self, Error> {
        let found = application.deployments().filter(|topic| topic.kafka.schema.is_some());
        let topic = found.ok_or_else(|| Error::NoPredictions(application.name.clone()))?;
        let events = Events::new(client, registry, application, &topic.kafka)?;
        Ok(Self { application, topic, events, transactional })
    }

    /// Every deployment with its offset, in order: the last one of a topic is in force. Records that cannot be read are
    /// skipped with a warning; they deploy nothing.
    pub fn read(&self) -> Result<Vec<(i64, Deployment)>, Error> {
        let readable = |(offset, event)| match event {
            Ok(deployment) => Some((offset, deployment)),
            Err(error) => {
                tracing::warn!(topic = self.events.name(), offset, %error, "a deployment cannot be read");
                None
            }
        };
        Ok(self.events.read()?.into_iter().filter_map(readable).collect())
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
        Ok(self.events.writer(self.transactional.then_some(id.as_str()))?)
    }

    fn append(&self, writer: &Writer, deployments: &[Deployment]) -> Result<Vec<i64>, Error> {
        Ok(self.events.append(writer, deployments, |deployment| &deployment.topic)?)
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
