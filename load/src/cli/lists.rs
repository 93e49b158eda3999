//! `millrace-load lists`.

use std::path::PathBuf;

use anyhow::{Result, anyhow, ensure};
use clap::Args;
use millrace_load::lists::{self, DEMANDED, Size};

#[derive(Debug, Args)]
pub struct Lists {
    /// Requests of a run, a fiftieth of them for `optimized`, a fifth for the click stage.
    #[arg(long, default_value_t = 200_000, value_name = "N", value_parser = clap::value_parser!(u32).range(100..))]
    requests: u32,
    /// Runs, of which the median counts.
    #[arg(long, default_value_t = 3, value_name = "N")]
    runs: usize,
    /// The folder of applications; `ranking` says how clicks are credited.
    #[arg(long, default_value = "topics", value_name = "DIR")]
    topics: PathBuf,
}

pub fn run(args: &Lists) -> Result<()> {
    let app = millrace_topics::load(&args.topics, "ranking")
        .map_err(|problems| anyhow!("{}: {problems:?}", args.topics.display()))?;
    let report = lists::run(&app, Size { requests: args.requests, runs: args.runs })?;
    print!("{}", report.text);
    let below = report.below.join(", ");
    // A debug build is slow, and says nothing.
    ensure!(cfg!(debug_assertions) || below.is_empty(), "below {DEMANDED} requests per CPU-second: {below}");
    Ok(())
}
