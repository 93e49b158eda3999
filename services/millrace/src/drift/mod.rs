//! `millrace drift`: the service that watches, and the commands around it.

mod alarms;
mod files;
mod reference;
mod report;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use crate::cli::DriftCommand;
use crate::services::{self, Which};

/// Runs one of the commands.
pub fn run(folder: &Path, command: DriftCommand) -> Result<ExitCode> {
    match command {
        DriftCommand::Run { app, service } => services::up(folder, &app, &service, Which::Drift)?,
        DriftCommand::Alarms { app, command, service } => alarms::run(folder, &app, &command, &service)?,
        DriftCommand::Reference(args) => reference::build(folder, &args)?,
        DriftCommand::Calibrate { app, model } => reference::calibrate(folder, &app, model.as_deref())?,
        DriftCommand::Report { app, from, to, html, service } => {
            report::run(folder, &app, (from, to), &html, &service)?;
        }
        DriftCommand::Compare(args) => return files::compare(&args),
        DriftCommand::Detect { method, input, column, parameters, json } => {
            files::detect(&input, &column, &method, &parameters, json)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
