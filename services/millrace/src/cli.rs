//! The command line: what can be asked of `millrace`.

mod experiment;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use millrace_experiments::interleave::Method;
use millrace_load::fraud::ChangeKind;
use millrace_load::ranking::ClickModel;
use millrace_runtime::config;
use millrace_topics::ModelRef;

pub use experiment::{
    AnalyzeArgs, EvaluateArgs, ExperimentCommand, InterleaveArgs, NamedArgs, PlanArmsArgs, PlanCanaryArgs,
    PlanCommand, SimulateArgs, Size, StatusArgs,
};

/// Turns Kafka topics into live machine learning: streaming features, scoring, monitoring.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, arg_required_else_help = true, max_term_width = 110)]
pub struct Cli {
    /// Folder of applications: each subfolder with topic files is one
    #[arg(long, global = true, value_name = "DIR", env = "MILLRACE_TOPICS", default_value = "topics")]
    pub topics: PathBuf,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// What `millrace` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the whole path on generated card payments, or two rankers before simulated users: nothing to install, nothing
    /// to configure
    Demo(DemoArgs),
    /// Check an application's topic files, SQL and models; print every problem, exit 1 if there is one
    Check {
        /// The application: a folder name under --topics
        app: String,
    },
    /// Create, compare or draw an application's topics
    #[command(subcommand)]
    Topics(TopicsCommand),
    /// Run all services of an application in one process
    Up {
        /// The application
        app: String,
        /// Bring a Kafka-like bus and a store along, inside the process; keeps nothing after exit
        #[arg(long)]
        embedded: bool,
        #[command(flatten)]
        service: config::Args,
    },
    /// Run the service that computes feature views
    Features {
        /// The application
        app: String,
        #[command(flatten)]
        service: config::Args,
    },
    /// Run the service that scores features with the deployed models
    Scorer {
        /// The application
        app: String,
        #[command(flatten)]
        service: config::Args,
    },
    /// Run the service that brings clicks and lists together and judges experiments
    Experiments {
        /// The application
        app: String,
        #[command(flatten)]
        service: config::Args,
    },
    /// Say which model versions serve a prediction topic, and how; every scorer swaps between two batches
    Deploy(Box<DeployArgs>),
    /// Show what serves, since when, set by whom and why, and everything that served before
    Deployments {
        /// The application
        app: String,
        /// The prediction topic; all of them unless given
        topic: Option<String>,
        /// One JSON object per line
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        service: config::Args,
    },
    /// Watch what flows for change: the service, its alarms, reports
    #[command(subcommand)]
    Drift(DriftCommand),
    /// Judge arms: tests, interleaving, plans, what was not served
    #[command(subcommand)]
    Experiment(ExperimentCommand),
    /// Compute a feature view over Parquet files, by the very plan that the stream runs
    Backfill(BackfillArgs),
    /// Look at what could not be processed
    #[command(subcommand)]
    DeadLetters(DeadLettersCommand),
    /// Print the configuration that a service would run with, secrets left out
    Config {
        #[command(flatten)]
        service: config::Args,
    },
}

/// `millrace topics ...`
#[derive(Debug, Subcommand)]
pub enum TopicsCommand {
    /// Create and alter topics, register schemas, write the first deployment
    Apply {
        /// The application
        app: String,
        /// Replicas of created topics; the broker's default unless given
        #[arg(long, value_name = "N")]
        replication: Option<u16>,
        #[command(flatten)]
        service: config::Args,
    },
    /// Show what `apply` would change, and change nothing
    Diff {
        /// The application
        app: String,
        #[command(flatten)]
        service: config::Args,
    },
    /// Draw the dataflow from topic to topic
    Graph {
        /// The application
        app: String,
        /// How to draw
        #[arg(long, value_enum, default_value = "text")]
        format: GraphFormat,
    },
}

/// How `topics graph` draws.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum GraphFormat {
    /// For a terminal
    Text,
    /// For Graphviz
    Dot,
    /// For Markdown
    Mermaid,
}

/// `millrace deploy ...`
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true).multiple(true))]
pub struct DeployArgs {
    /// The application
    pub app: String,
    /// The prediction topic
    pub topic: String,
    /// The version that serves: <version> of the model that serves now, or <model>/<version>; the one that serves now
    /// unless given
    #[arg(long, value_name = "VERSION", group = "what")]
    pub champion: Option<String>,
    /// A version that only watches: it predicts, and nobody acts on it; repeatable
    #[arg(long = "shadow", value_name = "[NAME=]VERSION", group = "what")]
    pub shadows: Vec<String>,
    /// An arm of an A/B test with its share of the units, such as b=2:0.3; repeatable. The control has what is left, or is
    /// an arm of the champion's version
    #[arg(long = "arm", value_name = "NAME=VERSION:SHARE", group = "what", conflicts_with_all = ["canary", "interleave"])]
    pub arms: Vec<String>,
    /// A new version that has a share of the units, compared with a baseline of the same size. The same command with a
    /// greater share lets it grow
    #[arg(long, value_name = "VERSION", group = "what", requires = "share", conflicts_with = "interleave")]
    pub canary: Option<String>,
    /// The canary's share, of 0 to 1
    #[arg(long, value_name = "SHARE", requires = "canary")]
    pub share: Option<f64>,
    /// Versions whose rankings every list is made of, such as 2,3
    #[arg(long, value_name = "VERSION,VERSION", value_delimiter = ',', group = "what")]
    pub interleave: Vec<String>,
    /// How lists are made: team_draft, balanced, debiased_balanced, probabilistic or optimized
    #[arg(long, value_name = "NAME", default_value = "team_draft", requires = "interleave")]
    pub method: String,
    /// Draw the arm of each event anew, not once per unit
    #[arg(long, requires = "arms")]
    pub per_event: bool,
    /// The experiment that it belongs to
    #[arg(long, value_name = "NAME")]
    pub experiment: Option<String>,
    /// What units are hashed with into their buckets; one of its own for each experiment unless given
    #[arg(long, value_name = "TEXT")]
    pub salt: Option<String>,
    /// Experiments that share a namespace have no unit in common; this one takes the buckets FROM to TO of 10,000
    #[arg(long, value_name = "NAME:FROM-TO")]
    pub namespace: Option<String>,
    /// Put an earlier deployment into force again: that at OFFSET, or the one before that in force. Of one that `millrace
    /// experiment` made, the champion alone comes back and serves everybody: no one would judge its arms any more, since a
    /// deployment by hand ends the experiment that runs. Arms that `millrace deploy` made come back as they were
    #[arg(long, value_name = "OFFSET", num_args = 0..=1, group = "what",
          conflicts_with_all = ["champion", "shadows", "arms", "canary", "interleave", "experiment", "salt", "namespace"])]
    pub rollback: Option<Option<i64>>,
    /// Refuse if another deployment than that at OFFSET is in force by now
    #[arg(long, value_name = "OFFSET")]
    pub seen: Option<i64>,
    /// Who decides it
    #[arg(long, env = "USER", default_value = "somebody")]
    pub by: String,
    /// Why
    #[arg(long, default_value = "")]
    pub reason: String,
    /// Show what would be written, and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// How to reach Kafka and the registry
    #[command(flatten)]
    pub service: config::Args,
}

/// `millrace drift ...`
#[derive(Debug, Subcommand)]
pub enum DriftCommand {
    /// Run the service that watches an application
    Run {
        /// The application
        app: String,
        #[command(flatten)]
        service: config::Args,
    },
    /// Build what windows are compared with, from training data; the data is not needed any more then
    Reference(ReferenceArgs),
    /// Calibrate thresholds on the reference, so that false alarms are as rare as drift.toml asks for
    Calibrate {
        /// The application
        app: String,
        /// The model version; the first one deployed unless given
        #[arg(long, value_name = "MODEL/VERSION")]
        model: Option<String>,
    },
    /// Make a page of what drifted, when, and by how much
    Report {
        /// The application
        app: String,
        /// Windows that end after this moment, such as 2018-05-01 or 2018-05-01T12:00:00Z; the first one unless given
        #[arg(long, value_name = "TIME", value_parser = moment)]
        from: Option<i64>,
        /// Windows that end no later than this moment; the last one unless given
        #[arg(long, value_name = "TIME", value_parser = moment)]
        to: Option<i64>,
        /// The page: one file that needs nothing else
        #[arg(long, value_name = "FILE")]
        html: PathBuf,
        #[command(flatten)]
        service: config::Args,
    },
    /// Compare two Parquet or CSV files as a window is compared with its reference
    Compare(CompareArgs),
    /// Run a change detector over a column of a Parquet or CSV file
    Detect {
        /// The detector: adwin, ddm, eddm, hddm_a, hddm_w, page_hinkley, kswin or cusum
        #[arg(long, value_name = "NAME")]
        method: String,
        /// The file
        #[arg(long, value_name = "FILE")]
        input: PathBuf,
        /// The column
        #[arg(long, value_name = "NAME")]
        column: String,
        /// A parameter of the detector, such as delta=0.002; repeatable
        #[arg(long = "set", value_name = "NAME=VALUE", value_parser = pair)]
        parameters: Vec<(String, String)>,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Look at alarms, and say what becomes of them
    Alarms {
        /// The application
        app: String,
        /// What to do
        #[command(subcommand)]
        command: AlarmsCommand,
        #[command(flatten)]
        service: config::Args,
    },
}

/// `millrace drift reference ...`
#[derive(Debug, Args)]
pub struct ReferenceArgs {
    /// The application
    pub app: String,
    /// Training data, Parquet or CSV, with the columns of the watched feature topic; repeatable
    #[arg(long = "input", value_name = "FILE", required = true)]
    pub inputs: Vec<PathBuf>,
    /// The model version; the first one deployed unless given
    #[arg(long, value_name = "MODEL/VERSION")]
    pub model: Option<String>,
    /// Only rows from this moment on
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub from: Option<i64>,
    /// Only rows before this moment
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub to: Option<i64>,
    /// The column of the model's score, where the data has it: for score drift and estimates of performance
    #[arg(long, value_name = "COLUMN")]
    pub score: Option<String>,
    /// The column of the outcome
    #[arg(long, value_name = "COLUMN", requires = "score")]
    pub label: Option<String>,
    /// The column of the time at which the outcome was known
    #[arg(long, value_name = "COLUMN")]
    pub label_time: Option<String>,
}

/// `millrace drift compare ...`
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// What is compared with
    #[arg(long, value_name = "FILE")]
    pub reference: PathBuf,
    /// What is judged
    #[arg(long, value_name = "FILE")]
    pub current: PathBuf,
    /// Methods beside the default ones, such as ks,psi; `all` for every one
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub methods: Vec<String>,
    /// The distributions of columns alone, by --methods (the default one without): nothing of missing, new and outlying
    /// values, nothing of all columns together
    #[arg(long)]
    pub only: bool,
    /// The columns; all that can be watched unless given
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub columns: Vec<String>,
    /// Columns of which every value is compared on its own, too
    #[arg(long = "segment", value_name = "COLUMN")]
    pub segments: Vec<String>,
    /// The column of the rows' id; their place unless given
    #[arg(long, value_name = "COLUMN")]
    pub id: Option<String>,
    /// Calibrated thresholds, as `millrace drift calibrate` writes them; what practice takes for notable unless given
    #[arg(long, value_name = "FILE")]
    pub thresholds: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long, conflicts_with = "html")]
    pub json: bool,
    /// Write a page
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Exit with 2 where anything drifted
    #[arg(long)]
    pub fail_on_drift: bool,
}

/// A day or an RFC 3339 time, in ms since 1970.
fn moment(text: &str) -> Result<i64, String> {
    let day = text.parse::<chrono::NaiveDate>().ok().and_then(|day| day.and_hms_opt(0, 0, 0));
    let day = day.map(|time| time.and_utc().timestamp_millis());
    let time = || chrono::DateTime::parse_from_rfc3339(text).ok().map(|time| time.timestamp_millis());
    day.or_else(time)
        .ok_or_else(|| "write a day such as 2018-05-01, or a time such as 2018-05-01T12:00:00Z".into())
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write name=value")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// `millrace drift alarms <app> ...`
#[derive(Debug, Subcommand)]
pub enum AlarmsCommand {
    /// Print the alarms, those that are open first
    List {
        /// Closed ones too
        #[arg(long)]
        all: bool,
        /// One JSON object per line
        #[arg(long)]
        json: bool,
    },
    /// It has been seen: it is shown as acknowledged until it closes
    Ack {
        /// The alarm, as `list` shows it
        alarm: String,
        #[command(flatten)]
        said: SaidArgs,
    },
    /// It is silent for a time, counted on from the last window
    Mute {
        /// The alarm, as `list` shows it
        alarm: String,
        /// For how long, in the stream's own time
        #[arg(long = "for", value_name = "DURATION", default_value = "7 days")]
        duration: String,
        #[command(flatten)]
        said: SaidArgs,
    },
    /// It is heard again
    Unmute {
        /// The alarm, as `list` shows it
        alarm: String,
        #[command(flatten)]
        said: SaidArgs,
    },
    /// It is over; it opens again only after its subject was quiet
    Close {
        /// The alarm, as `list` shows it
        alarm: String,
        #[command(flatten)]
        said: SaidArgs,
    },
}

/// Who says what about an alarm.
#[derive(Debug, Clone, Args)]
pub struct SaidArgs {
    /// Who says it
    #[arg(long, env = "USER", default_value = "somebody")]
    pub by: String,
    /// Why
    #[arg(long, default_value = "")]
    pub reason: String,
}

/// `millrace dead-letters ...`
#[derive(Debug, Subcommand)]
pub enum DeadLettersCommand {
    /// Print dead letters, oldest first
    List {
        /// The application
        app: String,
        /// Only those with this reason
        #[arg(long)]
        reason: Option<String>,
        /// One JSON object per line, with key and value in full
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        service: config::Args,
    },
}

/// `millrace backfill ...`
#[derive(Debug, Args)]
pub struct BackfillArgs {
    /// The application
    pub app: String,
    /// The feature topic, such as `features`
    pub topic: String,
    /// A source topic and the file that holds its rows; once for each source of the view
    #[arg(long = "input", value_name = "SOURCE=FILE.parquet", required = true)]
    pub inputs: Vec<String>,
    /// The file to write
    #[arg(long, value_name = "FILE.parquet")]
    pub output: PathBuf,
}

/// `millrace demo ...`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct DemoArgs {
    #[command(subcommand)]
    pub of: Option<DemoOf>,
    /// How many payments: the first N of the published-size stream
    #[arg(long, value_name = "N", default_value_t = 600_000)]
    pub transactions: u64,
    /// Seed of the generated payments
    #[arg(long, value_name = "S", default_value_t = 42)]
    pub seed: u64,
    /// What changes in the second half: amounts (in one country, by 30 %), terminals (a new fleet), pattern (fraud moves
    /// from terminals to customers), labels (they stop), serving (a feature is computed wrongly), or none
    #[arg(long, value_name = "NAME", default_value = "amounts", value_parser = change)]
    pub change: Planted,
    /// Print the summary as one JSON object in the last line of standard output
    #[arg(long)]
    pub json: bool,
}

/// Other demos than that of card payments.
#[derive(Debug, Subcommand)]
pub enum DemoOf {
    /// Two rankers in interleaved lists, simulated users who click on them, and whom they prefer as it becomes clear
    ///
    /// Requests of 20 candidates go through the ranking application of topics/ranking, all of it in this process: the scorer
    /// ranks the candidates by both models and interleaves, users look at the lists and click on what is relevant to them,
    /// and each click earns credit for the ranker whose pick it was. The models are of known quality (ndcg_10 in their
    /// model.toml), so that there is a right answer: popularity/1 < relevance/1 < relevance/2.
    Ranking(RankingDemoArgs),
}

/// `millrace demo ranking ...`
#[derive(Debug, Args)]
pub struct RankingDemoArgs {
    /// How many visits; every fifth has a second page, which is a request of its own
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub visits: u32,
    /// Seed of requests and users
    #[arg(long, value_name = "S", default_value_t = 42)]
    pub seed: u64,
    /// How lists are made: team_draft, balanced, debiased_balanced, probabilistic, optimized
    #[arg(long, value_name = "METHOD", default_value = "team_draft")]
    pub method: Method,
    /// How users click: perfect, navigational, informational
    #[arg(long, value_name = "MODEL", default_value = "informational")]
    pub clicks: ClickModel,
    /// The ranker that is compared with the champion, as <model>/<version>
    #[arg(long, value_name = "MODEL", default_value = "relevance/2", value_parser = model)]
    pub challenger: ModelRef,
    /// Print the summary as one JSON object in the last line of standard output
    #[arg(long)]
    pub json: bool,
}

fn model(text: &str) -> Result<ModelRef, String> {
    ModelRef::parse(text).ok_or_else(|| "write <model>/<version>, for example relevance/2".to_owned())
}

/// A change of the demo's stream; none: the world stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planted(pub Option<ChangeKind>);

fn change(text: &str) -> Result<Planted, String> {
    match text {
        "none" => Ok(Planted(None)),
        name => name.parse().map(|kind| Planted(Some(kind))),
    }
}
