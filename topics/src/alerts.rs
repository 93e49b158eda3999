//! What a person should know of how services do: written to an application's topic of alerts, once each.

use std::sync::Arc;

use millrace_schemas::SchemaRegistry;
use millrace_schemas::envelope::Alert;
use rdkafka::ClientConfig;

use crate::Application;
use crate::events::{self, Events};

/// Why an alert was not written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The application has no topic of alerts, since it predicts nothing.
    #[error("application `{0}` predicts nothing, so it has no alerts")]
    NoAlerts(String),
    /// The topic cannot be read or written.
    #[error(transparent)]
    Events(#[from] events::Error),
}

/// The topic of alerts of an application.
#[derive(Clone)]
pub struct Alerts {
    events: Events<Alert>,
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
        let found = application.alerts().filter(|topic| topic.kafka.schema.is_some());
        let topic = found.ok_or_else(|| Error::NoAlerts(application.name.clone()))?;
        Ok(Self { events: Events::new(client, registry, application, &topic.kafka)?, transactional })
    }

    /// Writes an alert unless one with its id is there; whether it did. Of several processes that raise the same one,
    /// one writes it: each fences those before it, and reads what they wrote.
    pub fn raise(&self, alert: &Alert) -> Result<bool, Error> {
        let id = format!("{}.{}", self.events.name(), alert.id);
        let writer = self.events.writer(self.transactional.then_some(id.as_str()))?;
        if self.read()?.iter().any(|known| known.id == alert.id) {
            return Ok(false);
        }
        self.events.append(&writer, std::slice::from_ref(alert), |alert| &alert.id)?;
        Ok(true)
    }

    /// Every alert that is there, in order.
    pub fn read(&self) -> Result<Vec<Alert>, Error> {
        Ok(self.events.all()?)
    }
}
