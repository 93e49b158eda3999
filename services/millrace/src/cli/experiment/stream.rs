//! `millrace experiment start ...` and what else is said to experiments on the stream

use std::path::PathBuf;

use clap::Args;
use millrace_runtime::config;

/// An experiment of an application.
#[derive(Debug, Args)]
pub struct NamedArgs {
    /// The application
    pub app: String,
    /// The experiment: the name of its file in experiments/
    pub name: String,
    /// Who says it
    #[arg(long, env = "USER", default_value = "somebody")]
    pub by: String,
    /// Why
    #[arg(long, default_value = "")]
    pub reason: String,
    #[command(flatten)]
    pub service: config::Args,
}

/// `millrace experiment decide ...`
#[derive(Debug, Args)]
pub struct DecideArgs {
    #[command(flatten)]
    pub named: NamedArgs,
    /// The arm that becomes champion
    #[arg(long, value_name = "ARM")]
    pub arm: String,
}

/// `millrace experiment status ...`
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// The application
    pub app: String,
    /// The experiment; all that were ever started, and drafts, unless given
    pub name: Option<String>,
    /// Print one JSON object per event: the last window's comparisons, the status, every decision
    #[arg(long, conflicts_with = "html")]
    pub json: bool,
    /// Write a page
    #[arg(long, value_name = "FILE", requires = "name")]
    pub html: Option<PathBuf>,
    #[command(flatten)]
    pub service: config::Args,
}
