//! The command line of `millrace-load`.

mod detectors;
mod lists;
mod ranking;
mod swap;
mod wide;

use std::io::{BufWriter, stdout};
use std::path::PathBuf;

use anyhow::{Result, bail, ensure};
use arrow::compute::kernels::cast_utils::Parser as _;
use arrow::datatypes::Date32Type;
use clap::{Args, Parser, Subcommand, ValueEnum};
use millrace_load::fraud::{self, Change, ChangeKind, DAY_MS, Params};
use millrace_load::output::kafka::{self, Follow, Options, Report};
use millrace_load::output::source::Payments;
use millrace_load::output::{json, parquet};

/// Seeded input for Millrace: the same flags give the same records on every machine.
#[derive(Debug, Parser)]
#[command(name = "millrace-load", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Generate card payments and their labels (the fraud application's sources).
    ///
    /// The default is the published size of the handbook "Reproducible Machine Learning for Credit Card Fraud
    /// Detection": 5,000 customers, 10,000 terminals, 183 days, about 1.75 million payments with a label each.
    ///
    /// `generate ranking` makes requests for ranked lists instead.
    Generate(Box<Generate>),
    /// Simulated users: read the lists of the ranking application and answer with impressions and clicks.
    Users(Box<ranking::Users>),
    /// How often change detectors cry wolf and how late they are, on streams whose changes are known.
    #[command(subcommand)]
    Detectors(detectors::Command),
    /// What watching a window of many rows and columns for drift takes: CPU time and peak memory.
    ///
    /// The window's batches are made as they are taken, so that nothing but what drift keeps is in memory.
    Wide(wide::Wide),
    /// What interleaved lists and the credit of their clicks take, in CPU time: by method as pure functions, and in the task
    /// that brings lists and clicks together.
    ///
    /// A release build fails where team-draft, balanced or probabilistic interleaving stays below 50,000 requests of 20
    /// candidates a second and core.
    Lists(lists::Lists),
    /// How long payments wait for their prediction while the champion is swapped, and before.
    ///
    /// The services features and scorer run; `sh load/swap/run.sh` starts them and all that they need. Fails if the p99
    /// during swaps is above twice the one before (medians).
    Swap(swap::Swap),
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
struct Generate {
    #[command(subcommand)]
    other: Option<Other>,
    /// Where the records go.
    #[arg(long, value_enum, required = true)]
    to: Option<Destination>,
    /// Keep the first N payments, and their labels.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    #[command(flatten)]
    population: Population,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    cluster: Cluster,
}

/// Applications other than fraud.
#[derive(Debug, Subcommand)]
enum Other {
    /// Generate requests for ranked lists (the source `requests` of the ranking application).
    Ranking(Box<ranking::Generate>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Destination {
    /// A file per topic in --dir: transactions.parquet and labels.parquet, or requests.parquet.
    Parquet,
    /// Standard output, one object per line with its `topic`, in the order of record time.
    Json,
    /// The application's topics, in the order of record time; Avro, keyed by the customer or the user.
    Kafka,
}

/// What is generated.
#[derive(Debug, Args)]
#[command(next_help_heading = "What is generated")]
struct Population {
    /// Number of customers.
    #[arg(long, default_value_t = Params::default().customers, value_name = "N")]
    customers: u32,
    /// Number of terminals.
    #[arg(long, default_value_t = Params::default().terminals, value_name = "N")]
    terminals: u32,
    /// Number of days.
    #[arg(long, default_value_t = Params::default().days, value_name = "N")]
    days: u32,
    /// The first day (UTC).
    #[arg(long, default_value = "2018-04-01", value_name = "DATE", value_parser = parse_day)]
    start: i64,
    /// A customer uses the terminals nearer than this, on a map of 100 by 100.
    #[arg(long, default_value_t = Params::default().radius)]
    radius: f64,
    /// Seed of all draws.
    #[arg(long, default_value_t = Params::default().seed, value_name = "N")]
    seed: u64,
    /// Days from a payment to its label.
    #[arg(long, default_value_t = 6.0, value_name = "DAYS")]
    label_delay_days: f64,
    /// What changes on the way: amounts (of one country, by 30 %), terminals (a new fleet), pattern (fraud moves from
    /// terminals to customers), labels (they stop).
    #[arg(long, value_name = "NAME")]
    change: Option<ChangeKind>,
    /// The day of the change, from 0; half-way unless given.
    #[arg(long, value_name = "N", requires = "change")]
    change_day: Option<u32>,
}

/// For --to parquet.
#[derive(Debug, Args)]
#[command(next_help_heading = "With --to parquet")]
struct Files {
    /// The folder to write into, made where it is missing.
    #[arg(long, default_value = ".", value_name = "DIR")]
    dir: PathBuf,
}

/// For --to kafka.
#[derive(Debug, Args)]
#[command(next_help_heading = "With --to kafka")]
struct Cluster {
    /// Kafka's bootstrap servers.
    #[arg(long, env = "KAFKA_BOOTSTRAP", default_value = "localhost:9092", value_name = "HOST:PORT")]
    bootstrap: String,
    /// The schema registry, which knows the topics' schemas (`millrace topics apply`).
    #[arg(
        long,
        env = "SCHEMA_REGISTRY_URL",
        default_value = "http://localhost:8081",
        value_name = "URL",
        hide_env_values = true
    )]
    registry: String,
    /// The application whose topics are written; what is generated says which, unless given.
    #[arg(long)]
    app: Option<String>,
    /// Records per second, those of all topics together, whether consumers keep up or not. Without it, as fast as the
    /// cluster takes them.
    #[arg(long, value_name = "N", value_parser = parse_rate)]
    rate: Option<f64>,
    /// Wait for a consumer group, so that it is never far behind: its name, or the beginning of the name and a star
    /// (`<app>.features*`).
    #[arg(long, value_name = "GROUP")]
    follow: Option<String>,
    /// With --follow: how many records the group may be behind.
    #[arg(long, default_value_t = 20_000, value_name = "N", requires = "follow")]
    max_lag: u64,
    /// An option of librdkafka, such as `security.protocol=SSL`; repeatable.
    #[arg(long = "kafka", value_name = "OPTION=VALUE", value_parser = parse_option)]
    options: Vec<(String, String)>,
}

impl Cluster {
    fn options(&self, default_app: &str) -> Options {
        let max_lag_rows = self.max_lag;
        Options {
            bootstrap: self.bootstrap.clone(),
            registry: self.registry.clone(),
            app: self.app.clone().unwrap_or_else(|| default_app.to_owned()),
            rate: self.rate,
            follow: self.follow.clone().map(|group| Follow { group, max_lag_rows }),
            kafka: self.options.clone(),
        }
    }
}

fn parse_rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate: &f64| rate.is_finite() && *rate > 0.0);
    rate.ok_or_else(|| "write a number above 0".to_owned())
}

fn parse_option(text: &str) -> Result<(String, String), String> {
    let (option, value) = text.split_once('=').ok_or("write option=value")?;
    Ok((option.to_owned(), value.to_owned()))
}

/// Midnight of a day like 2018-04-01, in ms since 1970.
fn parse_day(text: &str) -> Result<i64, String> {
    Date32Type::parse(text)
        .map(|day| i64::from(day) * DAY_MS)
        .ok_or_else(|| "write a day like 2018-04-01".to_owned())
}

impl Population {
    fn params(&self) -> Result<Params> {
        for (flag, number) in
            [("customers", self.customers), ("terminals", self.terminals), ("days", self.days)]
        {
            ensure!(number > 0, "--{flag} must be at least 1");
        }
        ensure!(self.radius.is_finite() && self.radius >= 0.0, "--radius must be a number from 0 on");
        let label_delay_ms = (self.label_delay_days * DAY_MS as f64).round();
        ensure!((0.0..1e15).contains(&label_delay_ms), "--label-delay-days must be a number from 0 on");
        Ok(Params {
            customers: self.customers,
            terminals: self.terminals,
            days: self.days,
            start_ms: self.start,
            radius: self.radius,
            seed: self.seed,
            label_delay_ms: label_delay_ms as i64,
            change: self
                .change
                .map(|kind| Change { kind, from_day: self.change_day.unwrap_or(self.days / 2) }),
        })
    }
}

/// Runs a parsed command line.
pub fn run(cli: Cli) -> Result<()> {
    match cli.command {
        Command::Generate(generate) => match (generate.other, generate.to) {
            (Some(Other::Ranking(ranking)), _) => ranking::generate(&ranking),
            (None, Some(to)) => send(to, Generate { other: None, ..*generate }),
            (None, None) => bail!("--to says where the records go: parquet, json or kafka"),
        },
        Command::Users(users) => ranking::users(&users),
        Command::Detectors(command) => detectors::run(&command),
        Command::Wide(wide) => wide::run(&wide),
        Command::Lists(lists) => lists::run(&lists),
        Command::Swap(swap) => swap::run(&swap),
    }
}

fn send(to: Destination, generate: Generate) -> Result<()> {
    let params = generate.population.params()?;
    let mut stream = fraud::stream(&params);
    if let Some(limit) = generate.limit {
        stream = stream.limit(limit);
    }
    ensure!(!stream.payments().is_empty(), "these flags leave no payment: raise --limit or --radius");
    let frauds = stream.payments().iter().filter(|payment| payment.fraud).count();
    eprintln!(
        "{} payments, {frauds} of them frauds, {} labels",
        stream.payments().len(),
        stream.labelled().len()
    );
    match to {
        Destination::Parquet => parquet::write(&stream, &generate.files.dir),
        Destination::Json => Ok(json::write(stream, BufWriter::new(stdout().lock()))?),
        Destination::Kafka => {
            let report = kafka::send(&Payments, stream, &generate.cluster.options("fraud"))?;
            print_sent(&report);
            Ok(())
        }
    }
}

fn print_sent(report: &Report) {
    let seconds = report.elapsed.as_secs_f64();
    eprintln!("{} records sent and acknowledged in {seconds:.1} s", report.records);
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_default_flags_are_the_default_parameters() {
        Cli::command().debug_assert();
        let cli = Cli::parse_from(["millrace-load", "generate", "--to", "json"]);
        let Command::Generate(generate) = cli.command else { panic!("not generate") };
        assert_eq!(generate.population.params().unwrap(), Params::default());
    }

    #[test]
    fn flags_that_leave_no_payment_are_refused_by_name() {
        let refusal = |flags: &[&str]| {
            let words = ["millrace-load", "generate", "--to", "json", "--customers", "5"];
            let cli = Cli::try_parse_from(words.iter().chain(flags));
            run(cli.unwrap()).unwrap_err().to_string()
        };
        assert_eq!(refusal(&["--days", "0"]), "--days must be at least 1");
        assert_eq!(refusal(&["--terminals", "0"]), "--terminals must be at least 1");
        for none in [["--limit", "0"], ["--radius", "0"]] {
            assert!(refusal(&none).starts_with("these flags leave no payment"), "{none:?}");
        }
    }

    #[test]
    fn a_day_that_is_none_is_refused() {
        assert_eq!(parse_day("1970-01-02"), Ok(DAY_MS));
        assert!(parse_day("2018-13-01").is_err());
        assert!(parse_day("yesterday").is_err());
    }
}
