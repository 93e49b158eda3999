//! `millrace experiment ...`

mod logs;
mod plan;
mod stream;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use millrace_experiments::analysis::Metric;
use millrace_experiments::interleave::Method;

pub use logs::{EvaluateArgs, SimulateArgs};
pub use plan::{PlanArmsArgs, PlanCanaryArgs, PlanCommand, Size};
pub use stream::{DecideArgs, NamedArgs, StatusArgs};

/// `millrace experiment ...`
#[derive(Debug, Subcommand)]
pub enum ExperimentCommand {
    /// Start an experiment that the application's files define: its arms are deployed, and what they do is counted
    Start(NamedArgs),
    /// Show what is known: a table with intervals, JSON, or a page
    Status(StatusArgs),
    /// End it without a decision; what serves goes on serving
    Stop(NamedArgs),
    /// Conclude nothing for now; its arms go on serving
    Pause(NamedArgs),
    /// Draw conclusions again
    Resume(NamedArgs),
    /// End it, and let the control serve everybody again
    Abort(NamedArgs),
    /// End it, and make an arm the champion
    Decide(DecideArgs),
    /// Compare the arms of an experiment on a Parquet, CSV or JSON lines file of units, arms and values
    Analyze(AnalyzeArgs),
    /// Interleave rankings given as JSON lines; clicks given with them earn credit
    Interleave(InterleaveArgs),
    /// Say before the start how large and long an experiment must be
    #[command(subcommand)]
    Plan(PlanCommand),
    /// Estimate from logged decisions what an arm would have earned that was not served
    Evaluate(EvaluateArgs),
    /// Simulate how often the tests are wrong, and how much they see; exit 1 if one exceeds its bound
    Simulate(SimulateArgs),
}

/// `millrace experiment analyze ...`
#[derive(Debug, Args)]
pub struct AnalyzeArgs {
    /// Rows of unit, arm and values, Parquet, CSV or JSON lines; rows of one unit count as one
    #[arg(long, value_name = "FILE")]
    pub input: PathBuf,
    /// The metric and its kind: mean (of each unit's sum), conversion (share of units with a 1), ratio (sum of values over
    /// sum of denominators, such as a mean per row)
    #[arg(long, value_name = "NAME:KIND", value_parser = metric)]
    pub metric: (String, Metric),
    /// The column of the unit that was assigned
    #[arg(long, value_name = "COLUMN", default_value = "unit")]
    pub unit: String,
    /// The column of the arm
    #[arg(long, value_name = "COLUMN", default_value = "arm")]
    pub arm: String,
    /// The column of the value; the metric's name unless given
    #[arg(long, value_name = "COLUMN")]
    pub value: Option<String>,
    /// The column of a ratio's denominator
    #[arg(long, value_name = "COLUMN", conflicts_with = "covariate")]
    pub denominator: Option<String>,
    /// A column known strictly before exposure, the same in all rows of a unit: results are adjusted by it (CUPED)
    #[arg(long, value_name = "COLUMN")]
    pub covariate: Option<String>,
    /// The arm that the others are compared with; `control` if there is one, else the first in the file
    #[arg(long, value_name = "ARM")]
    pub control: Option<String>,
    /// The level: intervals have 1 - alpha
    #[arg(long, value_name = "A", default_value_t = 0.05)]
    pub alpha: f64,
    /// An arm's expected share of units, such as control=0.5; repeatable; equal ones unless given
    #[arg(long = "share", value_name = "ARM=SHARE", value_parser = share)]
    pub shares: Vec<(String, f64)>,
    /// The p-value of the sample ratio below which nothing is concluded
    #[arg(long, value_name = "P", default_value_t = 0.001)]
    pub sample_ratio_alpha: f64,
    /// The share of units seen in two arms above which nothing is concluded
    #[arg(long, value_name = "SHARE", default_value_t = 0.01)]
    pub max_mixed: f64,
    /// Units of both arms at which the always-valid interval is to be tightest
    #[arg(long, value_name = "N", default_value_t = 5000.0)]
    pub tuned_for: f64,
    /// The relative effect that is expected, such as 0.05: mSPRT is told, too
    #[arg(long, value_name = "SHARE")]
    pub expected_effect: Option<f64>,
    /// Tell the always-valid interval at so many looks, units taken in the order of their first rows
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub looks: usize,
    /// Units of both arms below which a look does not count
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub burn_in: u64,
    /// Print one JSON object
    #[arg(long, conflicts_with = "html")]
    pub json: bool,
    /// Write a page: one file that needs nothing else
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

/// `millrace experiment interleave ...`
#[derive(Debug, Args)]
pub struct InterleaveArgs {
    /// The method: team_draft, balanced, debiased_balanced, probabilistic or optimized
    #[arg(long, value_name = "NAME")]
    pub method: Method,
    /// The experiment's salt: with a line's key it is the seed
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub salt: String,
    /// JSON lines such as {"key": "q1", "rankings": [["a", "b"], ["b", "a"]], "rankers": ["v1", "v2"], "clicks": ["b"]}
    /// (rankers and clicks may be left out); - for standard input
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub input: PathBuf,
    /// The length of lists; all items unless given
    #[arg(long, value_name = "N")]
    pub length: Option<usize>,
    /// Clicks on what all rankings agree on, item and rank, at the top of the list credit nobody
    #[arg(long)]
    pub skip_common_prefix: bool,
}

fn metric(text: &str) -> Result<(String, Metric), String> {
    let (name, kind) = text.rsplit_once(':').ok_or("write NAME:mean, NAME:conversion or NAME:ratio")?;
    let kind: Metric = kind
        .parse()
        .map_err(|error: millrace_experiments::analysis::sums::UnknownMetric| error.to_string())?;
    Ok((name.to_owned(), kind))
}

fn share(text: &str) -> Result<(String, f64), String> {
    let (arm, share) = text.rsplit_once('=').ok_or("write ARM=SHARE, such as control=0.5")?;
    Ok((arm.to_owned(), number(share)?))
}

fn number(text: &str) -> Result<f64, String> {
    let number: f64 = text.trim().parse().map_err(|_| format!("`{text}` is no number"))?;
    if number.is_finite() { Ok(number) } else { Err(format!("`{text}` is no finite number")) }
}
