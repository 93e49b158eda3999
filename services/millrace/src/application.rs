//! Applications as commands find them.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, anyhow, bail};
use millrace_runtime::Configuration;
use millrace_schemas::{ConfluentRegistry, SchemaRegistry};
use millrace_topics::{Application, KafkaTopic, Problem, Role, Topic};
use rdkafka::ClientConfig;

/// Reads an application; its problems, all of them, are the error.
pub fn load(folder: &Path, app: &str) -> Result<Application> {
    millrace_topics::load(folder, app).map_err(|problems| problems_error(&problems))
}

/// Problems as one error, a line each.
pub fn problems_error(problems: &[Problem]) -> anyhow::Error {
    let mut text = match problems.len() {
        1 => "1 problem".to_owned(),
        n => format!("{n} problems"),
    };
    for problem in problems {
        let _ = write!(text, "\n  {problem}");
    }
    anyhow!(text)
}

/// The feature views of an application.
pub fn views(app: &Application) -> impl Iterator<Item = &Topic> {
    app.topics.iter().filter(|topic| matches!(topic.role, Role::Features(_)))
}

/// The prediction topics of an application.
pub fn prediction_topics(app: &Application) -> impl Iterator<Item = &Topic> {
    app.topics.iter().filter(|topic| matches!(topic.role, Role::Predictions(_)))
}

/// Every topic that is to exist in Kafka: the application's, with the schemas that their views derive, and the
/// internal ones of those views.
pub fn kafka_topics(app: &Application) -> Result<Vec<KafkaTopic>> {
    let planned = millrace_features::kafka_topics(app).map_err(|problems| problems_error(&problems))?;
    let mut topics: Vec<KafkaTopic> = app.topics.iter().map(|topic| topic.kafka.clone()).collect();
    for derived in planned {
        match topics.iter_mut().find(|topic| topic.name == derived.name) {
            Some(topic) => *topic = derived,
            None => topics.push(derived),
        }
    }
    if let Some(topic) = topics.iter().find(|topic| topic.schema.is_none()) {
        bail!("no schema is known for {}", topic.name);
    }
    Ok(topics)
}

/// How the application's cluster is reached.
pub fn kafka_client(configuration: &Configuration) -> ClientConfig {
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", &configuration.kafka_bootstrap);
    for (option, value) in &configuration.kafka {
        client.set(option, value);
    }
    client
}

/// The schema registry that the configuration names.
pub fn registry(configuration: &Configuration) -> Result<Arc<dyn SchemaRegistry>> {
    Ok(Arc::new(ConfluentRegistry::new(&configuration.schema_registry_url)?))
}
