//! An application's experiments as commands reach them: its drafts, and what the log says of them.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, bail};
use millrace_experiments::service::{commands, results, say};
use millrace_runtime::Configuration;
use millrace_schemas::SchemaRegistry;
use millrace_schemas::envelope::{ExperimentCommand, ExperimentResult};
use millrace_topics::deployments::Deployments;
use millrace_topics::{Application, ExperimentDefinition, did_you_mean, listed};
use rdkafka::ClientConfig;

use super::log::Log;
use crate::application;

/// An application with how its experiments are reached.
pub struct Reached {
    /// The application.
    pub app: Application,
    client: ClientConfig,
    registry: Arc<dyn SchemaRegistry>,
}

impl Reached {
    /// Reads the application and the configuration.
    pub fn new(folder: &Path, app: &str, args: &millrace_runtime::Args) -> Result<Self> {
        let app = application::load(folder, app)?;
        let configuration = Configuration::load(args)?;
        let (client, registry) = (configuration.kafka_client(), application::registry(&configuration)?);
        Ok(Self { app, client, registry })
    }

    /// Every result so far.
    pub fn results(&self) -> Result<Vec<ExperimentResult>> {
        Ok(results(&self.app, &self.client, self.registry.clone())?)
    }

    /// All that was said, done and deployed so far.
    pub fn log(&self) -> Result<Log> {
        let registry = || self.registry.clone();
        // Commands first: an answer that comes in between is seen, a command that comes in between is not.
        let commands = commands(&self.app, &self.client, registry())?;
        let deployments = Deployments::new(&self.client, registry(), &self.app, true)?.read()?;
        Ok(Log { commands, results: self.results()?, deployments })
    }

    /// Says something.
    pub fn send(&self, command: &ExperimentCommand) -> Result<()> {
        Ok(say(&self.app, &self.client, self.registry.clone(), command)?)
    }
}

/// The definition of an experiment, which its file has without a problem.
pub fn draft<'a>(app: &'a Application, name: &str) -> Result<&'a ExperimentDefinition> {
    if let Some(draft) = app.unsound.iter().find(|draft| draft.name == name) {
        return Err(application::problems_error(&draft.problems).context(format!("{name} cannot be started")));
    }
    if let Some(definition) = app.definitions.iter().find(|one| one.name == name) {
        return Ok(definition);
    }
    let sound = app.definitions.iter().map(|one| one.name.as_str());
    let all: Vec<&str> = sound.chain(app.unsound.iter().map(|draft| draft.name.as_str())).collect();
    let hint = did_you_mean(name, all.iter().copied());
    let there = if all.is_empty() { "none".to_owned() } else { listed(all) };
    bail!("{} defines no experiment `{name}`; there are: {there}{hint}", app.name)
}

/// Says which drafts have problems, without being in the way of what was asked.
pub fn warn(app: &Application) {
    for draft in &app.unsound {
        for problem in &draft.problems {
            eprintln!("millrace: warning: {} cannot be started: {problem}", draft.name);
        }
    }
}
