//! What the log says at present, and what may be said on top of it. The judge looks again, with what came in between.

use std::fmt::Write as _;

use anyhow::{Context as _, Result, bail, ensure};
use millrace_experiments::deploying;
use millrace_experiments::service::{first_deployment, is_answered};
use millrace_schemas::envelope::{
    CommandKind, Deployment, ExperimentCommand, ExperimentResult, ExperimentState,
};
use millrace_topics::ExperimentDefinition;

/// All that was said, done and deployed, in order.
#[derive(Debug, Default)]
pub struct Log {
    /// What people said.
    pub commands: Vec<ExperimentCommand>,
    /// What came of it.
    pub results: Vec<ExperimentResult>,
    /// What serves, with offsets.
    pub deployments: Vec<(i64, Deployment)>,
}

/// Where an experiment stands.
enum Standing<'a> {
    /// It was never started.
    Never,
    /// Somebody started it, and no service has taken that yet.
    Asked(&'a ExperimentCommand),
    /// As its last event says.
    In(&'a ExperimentResult),
}

impl Log {
    fn standing(&self, name: &str) -> Standing<'_> {
        let own = self.commands.iter().rev().filter(|command| command.experiment == name);
        let mut changes =
            own.filter(|command| !matches!(command.command, CommandKind::Pause | CommandKind::Resume));
        if let Some(command) = changes.next()
            && command.command == CommandKind::Start
            && !is_answered(command, &self.results)
        {
            return Standing::Asked(command);
        }
        let last = self.results.iter().rev().find(|event| event.experiment == name);
        last.map_or(Standing::Never, Standing::In)
    }

    /// The definition with which it was started last.
    fn started(&self, name: &str) -> Option<ExperimentDefinition> {
        let is = |command: &&ExperimentCommand| {
            command.experiment == name && command.command == CommandKind::Start
        };
        self.commands.iter().rev().find(is).and_then(|command| serde_json::from_str(&command.argument).ok())
    }

    /// Whether an experiment may be started now; a note on what it replaces.
    pub fn may_start(&self, app: &str, definition: &ExperimentDefinition) -> Result<Option<String>> {
        let (name, topic) = (&definition.name, &definition.topic);
        match self.standing(name) {
            Standing::In(last) if last.state.is_open() => {
                bail!("{name} is {} already; `millrace experiment status {app} {name}` shows it", last.state)
            }
            Standing::Asked(command) => bail!(
                "{} has started {name} already, and no service has taken it yet: `millrace experiments {app}` or \
                 `millrace up {app}` runs it",
                command.by
            ),
            _ => {}
        }
        if let Some(other) = self.open_on(topic, name) {
            bail!(
                "{other} runs on {topic} already, and a topic has one experiment at a time: wait for its end, or end it \
                 with `millrace experiment stop {app} {other}`"
            );
        }
        let Some((offset, serving)) = deploying::last_of(&self.deployments, topic) else {
            bail!(
                "nothing serves {topic} yet: run `millrace topics apply {app}`, or `millrace deploy {app} {topic} --champion ...`"
            )
        };
        let control = definition.control().context("it has no arms")?.model_ref();
        let champion = format!("{}/{}", serving.model, serving.version);
        ensure!(
            control.to_string() == champion,
            "its control is {control}, and {champion} is the champion of {topic} (deployment {offset}): make {champion} the \
             control in its file, or {control} the champion with `millrace deploy {app} {topic} --champion {control}`"
        );
        deploying::check(&first_deployment(definition)?, &self.deployments)?;
        let replaced = (!serving.arms.is_empty() && serving.experiment != *name).then(|| {
            format!("it replaces deployment {offset} ({}, set by {})", serving.mode, serving.set_by)
        });
        Ok(replaced)
    }

    /// The other experiment that is open on a topic.
    fn open_on(&self, topic: &str, but: &str) -> Option<String> {
        let said = self.commands.iter().map(|command| command.experiment.as_str());
        let told = self.results.iter().map(|event| event.experiment.as_str());
        let is_on = |name: &&str| match self.standing(name) {
            Standing::In(last) => last.state.is_open() && last.topic == topic,
            Standing::Asked(_) => self.started(name).is_some_and(|definition| definition.topic == topic),
            Standing::Never => false,
        };
        said.chain(told).filter(|name| *name != but).find(is_on).map(str::to_owned)
    }

    /// Whether something may be said to an experiment now.
    pub fn may_say(&self, app: &str, name: &str, command: CommandKind, argument: &str) -> Result<()> {
        let state = match self.standing(name) {
            Standing::Never => bail!(
                "no experiment `{name}` was started; `millrace experiment status {app}` lists all, and `millrace experiment \
                 start {app} {name}` starts it"
            ),
            Standing::Asked(_) => ExperimentState::Running,
            Standing::In(last) if !last.state.is_open() => {
                let mut ended = format!("{name} does not run: it is {}", last.state);
                if !last.detail.is_empty() {
                    let _ = write!(ended, " ({})", last.detail);
                }
                bail!("{ended}; `millrace experiment start {app} {name}` starts it anew")
            }
            Standing::In(last) => last.state,
        };
        match (command, state) {
            (CommandKind::Pause, ExperimentState::Paused) => bail!("{name} is paused already"),
            (CommandKind::Resume, ExperimentState::Running) => bail!("{name} is not paused"),
            (CommandKind::Decide, _) => self.has_arm(name, argument),
            _ => Ok(()),
        }
    }

    fn has_arm(&self, name: &str, arm: &str) -> Result<()> {
        let Some(definition) = self.started(name) else { return Ok(()) };
        let all = || definition.arms.iter().map(|one| one.name.as_str());
        let hint = millrace_topics::did_you_mean(arm, all());
        ensure!(
            definition.arm(arm).is_some(),
            "{name} has no arm `{arm}`, only {}{hint}",
            millrace_topics::listed(all())
        );
        Ok(())
    }
}

/// The state after the last event of an experiment.
pub fn state_of(events: &[ExperimentResult], name: &str) -> Option<ExperimentState> {
    events.iter().rev().find(|event| event.experiment == name).map(|event| event.state)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
