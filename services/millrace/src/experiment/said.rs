//! What people say to experiments.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use millrace_experiments::canary::declared;
use millrace_schemas::envelope::{CommandKind, ExperimentCommand};
use millrace_topics::{Application, ExperimentDefinition, Problem};

use super::reached::{Reached, draft};
use crate::cli::NamedArgs;
use crate::{application, deploy};

/// Starts an experiment as its file defines it now.
pub fn start(folder: &Path, args: &NamedArgs) -> Result<()> {
    let reached = Reached::new(folder, &args.app, &args.service)?;
    let definition = draft(&reached.app, &args.name)?;
    let not_started = || format!("{} was not started", args.name);
    let blind = blind(&reached.app, definition);
    if !blind.is_empty() {
        return Err(application::problems_error(&blind).context(not_started()));
    }
    let replaced = reached.log()?.may_start(&args.app, definition).with_context(not_started)?;
    if let Some(topic) = reached.app.topic(&definition.topic) {
        for arm in &definition.arms {
            deploy::check(&reached.app, topic, &arm.model_ref())
                .with_context(|| format!("{} was not started: arm `{}`", args.name, arm.name))?;
        }
    }
    send(&reached, args, CommandKind::Start, serde_json::to_string(definition)?)?;
    let arms: Vec<String> =
        definition.arms.iter().map(|arm| format!("{} {}", arm.name, arm.model_ref())).collect();
    let (kind, topic) = (definition.kind.name(), &definition.topic);
    println!("start {}: {kind} on {topic} ({})", args.name, arms.join(", "));
    for note in untold(&reached.app, definition).iter().map(ToString::to_string).chain(replaced) {
        println!("  note: {note}");
    }
    Ok(())
}

/// Says something to an experiment that runs.
pub fn say(folder: &Path, args: &NamedArgs, command: CommandKind, argument: &str) -> Result<()> {
    let reached = Reached::new(folder, &args.app, &args.service)?;
    reached.log()?.may_say(&args.app, &args.name, command, argument)?;
    send(&reached, args, command, argument.to_owned())?;
    println!("{command} {}", args.name);
    Ok(())
}

/// Criteria of a canary that its steps cannot see, by what its file says.
pub fn blind(app: &Application, definition: &ExperimentDefinition) -> Vec<Problem> {
    at(app, definition, declared::size(definition).blind)
}

/// Criteria of a canary of which it is not known whether its steps can see them.
pub fn untold(app: &Application, definition: &ExperimentDefinition) -> Vec<Problem> {
    at(app, definition, declared::size(definition).untold)
}

fn at(app: &Application, definition: &ExperimentDefinition, remarks: Vec<declared::Remark>) -> Vec<Problem> {
    let file = app.draft_files.get(&definition.name);
    let problem = |remark: declared::Remark| file.map(|file| file.problem(&remark.key, remark.message));
    remarks.into_iter().filter_map(problem).collect()
}

fn send(reached: &Reached, args: &NamedArgs, command: CommandKind, argument: String) -> Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    reached.send(&ExperimentCommand {
        id: format!("{}-{command}-{}-{}", args.name, now.as_nanos(), std::process::id()),
        time_ms: i64::try_from(now.as_millis()).unwrap_or(i64::MAX),
        experiment: args.name.clone(),
        command,
        argument,
        by: args.by.clone(),
        reason: args.reason.clone(),
    })
}
