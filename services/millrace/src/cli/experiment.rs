//! `millrace experiment ...`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use millrace_experiments::analysis::Metric;
use millrace_experiments::interleave::Method;

/// `millrace experiment ...`
#[derive(Debug, Subcommand)]
pub enum ExperimentCommand {
    /// Compare the arms of an experiment on a Parquet or CSV file of units, arms and values
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
    /// Rows of unit, arm and values, Parquet or CSV; rows of one unit count as one
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

/// `millrace experiment plan ...`
#[derive(Debug, Subcommand)]
pub enum PlanCommand {
    /// Units and days that see a difference between arms
    Arms(PlanArmsArgs),
    /// Windows of a canary's steps; refuses a step that cannot see the bound, saying what it needs
    Canary(PlanCanaryArgs),
}

/// `millrace experiment plan arms ...`
#[derive(Debug, Args)]
pub struct PlanArmsArgs {
    /// The metric and its kind: mean, conversion or ratio
    #[arg(long, value_name = "NAME:KIND", value_parser = metric)]
    pub metric: (String, Metric),
    /// Its value now: a rate, a mean of units, a ratio
    #[arg(long, value_name = "VALUE", required_unless_present = "input", conflicts_with = "input")]
    pub baseline: Option<f64>,
    /// The standard deviation of one unit (means and ratios): of a ratio, of (value - ratio x denominator) / mean denominator
    #[arg(long, value_name = "SD", conflicts_with = "input")]
    pub deviation: Option<f64>,
    /// Rows of the past, Parquet or CSV, to learn baseline and deviation from
    #[arg(long, value_name = "FILE")]
    pub input: Option<PathBuf>,
    /// The column of the unit in that file
    #[arg(long, value_name = "COLUMN", default_value = "unit")]
    pub unit: String,
    /// The column of the value; the metric's name unless given
    #[arg(long, value_name = "COLUMN")]
    pub value: Option<String>,
    /// The column of a ratio's denominator
    #[arg(long, value_name = "COLUMN", requires = "input")]
    pub denominator: Option<String>,
    /// The difference that is to be seen: 0.3 in the metric's unit, or 5% of the baseline
    #[arg(long, value_name = "EFFECT", value_parser = effect, allow_hyphen_values = true)]
    pub effect: Size,
    /// New units a day, of all traffic
    #[arg(long, value_name = "N")]
    pub per_day: f64,
    /// An arm's share of traffic, the control first, such as control=0.5; two halves unless given
    #[arg(long = "share", value_name = "ARM=SHARE", value_parser = share)]
    pub shares: Vec<(String, f64)>,
    /// The level of the whole experiment
    #[arg(long, value_name = "A", default_value_t = 0.05)]
    pub alpha: f64,
    /// The probability with which the difference is to be seen
    #[arg(long, value_name = "P", default_value_t = 0.8)]
    pub power: f64,
    /// How a covariate known before exposure is correlated with the value (CUPED); 0 for none
    #[arg(long, value_name = "R", default_value_t = 0.0, allow_hyphen_values = true)]
    pub correlation: f64,
    /// How long after a unit's first exposure its values count
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = millrace_topics::parse_duration)]
    pub window: i64,
    /// How long after that labels may still come
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = millrace_topics::parse_duration)]
    pub label_horizon: i64,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// A difference: absolute, or as a share of the baseline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Size {
    /// In the metric's unit.
    Absolute(f64),
    /// As a share.
    Relative(f64),
}

/// `millrace experiment plan canary ...`
#[derive(Debug, Args)]
pub struct PlanCanaryArgs {
    /// What steps are judged by: auc or loss (both versions score the same rows), conversion or mean (two arms)
    #[arg(long, value_name = "NAME", value_parser = ["auc", "loss", "conversion", "mean"])]
    pub judge: String,
    /// The champion's AUC (auc)
    #[arg(long, value_name = "AUC", required_if_eq("judge", "auc"))]
    pub auc: Option<f64>,
    /// The share of rows that are positive (auc)
    #[arg(long, value_name = "RATE", required_if_eq("judge", "auc"))]
    pub positive_rate: Option<f64>,
    /// How the two versions' AUCs are correlated (auc); near 1 for versions that order rows alike
    #[arg(long, value_name = "R", default_value_t = 0.5)]
    pub correlation: f64,
    /// The champion's rate (conversion)
    #[arg(long, value_name = "RATE", required_if_eq("judge", "conversion"))]
    pub rate: Option<f64>,
    /// The standard deviation: of one row's difference in loss (loss), of one unit (mean)
    #[arg(long, value_name = "SD", required_if_eq_any([("judge", "loss"), ("judge", "mean")]))]
    pub deviation: Option<f64>,
    /// The difference that must be seen, in the metric's unit
    #[arg(long, value_name = "D")]
    pub bound: f64,
    /// Rows (auc, loss) or units (conversion, mean) a day, of all traffic
    #[arg(long, value_name = "N")]
    pub per_day: f64,
    /// A step: the canary's share of traffic and how long it may take, such as "0.05=14 days"; repeatable
    #[arg(long = "step", value_name = "SHARE=DURATION", required = true, value_parser = step)]
    pub steps: Vec<(f64, i64)>,
    /// The share of rows that get a label within the label horizon
    #[arg(long, value_name = "SHARE", default_value_t = 1.0)]
    pub labelled: f64,
    /// How long labels take
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = millrace_topics::parse_duration)]
    pub label_horizon: i64,
    /// The level of the two-sided interval
    #[arg(long, value_name = "A", default_value_t = 0.05)]
    pub alpha: f64,
    /// The probability with which the bound is to be seen
    #[arg(long, value_name = "P", default_value_t = 0.9)]
    pub power: f64,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `millrace experiment evaluate ...`
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("judged").required(true).multiple(false))]
pub struct EvaluateArgs {
    /// Logged decisions, Parquet or CSV: arm served, propensity, reward, covariates
    #[arg(long, value_name = "FILE")]
    pub input: PathBuf,
    /// What is judged: this arm for every decision
    #[arg(long, value_name = "ARM", group = "judged")]
    pub target: Option<String>,
    /// What is judged: the arm in this column
    #[arg(long, value_name = "COLUMN", group = "judged")]
    pub target_column: Option<String>,
    /// What is judged: an arm with the probability in a column, such as b=p_b; once for each arm, they sum to 1
    #[arg(long = "target-probability", value_name = "ARM=COLUMN", group = "judged", value_parser = super::pair)]
    pub target_probabilities: Vec<(String, String)>,
    /// The column of the arm that was served
    #[arg(long, value_name = "COLUMN", default_value = "arm")]
    pub arm: String,
    /// The column of the probability with which it was served
    #[arg(long, value_name = "COLUMN", default_value = "propensity")]
    pub propensity: String,
    /// The column of what it earned
    #[arg(long, value_name = "COLUMN", default_value = "reward")]
    pub reward: String,
    /// The column of the unit, where decisions of one are not independent; each row its own unless given
    #[arg(long, value_name = "COLUMN")]
    pub unit: Option<String>,
    /// A column known before the decision, for the reward model; repeatable
    #[arg(long = "covariate", value_name = "COLUMN")]
    pub covariates: Vec<String>,
    /// Cut weights above this: less noise for a bias towards what was served
    #[arg(long, value_name = "WEIGHT")]
    pub clip: Option<f64>,
    /// Parts of the rows; each is guessed by reward models of the others
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub folds: usize,
    /// The reward model's ridge penalty
    #[arg(long, value_name = "L", default_value_t = 1.0)]
    pub ridge: f64,
    /// The level: intervals have 1 - alpha
    #[arg(long, value_name = "A", default_value_t = 0.05)]
    pub alpha: f64,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `millrace experiment simulate ...`
#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// Experiments a line of type I errors; power takes 300 at most
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub replications: u64,
    /// Looks at experiments that are looked at again and again
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub looks: u64,
    /// Simulated impressions a line of interleaving against A/B
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    pub impressions: u64,
    /// The same seed gives the same tables
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// Instead, A/A tests on the rows of this Parquet or CSV file: units dealt to two halves again and again
    #[arg(long, value_name = "FILE", requires = "value")]
    pub input: Option<PathBuf>,
    /// The column of the unit in that file
    #[arg(long, value_name = "COLUMN", default_value = "unit")]
    pub unit: String,
    /// The column of the value, whose mean per row is compared
    #[arg(long, value_name = "COLUMN", requires = "input")]
    pub value: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
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

fn effect(text: &str) -> Result<Size, String> {
    match text.trim().strip_suffix('%') {
        Some(percent) => Ok(Size::Relative(number(percent.trim())? / 100.0)),
        None => Ok(Size::Absolute(number(text)?)),
    }
}

fn step(text: &str) -> Result<(f64, i64), String> {
    let (share, duration) = text.split_once('=').ok_or("write SHARE=DURATION, such as \"0.05=14 days\"")?;
    Ok((number(share)?, millrace_topics::parse_duration(duration)?))
}

fn number(text: &str) -> Result<f64, String> {
    let number: f64 = text.trim().parse().map_err(|_| format!("`{text}` is no number"))?;
    if number.is_finite() { Ok(number) } else { Err(format!("`{text}` is no finite number")) }
}
