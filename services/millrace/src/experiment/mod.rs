//! `millrace experiment`: judging arms, on files.

mod analyze;
mod evaluate;
mod interleave;
mod plan;
mod rows;
mod simulate;

use std::process::ExitCode;

use anyhow::Result;

use crate::cli::ExperimentCommand;

/// Runs one of the commands.
pub fn run(command: ExperimentCommand) -> Result<ExitCode> {
    match command {
        ExperimentCommand::Analyze(args) => analyze::run(&args)?,
        ExperimentCommand::Interleave(args) => interleave::run(&args)?,
        ExperimentCommand::Plan(command) => plan::run(&command)?,
        ExperimentCommand::Evaluate(args) => evaluate::run(&args)?,
        ExperimentCommand::Simulate(args) => return simulate::run(&args),
    }
    Ok(ExitCode::SUCCESS)
}
