//! Click feedback through real Kafka: credits are those of an independent ledger, each outcome and each click is spoken of
//! once, whatever becomes of the processes.

mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Result, ensure};
use millrace_schemas::envelope::{ClickFeedback, FeedbackKind};
use millrace_tests::application::{Application, repository};
use millrace_tests::foreign::{Producer, Topic};
use millrace_tests::millrace::{Millrace, Service};
use millrace_tests::stack::Stack;
use millrace_tests::{reader, reaper};
use world::{Expected, World};

/// Set `CLICK_REQUESTS` for another number.
const REQUESTS: usize = 200_000;
const DONE_WITHIN: Duration = Duration::from_secs(900);

const SOURCE: &str = "format = \"json\"\nkey = \"user_id\"\npartitions = 4\nretention = \"30 days\"\n";
const FEEDBACK: &str = r#"
partitions = 4
[click_feedback]
rankings = "rankings"
clicks = "clicks"
request = "request_id"
item = "item"
impressions = "impressions"
horizon = "30 min"
lateness = "1 min"
max_wait = "20s"
"#;

#[test]
fn clicks_are_credited_once_though_workers_are_killed_and_partitions_move() {
    let requests = std::env::var("CLICK_REQUESTS").ok().and_then(|text| text.parse().ok());
    let world = World::of(requests.unwrap_or(REQUESTS));
    let run = Run::new().unwrap();
    let folder = reaper::temporary_folder().unwrap();
    let path = folder.path().join("lines.jsonl");
    let text: String = world.lines.iter().map(|line| format!("{line}\n")).collect();
    std::fs::write(&path, text).unwrap();

    let mut first = run.start(2).unwrap();
    let publishing = run.producer().start(&path).unwrap();
    run.wait_for_share(&world, 0.05).unwrap();
    let mut second = run.start(1).unwrap();
    run.wait_for_share(&world, 0.25).unwrap();
    first.process.kill().unwrap();
    run.wait_for_share(&world, 0.5).unwrap();
    let third = run.start(2).unwrap();
    run.wait_for_share(&world, 0.6).unwrap();
    second.process.kill().unwrap();
    publishing.finish().unwrap();
    let all = run.wait_for_all(&world).unwrap();
    third.stop().unwrap();
    check(&world, &all).unwrap();
    let rejected = reader::read_all(run.stack, &run.app.topic("dead-letters")).unwrap();
    assert_eq!(rejected.len(), 0);
}

#[test]
fn an_application_whose_clicks_do_not_meet_its_lists_is_refused() {
    let app = application().unwrap();
    app.replace("clicks.toml", "user_id", "request_id").unwrap();
    app.replace("impressions.toml", "partitions = 4", "partitions = 3").unwrap();
    let checked = Millrace::offline(&app).run(&["check", "{app}"], Duration::from_secs(60)).unwrap();
    assert!(!checked.status.success());
    for part in ["clicks.toml:", "key: is `request_id`", "impressions.toml:", "partitions: is 3"] {
        assert!(checked.output.contains(part), "{part}: {}", checked.output);
    }
}

#[test]
fn the_dataflow_shows_where_clicks_meet_their_lists() {
    let app = application().unwrap();
    let drawn =
        Millrace::offline(&app).succeed(&["topics", "graph", "{app}"], Duration::from_secs(60)).unwrap();
    let step = "experiments/click-feedback";
    assert!(drawn.contains(step) && drawn.contains(&app.topic("click-feedback.ticks")), "{drawn}");
}

fn application() -> Result<Application> {
    let app = Application::empty("lists")?;
    let schema = |name: &str| std::fs::read_to_string(repository().join("schemas/ranking").join(name));
    for stem in ["requests", "clicks", "impressions"] {
        let one = stem.trim_end_matches('s');
        app.write(&format!("{stem}.avsc"), &schema(&format!("{stem}.avsc"))?)?;
        let text = format!("schema = \"{stem}.avsc\"\ntime = \"{one}_time\"\nid = \"{one}_id\"\n{SOURCE}");
        app.write(&format!("{stem}.toml"), &text)?;
    }
    let rankings = "format = \"json\"\npartitions = 4\nretention = \"30 days\"\n[rankings]\nrequests = \"requests\"\n\
                    unit = \"user_id\"\nitems = \"items\"\n";
    app.write("rankings.toml", rankings)?;
    app.write("click-feedback.toml", FEEDBACK)?;
    Ok(app)
}

struct Run {
    stack: &'static Stack,
    app: Application,
}

impl Run {
    fn new() -> Result<Self> {
        let run = Self { stack: Stack::shared()?, app: application()? };
        run.millrace().succeed(&["check", "{app}"], Duration::from_secs(60))?;
        run.millrace().succeed(&["topics", "apply", "{app}"], Duration::from_secs(60))?;
        Ok(run)
    }

    fn millrace(&self) -> Millrace<'_> {
        Millrace::new(self.stack, &self.app)
    }

    fn start(&self, workers: u32) -> Result<Service> {
        self.millrace().start(&["experiments", "{app}", "--workers", &workers.to_string()])
    }

    fn producer(&self) -> Producer<'_> {
        let topics = vec![
            Topic::json("rankings", "unit", "time"),
            Topic::json("clicks", "user_id", "click_time"),
            Topic::json("impressions", "user_id", "impression_time"),
        ];
        // As many as are in flight lie within the lateness.
        Producer::new(self.stack, self.app.name(), topics).flush_every_ms(30_000)
    }

    fn wait_for_share(&self, world: &World, share: f64) -> Result<()> {
        let count = (expected_rows(world) as f64 * share) as usize;
        reader::wait_for(self.stack, &self.app.topic("click-feedback"), count, DONE_WITHIN).map(drop)
    }

    /// Everything, and nothing after it.
    fn wait_for_all(&self, world: &World) -> Result<Vec<ClickFeedback>> {
        let topic = self.app.topic("click-feedback");
        reader::wait_for(self.stack, &topic, expected_rows(world), DONE_WITHIN)?;
        reader::events(self.stack, &topic)
    }
}

fn expected_rows(world: &World) -> usize {
    world.outcomes.len() + world.clicks.values().sum::<usize>()
}

fn check(world: &World, all: &[ClickFeedback]) -> Result<()> {
    let ids: BTreeSet<&str> = all.iter().map(|one| one.id.as_str()).collect();
    ensure!(ids.len() == all.len(), "{} of {} ids come more than once", all.len() - ids.len(), all.len());
    let mut outcomes: BTreeMap<String, Expected> = BTreeMap::new();
    let mut clicks: BTreeMap<String, usize> = BTreeMap::new();
    for one in all {
        match (one.kind, &one.click) {
            (FeedbackKind::Outcome, _) => {
                let found = (one.credit.clone(), one.counts.clone(), one.verdict.clone());
                ensure!(
                    outcomes.insert(one.request.clone(), found).is_none(),
                    "{} has two outcomes",
                    one.request
                );
            }
            (FeedbackKind::Click, click) => {
                *clicks.entry(click.clone().unwrap_or_default()).or_insert(0) += 1;
                let lost = one.request.starts_with("nobody");
                ensure!(lost == (one.verdict == "unmatched"), "{one:?}");
                let late = one.delay.is_some_and(|delay| delay > world::HORIZON);
                ensure!(late == (one.verdict == "late"), "{one:?}");
            }
        }
    }
    ensure!(clicks == world.clicks, "clicks are spoken of as often as they were sent");
    for (request, expected) in &world.outcomes {
        let found = outcomes.get(request);
        ensure!(found == Some(expected), "{request}: {found:?} instead of {expected:?}");
    }
    ensure!(outcomes.len() == world.outcomes.len(), "there are outcomes of no list");
    Ok(())
}
