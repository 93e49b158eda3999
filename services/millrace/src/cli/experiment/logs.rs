//! `millrace experiment evaluate ...` and `simulate ...`

use std::path::PathBuf;

use clap::Args;

/// `millrace experiment evaluate ...`
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("judged").required(true).multiple(false))]
pub struct EvaluateArgs {
    /// Logged decisions, Parquet, CSV or JSON lines: arm served, propensity, reward, covariates
    #[arg(long, value_name = "FILE")]
    pub input: PathBuf,
    /// What is judged: this arm for every decision
    #[arg(long, value_name = "ARM", group = "judged")]
    pub target: Option<String>,
    /// What is judged: the arm in this column
    #[arg(long, value_name = "COLUMN", group = "judged")]
    pub target_column: Option<String>,
    /// What is judged: an arm with the probability in a column, such as b=p_b; once for each arm, they sum to 1
    #[arg(long = "target-probability", value_name = "ARM=COLUMN", group = "judged", value_parser = crate::cli::pair)]
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
    /// Instead, A/A tests on the rows of this Parquet, CSV or JSON lines file: units dealt to two halves again and again
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
