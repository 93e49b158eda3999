//! An experiment of interleaved lists, through real Kafka: simulated users look, click, and prefer the better ranker.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use millrace_load::output::kafka::{self, Watch, users};
use millrace_load::output::source::Visits;
use millrace_load::ranking::{Answers, ClickModel, Event, Params, User, World, stream};
use millrace_schemas::envelope::{ExperimentResult, ResultKind};
use millrace_schemas::{ConfluentRegistry, SchemaRegistry};
use millrace_tests::application::Application;
use millrace_tests::millrace::{Millrace, Service};
use millrace_tests::reader;
use millrace_tests::stack::Stack;
use millrace_tests::wait;

const SHORT: Duration = Duration::from_secs(60);
const LONG: Duration = Duration::from_secs(240);
/// Ten hours of visits, a minute apart, by as many users.
const VISITS: u32 = 600;
const HOUR: i64 = 3_600_000;

const TASTE: &str = r#"
topic = "rankings"
kind = "interleave"
control = "old"
method = "team_draft"
min_duration = "30 days"
max_duration = "60 days"
[arms]
old = { model = "relevance/1" }
new = { model = "relevance/2" }
"#;

#[test]
fn users_prefer_the_better_ranker_and_every_window_waits_for_how_its_lists_ended() {
    let (stack, app) = (Stack::shared().unwrap(), Application::copy("ranking").unwrap());
    app.write("experiments/taste.toml", TASTE).unwrap();
    let millrace = Millrace::new(stack, &app);
    millrace.succeed(&["check", "{app}"], SHORT).unwrap();
    let service = begin(&millrace).unwrap();
    visit(stack, &app, &params(VISITS)).unwrap();
    let last = wait::until("a window with most users", LONG, || {
        let results: Vec<ExperimentResult> = reader::events(stack, &app.topic("experiment-results"))?;
        let compared = results.into_iter().filter(|event| event.kind == ResultKind::Comparison);
        Ok(compared.max_by_key(|event| event.window_end_ms).filter(|event| event.units > 300))
    })
    .unwrap();
    assert_eq!((last.arm.as_deref(), last.control.as_deref()), (Some("new"), Some("old")));
    assert!(last.detail.starts_with("users prefer new to old: "), "{}", last.detail);
    assert!(
        last.estimate.unwrap() > 0.0 && last.low.unwrap() > 0.0 && last.p_value.unwrap() < 0.05,
        "{last:?}"
    );
    // What horizons had not closed by the window's end is of a later one.
    let params = params(VISITS);
    let ended = (last.window_end_ms - params.start_ms - params.horizon_ms) / params.gap_ms + 1;
    assert!(last.units <= ended, "{} users of {ended}", last.units);
    service.stop().unwrap();
}

#[test]
fn windows_go_on_without_partitions_that_nobody_visits() {
    let (stack, app) = (Stack::shared().unwrap(), Application::copy("ranking").unwrap());
    app.write("experiments/taste.toml", TASTE).unwrap();
    app.replace("experiment-results.toml", "[experiments]\n", "[experiments]\nmax_wait = \"2s\"\n").unwrap();
    let millrace = Millrace::new(stack, &app);
    let service = begin(&millrace).unwrap();
    // One user: three of four partitions have no lists and no feedback.
    visit(stack, &app, &params(1)).unwrap();
    let windows = wait::until("windows", LONG, || {
        let results: Vec<ExperimentResult> = reader::events(stack, &app.topic("experiment-results"))?;
        let windows: Vec<_> = results.into_iter().filter(|event| event.kind == ResultKind::Status).collect();
        Ok(Some(windows).filter(|windows| windows.len() >= 5))
    })
    .unwrap();
    for (at, window) in windows.iter().enumerate() {
        assert_eq!(window.window_end_ms, windows[0].window_end_ms + at as i64 * HOUR);
        let began = window.window_start_ms < window.window_end_ms;
        // Lists may be ahead of the first window, which ends as the first visit comes.
        assert!(began || (at == 0 && window.window_start_ms == window.window_end_ms), "{window:?}");
        assert!(window.values["lists"] >= Some(1.0), "{window:?}");
    }
    let table = millrace.succeed(&["experiment", "status", "{app}", "taste"], SHORT).unwrap();
    assert!(table.contains("outcomes seen") && table.contains("preference  new"), "{table}");
    service.stop().unwrap();
}

fn params(users: u32) -> Params {
    Params {
        sessions: VISITS,
        users,
        gap_ms: HOUR / 60,
        second_page: 0.0,
        click_model: ClickModel::Perfect,
        ..Params::default()
    }
}

/// Starts all services and the experiment, and waits until lists are made of both rankings.
fn begin(millrace: &Millrace<'_>) -> Result<Service> {
    millrace.succeed(&["topics", "apply", "{app}"], SHORT)?;
    let service = millrace.start(&["up", "{app}", "--workers", "1"])?;
    millrace.succeed(&["experiment", "start", "{app}", "taste"], SHORT)?;
    wait::until("the arms", LONG, || {
        Ok(millrace.succeed(&["deployments", "{app}"], SHORT)?.contains("interleave").then_some(()))
    })?;
    Ok(service)
}

/// Sends all requests, and has users answer the lists that they get.
fn visit(stack: &Stack, app: &Application, params: &Params) -> Result<()> {
    let world = Arc::new(World::new(params));
    let options = kafka::Options {
        registry: stack.registry.url().to_owned(),
        ..kafka::Options::new(stack.kafka.bootstrap(), app.name())
    };
    let registry: Arc<dyn SchemaRegistry> = Arc::new(ConfluentRegistry::new(&options.registry)?);
    let source = Visits(world.clone());
    kafka::send(&source, stream(world.clone(), params).map(Event::Request), &options)?;
    let answers = Answers::new(User::new(world, params));
    let mut all = All { by: Instant::now() + LONG };
    let ledger = users::answer(&source, answers, &options, &registry, &mut all)?;
    anyhow::ensure!(ledger.requests().len() == VISITS as usize, "{} lists", ledger.requests().len());
    Ok(())
}

/// Attends until every request has its list.
struct All {
    by: Instant,
}

impl Watch<Event> for All {}

impl users::Attend for All {
    fn go_on(&mut self, lists: u64) -> bool {
        lists < u64::from(VISITS) && Instant::now() < self.by
    }
}
