//! `millrace-load detectors ...`.

use anyhow::Result;
use clap::{Args, Subcommand};
use millrace_load::detectors::{calibrated, table};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// False alarms and delays of the default parameters, beside a baseline that alarms at every row, as Markdown.
    ///
    /// Seconds to minutes in a release build: 10,000 rows a seed without a change, and as many for each of two changes.
    Table(Table),
    /// The parameters that keep to a rate of false alarms: what the default ones were found by. Minutes in a release
    /// build.
    Calibrate(Calibrate),
}

#[derive(Debug, Args)]
pub struct Table {
    /// Seeds per stream.
    #[arg(long, default_value_t = 200, value_name = "N")]
    seeds: u64,
    /// Only these detectors.
    #[arg(value_name = "DETECTOR")]
    only: Vec<String>,
}

#[derive(Debug, Args)]
pub struct Calibrate {
    /// Seeds per stream, other ones than the table's.
    #[arg(long, default_value_t = 200, value_name = "N")]
    seeds: u64,
    /// At most one false alarm in so many rows.
    #[arg(long, default_value_t = 100_000, value_name = "ROWS")]
    rows_per_alarm: u64,
    /// Only these detectors.
    #[arg(value_name = "DETECTOR")]
    only: Vec<String>,
}

pub fn run(command: &Command) -> Result<()> {
    let text = match command {
        Command::Table(table_of) => table(table_of.seeds, &table_of.only)?,
        Command::Calibrate(wanted) => calibrated(wanted.seeds, wanted.rows_per_alarm, &wanted.only)?,
    };
    print!("{text}");
    Ok(())
}
