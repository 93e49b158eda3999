//! `millrace-load swap`.

use std::path::PathBuf;

use anyhow::{Result, anyhow, ensure};
use clap::Args;
use millrace_load::swap::{self, Plan};

use super::Cluster;

/// What the p99 during a swap is at most, as a multiple of the one before.
const BOUND: f64 = 2.0;

#[derive(Debug, Args)]
pub struct Swap {
    /// The folder of applications, as services have it.
    #[arg(long, default_value = "topics", value_name = "DIR")]
    topics: PathBuf,
    /// Versions of the champion's model that take turns.
    #[arg(long, value_delimiter = ',', default_value = "2,3", value_name = "VERSION,...")]
    versions: Vec<String>,
    /// Swaps of a repetition.
    #[arg(long, default_value_t = 3, value_name = "N")]
    swaps: usize,
    /// Repetitions, of which medians are taken.
    #[arg(long, default_value_t = 5, value_name = "N")]
    repetitions: usize,
    #[command(flatten)]
    cluster: Cluster,
}

pub fn run(args: &Swap) -> Result<()> {
    let mut options = args.cluster.options("fraud");
    options.rate = options.rate.or(Some(500.0));
    let application = millrace_topics::load(&args.topics, &options.app)
        .map_err(|problems| anyhow!("{}: {problems:?}", args.topics.display()))?;
    let Swap { versions, swaps, repetitions, .. } = args;
    let plan =
        Plan { options, application, versions: versions.clone(), swaps: *swaps, repetitions: *repetitions };
    let (text, ratio) = swap::table(&swap::run(&plan)?)?;
    print!("{text}");
    ensure!(ratio <= BOUND, "the p99 during a swap is {ratio:.2} times the one before, and {BOUND} at most");
    Ok(())
}
