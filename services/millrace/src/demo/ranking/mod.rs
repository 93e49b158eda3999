//! `millrace demo ranking`: two rankers in interleaved lists before simulated users, and whom they prefer.

mod credited;
mod feed;
mod observer;
mod summary;
mod users;
mod view;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, anyhow, bail};
use millrace_load::ranking::{Params, Request, World, stream};
use millrace_runtime::embedded::Amount;
use millrace_runtime::{Args, Configuration, Shutdown, telemetry};
use millrace_schemas::envelope::{Arm, ArmRole, Deployment};
use millrace_topics::deployments::Deployments;
use millrace_topics::{Application, ModelRef, Role};

use super::screen::Screen;
use crate::application;
use crate::cli::RankingDemoArgs;
use crate::embedded::Embedded;
use crate::services;
use observer::Observer;
use summary::Summary;
use users::Users;

/// The application that is shown.
const APPLICATION: &str = "ranking";
/// The topic of its lists.
const RANKINGS: &str = "rankings";
/// How long what is under way may take at the end.
const SETTLE: Duration = Duration::from_secs(20);
/// From one visit to the next: half a minute of the stream passes each second or so, and horizons close while one looks.
const GAP_MS: i64 = 2_000;

/// Runs the demo.
pub fn run(folder: &Path, args: &RankingDemoArgs) -> Result<()> {
    let app = application::load(folder, APPLICATION)?;
    let configuration = Configuration::load(&Args { log: Some("warn".into()), ..Args::default() })?;
    telemetry::start_logs(&configuration)?;
    if args.visits == 0 {
        bail!("no requests to show: --visits must be at least 1");
    }
    eprintln!("Embedded: bus and store live in this process; nothing is kept after it ends.");
    let params = params(&app, args);
    let world = Arc::new(World::new(&params));
    let requests: Vec<Request> = stream(world.clone(), &params).collect();
    let total = requests.len() as u64;
    let embedded = Embedded::start(&app, configuration)?;
    let rankers = interleave(&embedded, &app, args)?;
    let shutdown = Shutdown::new();
    shutdown.on_signals()?;
    let observer = Observer::start(&embedded, &app, rankers, total, shutdown.clone())?;
    let (environment, prepared) = (embedded.environment.clone(), embedded.services.clone());
    let services_stop = shutdown.clone();
    let running = std::thread::spawn(move || services::run(prepared, &environment, &services_stop));
    let users = Users::start(&embedded, &app, world.clone(), &params, shutdown.clone())?;
    let feed = feed::start(&embedded, &app, world, requests, shutdown.clone())?;
    let mut screen = Screen::open(view::HEIGHT)?;
    let watched = watch(&mut screen, &observer, total, &shutdown);
    settle(&embedded, &shutdown);
    // Users who hear of no more lists do what they still had in mind.
    let ledger = users.stop();
    settle(&embedded, &shutdown);
    shutdown.request();
    let fed = feed.join().map_err(|_| anyhow!("the feed panicked"))?;
    let ran = running.join().map_err(|_| anyhow!("the services panicked"))?;
    ran?;
    fed?;
    let (finished, ledger) = (watched?, ledger?);
    let snapshot = observer.stop()?;
    screen.show(&snapshot, true).context("cannot draw")?;
    if !finished {
        bail!("stopped before the last list was made");
    }
    Summary::new(&snapshot, &ledger).print(args.json)
}

fn params(app: &Application, args: &RankingDemoArgs) -> Params {
    let horizon_ms = app.topics.iter().find_map(|topic| match &topic.role {
        Role::ClickFeedback(table) => Some(table.horizon_ms),
        _ => None,
    });
    let default = Params::default();
    Params {
        sessions: args.visits,
        seed: args.seed,
        gap_ms: GAP_MS,
        click_model: args.clicks,
        horizon_ms: horizon_ms.unwrap_or(default.horizon_ms),
        ..default
    }
}

/// Deploys the champion and the challenger in interleaved lists; who ranks, the champion first.
fn interleave(embedded: &Embedded, app: &Application, args: &RankingDemoArgs) -> Result<[String; 2]> {
    let registry = embedded.environment.registry.clone();
    let deployments = Deployments::new(&embedded.client, registry, app, false)?;
    let of_rankings = deployments.read()?.into_iter().rev().find(|(_, event)| event.topic == RANKINGS);
    let (seen, champion) = of_rankings.context("deployments.toml declares no first ranker")?;
    let incumbent = ModelRef { model: champion.model.clone(), version: champion.version.clone() };
    if incumbent == args.challenger {
        bail!("--challenger {} is the champion already: name another model version", args.challenger);
    }
    let arm = |arm: &str, of: &ModelRef| Arm {
        arm: arm.to_owned(),
        model: of.model.clone(),
        version: of.version.clone(),
        role: ArmRole::Serving,
        buckets: Vec::new(),
    };
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_millis());
    let event = Deployment {
        mode: Deployment::INTERLEAVE.to_owned(),
        arms: vec![arm("incumbent", &incumbent), arm("challenger", &args.challenger)],
        salt: format!("demo-{}", args.seed),
        method: args.method.name().to_owned(),
        set_by: "demo".to_owned(),
        reason: "whom do users prefer?".to_owned(),
        time_ms: i64::try_from(now_ms).unwrap_or(i64::MAX),
        ..champion
    };
    deployments.write(event, Some(seen))?;
    Ok([incumbent.to_string(), args.challenger.to_string()])
}

/// Shows the stream until every request has its list or the end is asked for; whether all have.
fn watch(screen: &mut Screen, observer: &Observer, total: u64, shutdown: &Shutdown) -> Result<bool> {
    loop {
        let snapshot = observer.snapshot();
        let finished = snapshot.lists + snapshot.rejected >= total;
        screen.show(&snapshot, false).context("cannot draw")?;
        if finished || shutdown.wait(screen.interval()) {
            return Ok(finished);
        }
    }
}

/// Waits until everything that is written is read.
fn settle(embedded: &Embedded, shutdown: &Shutdown) {
    let deadline = Instant::now() + SETTLE;
    while !shutdown.requested() && Instant::now() < deadline {
        if embedded.flow.wait_below(Amount::default(), Duration::from_millis(100)) {
            break;
        }
    }
}
