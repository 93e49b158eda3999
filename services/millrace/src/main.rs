//! The one binary: a subcommand per service, and the commands around them.

mod application;
mod backfill;
mod check;
mod cli;
mod dead_letters;
mod demo;
mod deploy;
mod drift;
mod embedded;
mod experiment;
mod services;
mod text;
mod topics;
mod variables;

use std::process::ExitCode;

use anyhow::Result;
use clap::{CommandFactory as _, Parser as _};
use millrace_runtime::Configuration;

use cli::{Cli, Command, DeadLettersCommand};

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("millrace: {}", text::causes(&error));
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<ExitCode> {
    let names = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
    variables::check(&Cli::command(), names)?;
    let folder = cli.topics.as_path();
    match cli.command {
        Command::Demo(args) => demo::run(folder, &args)?,
        Command::Check { app } => return check::run(folder, &app),
        Command::Topics(command) => return topics::run(folder, command),
        Command::Up { app, embedded: true, service } => embedded::up(folder, &app, &service)?,
        Command::Up { app, embedded: false, service } => {
            services::up(folder, &app, &service, services::Which::All)?
        }
        Command::Features { app, service } => {
            services::up(folder, &app, &service, services::Which::Features)?
        }
        Command::Scorer { app, service } => services::up(folder, &app, &service, services::Which::Scorer)?,
        Command::Experiments { app, service } => {
            services::up(folder, &app, &service, services::Which::Experiments)?;
        }
        Command::Deploy(args) => deploy::run(folder, &args)?,
        Command::Deployments { app, topic, json, service } => {
            deploy::list(folder, &app, topic.as_deref(), json, &service)?;
        }
        Command::Drift(command) => return drift::run(folder, command),
        Command::Experiment(command) => return experiment::run(folder, command),
        Command::Backfill(args) => backfill::run(folder, &args)?,
        Command::DeadLetters(DeadLettersCommand::List { app, reason, json, service }) => {
            dead_letters::list(folder, &app, reason.as_deref(), json, &service)?;
        }
        Command::Config { service } => print!("{}", Configuration::load(&service)?.redacted()?),
    }
    Ok(ExitCode::SUCCESS)
}
