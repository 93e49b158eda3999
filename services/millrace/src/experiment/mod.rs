//! `millrace experiment`: judging arms, on files and on the stream.

mod analyze;
mod evaluate;
mod interleave;
mod log;
mod plan;
mod reached;
mod rows;
pub mod said;
mod simulate;
mod status;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use millrace_schemas::envelope::CommandKind;

use crate::cli::ExperimentCommand;

/// Runs one of the commands.
pub fn run(folder: &Path, command: ExperimentCommand) -> Result<ExitCode> {
    match command {
        ExperimentCommand::Start(args) => said::start(folder, &args)?,
        ExperimentCommand::Status(args) => status::run(folder, &args)?,
        ExperimentCommand::Stop(args) => said::say(folder, &args, CommandKind::Stop, "")?,
        ExperimentCommand::Pause(args) => said::say(folder, &args, CommandKind::Pause, "")?,
        ExperimentCommand::Resume(args) => said::say(folder, &args, CommandKind::Resume, "")?,
        ExperimentCommand::Abort(args) => said::say(folder, &args, CommandKind::Abort, "")?,
        ExperimentCommand::Decide(args) => said::say(folder, &args.named, CommandKind::Decide, &args.arm)?,
        ExperimentCommand::Analyze(args) => analyze::run(&args)?,
        ExperimentCommand::Interleave(args) => interleave::run(&args)?,
        ExperimentCommand::Plan(command) => plan::run(&command)?,
        ExperimentCommand::Evaluate(args) => evaluate::run(&args)?,
        ExperimentCommand::Simulate(args) => return simulate::run(&args),
    }
    Ok(ExitCode::SUCCESS)
}
