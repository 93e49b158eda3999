//! `millrace experiment plan ...`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use millrace_experiments::analysis::Metric;

use super::{metric, number, share};

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
    /// Rows of the past, Parquet, CSV or JSON lines, to learn baseline and deviation from
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
