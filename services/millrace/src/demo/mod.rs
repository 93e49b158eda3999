//! `millrace demo`: generated card payments through the whole path, watched as they pass, judged at the end; `millrace
//! demo ranking`: simulated users and two rankers.

mod alert;
mod course;
mod feed;
mod latency;
mod observer;
mod ranking;
mod screen;
mod serving;
mod summary;
mod topic;
mod view;
mod watched;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use millrace_load::fraud::{self, Change, ChangeKind, Params, Stream, stream};
use millrace_runtime::embedded::Amount;
use millrace_runtime::{Args, Configuration, Shutdown, telemetry};
use millrace_topics::{Application, Role};

use crate::application;
use crate::cli::{DemoArgs, DemoOf};
use crate::embedded::Embedded;
use crate::services;
use course::Course;
use observer::Observer;
use screen::Screen;
use summary::Summary;

/// Runs the demo.
pub fn run(folder: &Path, args: &DemoArgs) -> Result<()> {
    if let Some(DemoOf::Ranking(args)) = &args.of {
        return ranking::run(folder, args);
    }
    let mut app = application::load(folder, "fraud")?;
    if args.change.0 == Some(ChangeKind::Labels) {
        hurry(&mut app);
    }
    let configuration = Configuration::load(&Args { log: Some("warn".into()), ..Args::default() })?;
    telemetry::start_logs(&configuration)?;
    eprintln!("Embedded: bus and store live in this process; nothing is kept after it ends.");
    let limit = usize::try_from(args.transactions).unwrap_or(usize::MAX);
    let mut params = Params { seed: args.seed, ..Params::default() };
    let mut stream = stream(&params).limit(limit);
    if let (Some(kind), Some(last)) = (args.change.0, stream.payments().last()) {
        params.change = Some(Change { kind, from_day: change_day(last.day(&params)) });
        stream = fraud::stream(&params).limit(limit);
    }
    if stream.payments().is_empty() {
        bail!("no payments to show: --transactions must be at least 1");
    }
    let mut embedded = Embedded::start(&app, configuration)?;
    if let Some(change) = params.change.filter(|change| change.kind == ChangeKind::Serving) {
        let from_ms = params.start_ms + i64::from(change.from_day) * DAY_MS;
        serving::compute_wrongly(&mut embedded.services, &app, from_ms);
    }
    let shutdown = Shutdown::new();
    shutdown.on_signals()?;
    let course = Course::begin(stream.payments().len());
    let observer = Observer::start(&embedded, &app, stream.payments(), course.clone(), shutdown.clone())?;
    let (environment, prepared) = (embedded.environment.clone(), embedded.services.clone());
    let services_stop = shutdown.clone();
    let running = std::thread::spawn(move || services::run(prepared, &environment, &services_stop));
    let feed = feed::start(&embedded, &app, stream.clone(), course.clone(), shutdown.clone())?;
    let outcome = watch(&observer, &stream, &shutdown);
    // The last windows are judged once the last payments are scored.
    let deadline = Instant::now() + SETTLE;
    while !shutdown.requested() && Instant::now() < deadline {
        if embedded.flow.wait_below(Amount::default(), Duration::from_millis(100)) {
            break;
        }
    }
    shutdown.request();
    let fed = feed.join().map_err(|_| anyhow::anyhow!("the feed panicked"))?;
    let ran = running.join().map_err(|_| anyhow::anyhow!("the services panicked"))?;
    ran?;
    fed?;
    let finished = outcome?;
    let scores = observer.stop()?;
    if !finished {
        bail!("stopped before the last payment was scored");
    }
    Summary::new(&params, &stream, &scores, course.ahead()).print(args.json)
}

const DAY_MS: i64 = 86_400_000;
/// How long labels may be silent while payments go on, ms of wall time.
const SILENCE_MS: i64 = 6_000;

/// The stream runs a hundred thousand times as fast as life: ten minutes without a label would be years of it.
fn hurry(app: &mut Application) {
    for topic in &mut app.topics {
        if let Role::Drift(table) = &mut topic.role {
            table.max_wait_ms = table.max_wait_ms.min(SILENCE_MS);
        }
    }
}

/// How long the last windows may take.
const SETTLE: Duration = Duration::from_secs(10);
/// Windows are judged from day 45 on; a change comes a week later, if the stream is that long, and else half-way.
const CHANGE_DAY: i64 = 52;

fn change_day(last_day: i64) -> u32 {
    let half = last_day / 2;
    let day = if last_day > CHANGE_DAY { half.max(CHANGE_DAY) } else { half };
    u32::try_from(day).unwrap_or_default()
}

/// Shows the stream until every payment has its outcome or the end is asked for; whether all have.
fn watch(observer: &Observer, stream: &Stream, shutdown: &Shutdown) -> Result<bool> {
    let total = stream.payments().len() as u64;
    let mut screen = Screen::open(view::HEIGHT)?;
    loop {
        let snapshot = observer.snapshot(total);
        let finished =
            snapshot.predictions + snapshot.rejected >= total && snapshot.features >= snapshot.predictions;
        screen.show(&snapshot, finished).context("cannot draw")?;
        if finished || shutdown.wait(screen.interval()) {
            return Ok(finished);
        }
    }
}
