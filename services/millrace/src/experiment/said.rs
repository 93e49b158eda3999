//! What people say to experiments.

use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};
use millrace_experiments::service::{results, say as write};
use millrace_runtime::Configuration;
use millrace_schemas::SchemaRegistry;
use millrace_schemas::envelope::{CommandKind, ExperimentCommand, ExperimentResult, ExperimentState};
use millrace_topics::{Application, did_you_mean, listed};
use rdkafka::ClientConfig;

use crate::cli::NamedArgs;
use crate::{application, deploy};

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
}

/// Starts an experiment as its file defines it now.
pub fn start(folder: &Path, args: &NamedArgs) -> Result<()> {
    let reached = Reached::new(folder, &args.app, &args.service)?;
    let all = &reached.app.definitions;
    let Some(definition) = all.iter().find(|one| one.name == args.name) else {
        let names = || all.iter().map(|one| one.name.as_str());
        let hint = did_you_mean(&args.name, names());
        let there = if all.is_empty() { "none".to_owned() } else { listed(names()) };
        bail!("{} defines no experiment `{}`; there are: {there}{hint}", args.app, args.name);
    };
    if let Some(state) = state_of(&reached.results()?, &args.name)
        && is_open(state)
    {
        bail!("{} is {} already; `millrace experiment status {} {0}` shows it", args.name, state, args.app);
    }
    if let Some(topic) = reached.app.topic(&definition.topic) {
        for arm in &definition.arms {
            deploy::check(&reached.app, topic, &arm.model_ref())
                .with_context(|| format!("{} was not started: arm `{}`", args.name, arm.name))?;
        }
    }
    send(&reached, args, CommandKind::Start, serde_json::to_string(definition)?)?;
    println!(
        "start {}: {} on {} ({})",
        args.name,
        definition.kind.name(),
        definition.topic,
        definition
            .arms
            .iter()
            .map(|arm| format!("{} {}", arm.name, arm.model_ref()))
            .collect::<Vec<_>>()
            .join(", ")
    );
    Ok(())
}

/// Says something to an experiment that runs.
pub fn say(folder: &Path, args: &NamedArgs, command: CommandKind, argument: &str) -> Result<()> {
    let reached = Reached::new(folder, &args.app, &args.service)?;
    match state_of(&reached.results()?, &args.name) {
        None => bail!(
            "no experiment `{}` was started; `millrace experiment status {}` lists all",
            args.name,
            args.app
        ),
        Some(state) if !is_open(state) => {
            bail!("{} is {}: there is nothing to be said to it", args.name, state)
        }
        Some(_) => {}
    }
    send(&reached, args, command, argument.to_owned())?;
    println!("{command} {}", args.name);
    Ok(())
}

fn send(reached: &Reached, args: &NamedArgs, command: CommandKind, argument: String) -> Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let command = ExperimentCommand {
        id: format!("{}-{command}-{}-{}", args.name, now.as_nanos(), std::process::id()),
        time_ms: i64::try_from(now.as_millis()).unwrap_or(i64::MAX),
        experiment: args.name.clone(),
        command,
        argument,
        by: args.by.clone(),
        reason: args.reason.clone(),
    };
    Ok(write(&reached.app, &reached.client, reached.registry.clone(), &command)?)
}

/// The state after the last event of an experiment.
pub fn state_of(events: &[ExperimentResult], name: &str) -> Option<ExperimentState> {
    events.iter().rev().find(|event| event.experiment == name).map(|event| event.state)
}

fn is_open(state: ExperimentState) -> bool {
    matches!(state, ExperimentState::Running | ExperimentState::Paused)
}
