//! `millrace drift`: the service that watches, and the commands around it.

mod alarms;

use std::path::Path;

use anyhow::Result;

use crate::cli::DriftCommand;
use crate::services::{self, Which};

/// Runs one of the commands.
pub fn run(folder: &Path, command: DriftCommand) -> Result<()> {
    match command {
        DriftCommand::Run { app, service } => services::up(folder, &app, &service, Which::Drift),
        DriftCommand::Alarms { app, command, service } => alarms::run(folder, &app, &command, &service),
    }
}
