//! What people say to experiments.

use std::collections::BTreeMap;

use millrace_schemas::envelope::{
    CommandKind, Decided, ExperimentCommand, ExperimentResult, ExperimentState,
};
use millrace_topics::ExperimentDefinition;

use super::experiment::{Experiment, InForce};

/// What a command changes; one that cannot be carried out is told and changes nothing.
pub fn carry_out(
    experiment: &mut Experiment,
    command: &ExperimentCommand,
    in_force: InForce<'_>,
) -> Vec<ExperimentResult> {
    let by = |event: ExperimentResult| vec![ExperimentResult { by: command.by.clone(), ..event }];
    let why = if command.reason.is_empty() { String::new() } else { format!(": {}", command.reason) };
    let said = |what: &str| format!("{what} by {}{why}", command.by);
    let now_ms = command.time_ms;
    if !experiment.is_open() {
        return vec![refused(experiment, command, "it has ended", in_force)];
    }
    match command.command {
        CommandKind::Start => vec![refused(experiment, command, "it runs already", in_force)],
        CommandKind::Stop => {
            by(experiment.end(Decided::Stop, said("stopped"), Vec::new(), None, now_ms, in_force))
        }
        CommandKind::Abort => {
            let control = experiment.definition.control().cloned();
            by(experiment.end(
                Decided::Abort,
                said("aborted"),
                Vec::new(),
                control.as_ref(),
                now_ms,
                in_force,
            ))
        }
        CommandKind::Decide => {
            let Some(arm) = experiment.definition.arm(&command.argument).cloned() else {
                let why = format!("it has no arm `{}`", command.argument);
                return vec![refused(experiment, command, &why, in_force)];
            };
            let detail = said(&format!("{} ({}) was chosen", arm.name, arm.model_ref()));
            by(experiment.end(Decided::Promote, detail, Vec::new(), Some(&arm), now_ms, in_force))
        }
        CommandKind::Pause | CommandKind::Resume => pause(experiment, command, &said, in_force),
    }
}

fn pause(
    experiment: &mut Experiment,
    command: &ExperimentCommand,
    said: &dyn Fn(&str) -> String,
    in_force: InForce<'_>,
) -> Vec<ExperimentResult> {
    let pauses = command.command == CommandKind::Pause;
    let (from, to) = match pauses {
        true => (ExperimentState::Running, ExperimentState::Paused),
        false => (ExperimentState::Paused, ExperimentState::Running),
    };
    if experiment.state != from {
        let why = if pauses { "it is paused already" } else { "it is not paused" };
        return vec![refused(experiment, command, why, in_force)];
    }
    experiment.state = to;
    let closed_ms = experiment.closed_ms();
    if let Some(canary) = &mut experiment.canary {
        // The release lives in the stream's time, whenever a person speaks.
        let _ = if pauses { canary.release.pause() } else { canary.release.resume(closed_ms) };
    }
    let (decided, detail) =
        if pauses { (Decided::Pause, said("paused")) } else { (Decided::Resume, said("resumed")) };
    let event = experiment.ask(decided, detail, Vec::new(), None, command.time_ms, in_force);
    vec![ExperimentResult { by: command.by.clone(), ..event }]
}

/// Reads the definition that a start command carries.
///
/// # Errors
/// What is wrong with it, for the person who said it.
pub fn definition(command: &ExperimentCommand) -> Result<ExperimentDefinition, String> {
    let read: ExperimentDefinition = serde_json::from_str(&command.argument)
        .map_err(|error| format!("its definition cannot be read: {error}"))?;
    if read.name != command.experiment {
        return Err(format!("its definition is of `{}`", read.name));
    }
    if read.arms.len() < 2 {
        return Err("it has fewer than two arms".to_owned());
    }
    Ok(read)
}

/// Why an experiment cannot start under the deployment in force.
pub fn unfit(definition: &ExperimentDefinition, in_force: InForce<'_>) -> Option<String> {
    let Some((offset, deployment)) = in_force else {
        return Some(format!("nothing is deployed for {}", definition.topic));
    };
    let control = definition.control()?;
    if (&control.model, &control.version) != (&deployment.model, &deployment.version) {
        return Some(format!(
            "its control is {}, and {}/{} is the champion (deployment {offset})",
            control.model_ref(),
            deployment.model,
            deployment.version
        ));
    }
    None
}

/// A command that changes nothing, and why.
pub fn refused(
    experiment: &Experiment,
    command: &ExperimentCommand,
    why: &str,
    in_force: InForce<'_>,
) -> ExperimentResult {
    let detail = format!("refused: {} by {}: {why}", command.command, command.by);
    let event = experiment.status(command.time_ms, detail, BTreeMap::new(), in_force);
    ExperimentResult { id: ExperimentResult::id_of(&["refused", &command.id]), ..event }
}
