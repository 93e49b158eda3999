//! Experiments through real Kafka: started by command, counted, judged, decided, deployed once, whatever is killed meanwhile.

mod world;

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use millrace_schemas::ConfluentRegistry;
use millrace_schemas::envelope::{Decided, Deployment, ExperimentResult, ExperimentState, ResultKind};
use millrace_tests::millrace::{Millrace, Service};
use millrace_tests::reader;
use millrace_tests::stack::Stack;
use millrace_tests::wait;
use std::sync::Arc;
use world::{World, application, lines};

const SHORT: Duration = Duration::from_secs(90);
const LONG: Duration = Duration::from_secs(120);

/// An application that runs with an experiment of its own.
struct Course {
    stack: &'static Stack,
    app: millrace_tests::application::Application,
    world: World,
}

/// What became of an experiment.
struct Ended {
    decision: ExperimentResult,
    day: i64,
    deployments: Vec<(i64, Deployment)>,
    results: Vec<ExperimentResult>,
}

#[test]
fn a_canary_with_less_auc_is_rolled_back() {
    let ended = Course::new(World { second: "noisy", ..World::CANARY }).unwrap().run(Some(1)).unwrap();
    ended.is(Decided::Rollback, "1");
    assert!(ended.decision.detail.contains("auc worse"), "{}", ended.decision.detail);
}

#[test]
fn a_canary_that_misses_scores_is_rolled_back() {
    let ended = Course::new(World { second: "gappy", ..World::CANARY }).unwrap().run(None).unwrap();
    ended.is(Decided::Rollback, "1");
    assert!(ended.decision.detail.contains("missing worse"), "{}", ended.decision.detail);
    assert!(ended.day <= 3, "{} days", ended.day);
}

#[test]
fn a_better_canary_is_promoted_step_by_step() {
    let ended =
        Course::new(World { second: "good", first: "noisy", ..World::CANARY }).unwrap().run(Some(3)).unwrap();
    ended.is(Decided::Promote, "2");
    let decided: Vec<Decided> = ended.results.iter().filter_map(|event| event.decision).collect();
    assert_eq!(decided, [Decided::Start, Decided::Advance, Decided::Promote]);
    let canaries = ended.deployments.iter().filter(|(_, deployment)| deployment.mode == "canary");
    assert_eq!(canaries.map(|(_, deployment)| deployment.phase).collect::<Vec<_>>(), [0, 0], "it grew");
}

#[test]
fn a_canary_that_is_the_same_is_not_rolled_back() {
    let ended = Course::new(World::CANARY).unwrap().run(Some(2)).unwrap();
    let decided = ended.decision.decision.unwrap();
    assert!([Decided::Promote, Decided::Keep].contains(&decided), "{decided:?}: {}", ended.decision.detail);
}

#[test]
fn an_ab_test_finds_the_better_arm_and_its_result_is_shown() {
    let course = Course::new(World { effect: 0.25, ..World::AB }).unwrap();
    let ended = course.run(Some(1)).unwrap();
    ended.is(Decided::Promote, "2");
    let evidence = &ended.decision.evidence[0];
    let rests_on = ended.results.iter().find(|event| event.id == *evidence).unwrap();
    assert!(rests_on.kind == ResultKind::Comparison && rests_on.low.unwrap() > 0.0, "{rests_on:?}");
    let millrace = course.millrace();
    let shown = millrace.succeed(&["experiment", "status", "{app}", "x"], SHORT).unwrap();
    assert!(shown.contains("x (ab on scores): decided") && shown.contains("orders"), "{shown}");
    let page = course.app.folder().join("x.html");
    let page = page.to_string_lossy();
    millrace.succeed(&["experiment", "status", "{app}", "x", "--html", &page], SHORT).unwrap();
    let html = std::fs::read_to_string(&*page).unwrap();
    assert!(html.contains("<svg") && html.contains("Experiment x"), "{html}");
    let again = millrace.run(&["experiment", "stop", "{app}", "x"], SHORT).unwrap();
    assert!(!again.status.success() && again.output.contains("x is decided"), "{}", again.output);
}

#[test]
fn an_a_a_test_by_unit_sees_nothing_and_is_decided_by_a_person() {
    let course = Course::new(World::AB).unwrap();
    let service = course.start().unwrap();
    for day in 0..4 {
        course.day(day).unwrap();
    }
    let decided: Vec<_> = course.results().unwrap().iter().filter_map(|event| event.decision).collect();
    assert_eq!(decided, [Decided::Start]);
    let millrace = course.millrace();
    let words =
        ["experiment", "decide", "{app}", "x", "--arm", "b", "--by", "somebody", "--reason", "cheaper"];
    millrace.succeed(&words, SHORT).unwrap();
    let ended = course.ended(4).unwrap();
    ended.is(Decided::Promote, "2");
    assert_eq!((ended.decision.by.as_str(), ended.decision.state), ("somebody", ExperimentState::Decided));
    service.stop().unwrap();
}

impl Ended {
    /// The decision, and that the version that serves alone afterwards was deployed for it, once.
    fn is(&self, decided: Decided, version: &str) {
        assert_eq!(self.decision.decision, Some(decided), "{}", self.decision.detail);
        let (_, last) = self.deployments.last().unwrap();
        assert_eq!((last.mode.as_str(), last.version.as_str()), ("champion", version));
        assert_eq!(last.cause, self.decision.id);
    }
}

impl Course {
    fn new(world: World) -> Result<Self> {
        let course = Self { stack: Stack::shared()?, app: application(&world)?, world };
        let millrace = course.millrace();
        millrace.succeed(&["check", "{app}"], SHORT)?;
        millrace.succeed(&["topics", "apply", "{app}"], SHORT)?;
        Ok(course)
    }

    fn millrace(&self) -> Millrace<'_> {
        Millrace::new(self.stack, &self.app)
    }

    /// Starts all services and the experiment, and waits until its arms are deployed.
    fn start(&self) -> Result<Service> {
        let service = self.millrace().start(&["up", "{app}", "--workers", "1"])?;
        self.millrace().succeed(&["experiment", "start", "{app}", "x"], SHORT)?;
        self.deployed(2)?;
        Ok(service)
    }

    /// Runs it day by day until it is decided; all services are killed after a day, and started again.
    fn run(&self, killed_after: Option<i64>) -> Result<Ended> {
        let mut service = self.start()?;
        for day in 0..self.world.days {
            self.day(day)?;
            if killed_after == Some(day + 1) {
                service.process.kill()?;
                service = self.millrace().start(&["up", "{app}", "--workers", "1"])?;
            }
            let results = self.results()?;
            let last = results.last().context("no result")?;
            if matches!(last.state, ExperimentState::Decided | ExperimentState::Stopped) {
                let ended = self.ended(day + 1)?;
                service.stop()?;
                return Ok(ended);
            }
            // Under a step's own deployment alone its rows are judged.
            let asked = results.iter().filter(|event| event.deploys.is_some()).count();
            self.deployed(1 + asked)?;
        }
        let results = self.results()?;
        anyhow::bail!("no decision: {:?}", results.last().map(|event| event.detail.clone()))
    }

    /// Publishes a day, and the first rows of the next, and waits until the day was judged.
    fn day(&self, day: i64) -> Result<()> {
        lines::publish(self.stack, &self.app, &self.world, day)?;
        let end_ms = world::end_of(day);
        wait::until(&format!("the end of day {day}"), LONG, || {
            let results = self.results()?;
            let judged = results.iter().any(|event| event.window_end_ms >= end_ms && event.deploys.is_none());
            let ended = results.iter().any(|event| event.state == ExperimentState::Decided);
            Ok((judged || ended).then_some(()))
        })
    }

    fn results(&self) -> Result<Vec<ExperimentResult>> {
        let results: Vec<ExperimentResult> = reader::events(self.stack, &self.app.topic("results"))?;
        let mut ids: Vec<&str> = results.iter().map(|event| event.id.as_str()).collect();
        ids.sort_unstable();
        ensure!(ids.windows(2).all(|pair| pair[0] != pair[1]), "an event is there twice");
        Ok(results)
    }

    fn deployments(&self) -> Result<Vec<(i64, Deployment)>> {
        let app = millrace_topics::load(self.app.topics(), self.app.name())
            .map_err(|problems| anyhow::anyhow!("{problems:?}"))?;
        let client = self.stack.kafka.client_config();
        let registry = Arc::new(ConfluentRegistry::new(self.stack.registry.url())?);
        Ok(millrace_topics::deployments::Deployments::new(&client, registry, &app, true)?.read()?)
    }

    fn deployed(&self, count: usize) -> Result<Vec<(i64, Deployment)>> {
        wait::until(&format!("{count} deployments"), LONG, || {
            Ok(Some(self.deployments()?).filter(|deployments| deployments.len() >= count))
        })
    }

    /// Waits until its last decision was carried out.
    fn ended(&self, day: i64) -> Result<Ended> {
        let results = wait::until("the decision", LONG, || {
            let ended = |results: &Vec<ExperimentResult>| {
                results.iter().any(|event| event.state == ExperimentState::Decided)
            };
            Ok(Some(self.results()?).filter(ended))
        })?;
        let decision = results.iter().rfind(|event| event.decision.is_some()).context("no decision")?.clone();
        let asked = results.iter().filter(|event| event.deploys.is_some()).count();
        let deployments = self.deployed(1 + asked)?;
        ensure!(deployments.len() == 1 + asked, "{} deployments of {asked} decisions", deployments.len());
        Ok(Ended { decision, day, deployments, results })
    }
}
