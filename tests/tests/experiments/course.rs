//! An application that runs with an experiment of its own, day by day.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use millrace_schemas::ConfluentRegistry;
use millrace_schemas::envelope::{Decided, Deployment, ExperimentResult, ExperimentState, ScorerStats};
use millrace_tests::application::Application;
use millrace_tests::millrace::{Millrace, Service};
use millrace_tests::reader;
use millrace_tests::stack::Stack;
use millrace_tests::wait;

use super::day;
use super::world::{World, application};

pub const SHORT: Duration = Duration::from_secs(90);
pub const LONG: Duration = Duration::from_secs(120);

/// An application with servers.
pub struct Course {
    pub stack: &'static Stack,
    pub app: Application,
    pub world: World,
}

/// What became of an experiment.
pub struct Ended {
    pub decision: ExperimentResult,
    pub day: i64,
    pub deployments: Vec<(i64, Deployment)>,
    pub results: Vec<ExperimentResult>,
}

impl Ended {
    /// The decision, and that the version that serves alone afterwards was deployed for it, once.
    pub fn is(&self, decided: Decided, version: &str) {
        assert_eq!(self.decision.decision, Some(decided), "{}", self.decision.detail);
        let (_, last) = self.deployments.last().unwrap();
        assert_eq!((last.mode.as_str(), last.version.as_str()), ("champion", version));
        assert_eq!(last.cause, self.decision.id);
    }
}

impl Course {
    pub fn new(world: World) -> Result<Self> {
        let course = Self { stack: Stack::shared()?, app: application(&world)?, world };
        let millrace = course.millrace();
        millrace.succeed(&["check", "{app}"], SHORT)?;
        millrace.succeed(&["topics", "apply", "{app}"], SHORT)?;
        Ok(course)
    }

    pub fn millrace(&self) -> Millrace<'_> {
        Millrace::new(self.stack, &self.app)
    }

    /// Starts all services and the experiment, and waits until its arms are deployed.
    pub fn start(&self) -> Result<Service> {
        let service = self.millrace().start(&["up", "{app}", "--workers", "1"])?;
        self.millrace().succeed(&["experiment", "start", "{app}", "x"], SHORT)?;
        self.deployed(2)?;
        Ok(service)
    }

    /// Runs it day by day until it is decided; all services are killed towards the end of a day, the first being 1, and
    /// started again.
    pub fn run(&self, killed_on: Option<i64>) -> Result<Ended> {
        let mut service = self.start()?;
        for day in 0..self.world.days {
            self.serve(day)?;
            if killed_on == Some(day + 1) {
                service = self.again(service)?;
            }
            self.close(day)?;
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

    /// Kills all services, and starts them again.
    pub fn again(&self, mut service: Service) -> Result<Service> {
        service.process.kill()?;
        self.millrace().start(&["up", "{app}", "--workers", "1"])
    }

    /// Publishes a day, and waits until scorers have told of it: they do so a second later, and a day is longer than that.
    pub fn serve(&self, day: i64) -> Result<()> {
        day::publish(self, day)?;
        self.told(day)
    }

    /// Publishes the first rows of the next day, and waits until the day was judged.
    pub fn close(&self, day: i64) -> Result<()> {
        day::open(self, day + 1)?;
        self.judged(day)
    }

    /// Waits until scorers have told of a day's rows.
    fn told(&self, day: i64) -> Result<()> {
        let [opening, rest] = day::parted(day);
        let from_ms = opening.last().map_or(0, |visit| visit.at);
        wait::until("what scorers tell", LONG, || {
            let stats = self.stats()?.into_iter();
            let rows = stats.filter(|one| one.role == "serving" && one.time_ms > from_ms).map(|one| one.rows);
            Ok((rows.sum::<i64>() >= rest.len() as i64).then_some(()))
        })
    }

    pub fn stats(&self) -> Result<Vec<ScorerStats>> {
        reader::events(self.stack, &self.app.topic("scorer-stats"))
    }

    /// Waits until a day's window was judged, or the experiment ended before.
    pub fn judged(&self, day: i64) -> Result<()> {
        let end_ms = day::end_of(day);
        wait::until(&format!("the end of day {day}"), LONG, || {
            let results = self.results()?;
            let judged = results.iter().any(|event| event.window_end_ms >= end_ms && event.deploys.is_none());
            let ended = results.iter().any(|event| event.state == ExperimentState::Decided);
            Ok((judged || ended).then_some(()))
        })
    }

    pub fn results(&self) -> Result<Vec<ExperimentResult>> {
        let results: Vec<ExperimentResult> = reader::events(self.stack, &self.app.topic("results"))?;
        let mut ids: Vec<&str> = results.iter().map(|event| event.id.as_str()).collect();
        ids.sort_unstable();
        ensure!(ids.windows(2).all(|pair| pair[0] != pair[1]), "an event is there twice");
        Ok(results)
    }

    pub fn deployments(&self) -> Result<Vec<(i64, Deployment)>> {
        let app = millrace_topics::load(self.app.topics(), self.app.name())
            .map_err(|problems| anyhow::anyhow!("{problems:?}"))?;
        let client = self.stack.kafka.client_config();
        let registry = Arc::new(ConfluentRegistry::new(self.stack.registry.url())?);
        Ok(millrace_topics::deployments::Deployments::new(&client, registry, &app, true)?.read()?)
    }

    pub fn deployed(&self, count: usize) -> Result<Vec<(i64, Deployment)>> {
        wait::until(&format!("{count} deployments"), LONG, || {
            Ok(Some(self.deployments()?).filter(|deployments| deployments.len() >= count))
        })
    }

    /// Waits until its last decision was carried out.
    pub fn ended(&self, day: i64) -> Result<Ended> {
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
