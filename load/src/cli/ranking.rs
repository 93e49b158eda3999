//! `millrace-load generate ranking` and `millrace-load users`.

use std::fs::File;
use std::io::{BufWriter, Write as _, stdout};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use millrace_load::output::kafka::users::{Attend, From, answer_from};
use millrace_load::output::kafka::{self, Watch};
use millrace_load::output::source::Visits;
use millrace_load::output::{json, parquet};
use millrace_load::ranking::{Answers, ClickModel, Event, Ledger, Mishaps, Params, User, World, stream};
use millrace_schemas::{ConfluentRegistry, SchemaRegistry};

use super::{Cluster, Destination, Files, parse_day, print_sent};

#[derive(Debug, Args)]
pub struct Generate {
    /// Where the records go: requests.parquet in --dir, standard output, or the topic <app>.requests.
    #[arg(long, value_enum)]
    to: Destination,
    /// With --to parquet: a column more, `grade`, how relevant each candidate is (0, 1 or 2).
    #[arg(long)]
    judged: bool,
    #[command(flatten)]
    population: Population,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    cluster: Cluster,
}

/// What is generated; users need the same flags as their requests.
#[derive(Debug, Args)]
#[command(next_help_heading = "What is generated")]
pub struct Population {
    /// Number of visits; every fifth user turns the page, which is a second request.
    #[arg(long, default_value_t = Params::default().sessions, value_name = "N")]
    sessions: u32,
    /// Number of users.
    #[arg(long, default_value_t = Params::default().users, value_name = "N")]
    users: u32,
    /// Number of items.
    #[arg(long, default_value_t = Params::default().items, value_name = "N")]
    items: u32,
    /// Number of queries.
    #[arg(long, default_value_t = Params::default().queries, value_name = "N")]
    queries: u32,
    /// Candidates of a request.
    #[arg(long, default_value_t = Params::default().candidates, value_name = "N")]
    candidates: u32,
    /// The first day (UTC).
    #[arg(long, default_value = "2025-01-01", value_name = "DATE", value_parser = parse_day)]
    start: i64,
    /// From one visit to the next on average, in milliseconds of record time.
    #[arg(long, default_value_t = Params::default().gap_ms, value_name = "MS", value_parser = clap::value_parser!(i64).range(1..))]
    gap_ms: i64,
    /// Seed of all draws.
    #[arg(long, default_value_t = Params::default().seed, value_name = "N")]
    seed: u64,
}

#[derive(Debug, Args)]
pub struct Users {
    /// How users click: perfect, navigational, informational.
    #[arg(long, default_value = Params::default().click_model.name(), value_name = "MODEL")]
    clicks: ClickModel,
    /// How long after its list a click counts, in minutes, as click-feedback.toml has it; late clicks come after it.
    #[arg(long, default_value_t = 30, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    horizon_minutes: i64,
    /// No click is sent twice, late, or on what was not shown; no impression is lost.
    #[arg(long)]
    no_mishaps: bool,
    /// Which lists are answered. `left-off`: those after the last one that an earlier run answered, all in the first run;
    /// `now`: those that come from now on; `beginning`: all that the topic has. A list that is answered again has answers
    /// of the same ids.
    #[arg(long, value_enum, default_value = "left-off", value_name = "WHERE")]
    from: From,
    /// Stop after so many seconds without a list.
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    idle: u64,
    /// Write what each request must have earned the rankers, one JSON object per line.
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    #[command(flatten)]
    population: Population,
    #[command(flatten)]
    cluster: Cluster,
}

impl Population {
    fn params(&self) -> Result<Params> {
        let counts = [
            ("sessions", self.sessions),
            ("users", self.users),
            ("items", self.items),
            ("queries", self.queries),
            ("candidates", self.candidates),
        ];
        for (flag, number) in counts {
            ensure!(number > 0, "--{flag} must be at least 1");
        }
        Ok(Params {
            sessions: self.sessions,
            users: self.users,
            items: self.items,
            queries: self.queries,
            candidates: self.candidates,
            start_ms: self.start,
            gap_ms: self.gap_ms,
            seed: self.seed,
            ..Params::default()
        })
    }
}

/// Makes requests.
pub fn generate(args: &Generate) -> Result<()> {
    let params = args.population.params()?;
    ensure!(!args.judged || args.to == Destination::Parquet, "--judged goes with --to parquet");
    let world = Arc::new(World::new(&params));
    let requests = stream(world.clone(), &params);
    match args.to {
        Destination::Parquet => parquet::write_requests(&world, requests, args.judged, &args.files.dir),
        Destination::Json => Ok(json::write_requests(&world, requests, BufWriter::new(stdout().lock()))?),
        Destination::Kafka => {
            let options = args.cluster.options("ranking");
            print_sent(&kafka::send(&Visits(world), requests.map(Event::Request), &options)?);
            Ok(())
        }
    }
}

/// Answers lists.
pub fn users(args: &Users) -> Result<()> {
    let mut params = args.population.params()?;
    params.click_model = args.clicks;
    params.horizon_ms = args.horizon_minutes * 60_000;
    if args.no_mishaps {
        params.mishaps = Mishaps::NONE;
    }
    let world = Arc::new(World::new(&params));
    let answers = Answers::new(User::new(world.clone(), &params));
    let options = args.cluster.options("ranking");
    let registry: Arc<dyn SchemaRegistry> = Arc::new(ConfluentRegistry::new(&options.registry)?);
    let mut idle = Idle { bound: Duration::from_secs(args.idle), lists: 0, since: Instant::now() };
    let ledger = answer_from(args.from, &Visits(world), answers, &options, &registry, &mut idle)?;
    let answered = ledger.requests().len();
    eprintln!("{answered} requests answered, of {} lists read", idle.lists);
    if answered == 0 && idle.lists > 0 {
        eprintln!(
            "none of the lists is of a request with these flags: give those of `generate ranking`, --seed first of all"
        );
    }
    match &args.ledger {
        Some(file) => write(&ledger, file).with_context(|| format!("cannot write {}", file.display())),
        None => Ok(()),
    }
}

fn write(ledger: &Ledger, file: &PathBuf) -> Result<()> {
    let mut out = BufWriter::new(File::create(file)?);
    for earned in ledger.requests() {
        serde_json::to_writer(&mut out, earned)?;
        out.write_all(b"\n")?;
    }
    Ok(out.flush()?)
}

/// Ends when no list has come for some time.
struct Idle {
    bound: Duration,
    lists: u64,
    since: Instant,
}

impl Watch<Event> for Idle {}

impl Attend for Idle {
    fn go_on(&mut self, lists: u64) -> bool {
        if lists > self.lists {
            (self.lists, self.since) = (lists, Instant::now());
        }
        self.since.elapsed() < self.bound
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::super::{Cli, Command, Other};
    use super::*;

    #[test]
    fn the_default_flags_are_the_default_parameters() {
        let cli = Cli::parse_from(["millrace-load", "generate", "ranking", "--to", "json"]);
        let Command::Generate(generate) = cli.command else { panic!("not generate") };
        let Some(Other::Ranking(ranking)) = generate.other else { panic!("not ranking") };
        assert_eq!(ranking.population.params().unwrap(), Params::default());
        let cli = Cli::parse_from(["millrace-load", "users", "--clicks", "perfect"]);
        let Command::Users(users) = cli.command else { panic!("not users") };
        assert_eq!((users.clicks, users.from), (ClickModel::Perfect, From::LeftOff));
    }

    #[test]
    fn the_help_of_requests_says_nothing_of_payments() {
        let mut cli = Cli::command();
        let generate = cli.find_subcommand_mut("generate").unwrap();
        let help = generate.find_subcommand_mut("ranking").unwrap().render_long_help().to_string();
        for word in ["payment", "fraud"] {
            assert!(!help.contains(word), "{help}");
        }
    }

    #[test]
    fn what_is_generated_needs_a_destination() {
        assert!(Cli::try_parse_from(["millrace-load", "generate"]).is_err());
        assert!(Cli::try_parse_from(["millrace-load", "generate", "ranking"]).is_err());
    }
}
