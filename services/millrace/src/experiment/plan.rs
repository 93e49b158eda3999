//! `millrace experiment plan`: size and length before the start.

mod arms;
mod canary;

use anyhow::Result;

use crate::cli::PlanCommand;

/// Plans.
pub fn run(command: &PlanCommand) -> Result<()> {
    match command {
        PlanCommand::Arms(args) => arms::run(args),
        PlanCommand::Canary(args) => canary::run(args),
    }
}
