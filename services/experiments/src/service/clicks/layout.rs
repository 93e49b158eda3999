//! The stage's topics, and the stage as the shell runs it.

use std::sync::Arc;

use millrace_runtime::service::{Alignment, InputTopic, MakeTask, SourceChecks, Stage};
use millrace_schemas::SchemaRegistry;
use millrace_topics::graph::Step;
use millrace_topics::{Application, ClickFeedbackTable, KafkaTopic, Problem, Role, Start, Topic};
use rdkafka::ClientConfig;

use super::Source;
use super::book::Terms;
use super::clock::Clock;
use super::measures::Measures;
use super::rows::Names;
use super::silence::Told;
use super::task::{ClicksTask, Plan};
use super::ticks;
use super::times::Spans;
use crate::interleave::credit::Rules;
use crate::service::Error;
use crate::service::tasks::Tasks;

/// Above the time that a rebalance and a rebuild take.
const ALIGN_WAIT_MS: i64 = 600_000;
/// Kafka counts retention from when a record was written, and ticks are few: room for a service that stood for days.
const ROOM_MS: i64 = 7 * 86_400_000;

/// The topics of an application's click feedback.
pub struct Layout<'a> {
    app: &'a Application,
    feedback: &'a Topic,
    table: &'a ClickFeedbackTable,
    /// In the order in which rows of equal times are taken.
    sources: Vec<(Source, &'a Topic)>,
    ticks: KafkaTopic,
}

impl<'a> Layout<'a> {
    /// Of an application; none without a topic of click feedback.
    pub fn of(app: &'a Application) -> Result<Option<Self>, Error> {
        let Some(feedback) = app.click_feedback() else { return Ok(None) };
        let Role::ClickFeedback(table) = &feedback.role else { return Ok(None) };
        let find = |key: &str, stem: &str| {
            let missing =
                || feedback.problem(&format!("click_feedback.{key}"), format!("there is no `{stem}`"));
            app.topic(stem).ok_or_else(|| Error::Problems(vec![missing()]))
        };
        let rankings = find("rankings", &table.rankings)?;
        let mut sources = vec![(Source::Rankings, rankings)];
        if let Some(stem) = &table.impressions {
            sources.push((Source::Impressions, find("impressions", stem)?));
        }
        sources.push((Source::Clicks, find("clicks", &table.clicks)?));
        let retention_ms = table.remembered_ms().saturating_add(ROOM_MS);
        let ticks = ticks::topic(&app.name, &feedback.kafka, rankings.kafka.partitions, retention_ms)?;
        Ok(Some(Self { app, feedback, table, sources, ticks }))
    }

    /// The topic of ticks.
    pub fn ticks(&self) -> &KafkaTopic {
        &self.ticks
    }

    /// Its part of the dataflow.
    pub fn step(&self) -> Step {
        let reads = self.sources.iter().map(|(_, topic)| topic.kafka.name.clone());
        Step {
            name: format!("experiments/{}", self.feedback.stem),
            reads: reads.chain([self.ticks.name.clone()]).collect(),
            writes: vec![self.feedback.kafka.name.clone()],
            stores: Vec::new(),
        }
    }

    /// The stage; its clock runs as long as tasks can be made.
    pub fn stage(&self, kafka: &ClientConfig, registry: Arc<dyn SchemaRegistry>) -> Result<Stage, Error> {
        let tasks = Tasks::default();
        let clock = Clock {
            kafka: kafka.clone(),
            registry,
            topics: self.sources.iter().map(|(source, topic)| (*source, topic.kafka.name.clone())).collect(),
            ticks: self.ticks.clone(),
            max_wait_ms: self.table.max_wait_ms,
            tasks: tasks.clone(),
        };
        let clock = Arc::new(clock.start()?);
        let make = self.tasks(tasks)?;
        let task: MakeTask = Arc::new(move |partition| {
            let _ = &clock;
            make(partition)
        });
        let ticks = InputTopic { topic: self.ticks.clone(), time: ticks::TIME.to_owned(), source: None };
        Ok(Stage {
            name: format!("experiments/{}", self.feedback.stem),
            inputs: self.sources.iter().map(|(_, topic)| input(topic)).chain([ticks]).collect(),
            outputs: vec![self.feedback.kafka.clone()],
            alignment: Some(Alignment { max_skew_ms: self.table.horizon_ms, max_wait_ms: ALIGN_WAIT_MS }),
            stateful: true,
            start: Start::Earliest,
            task,
        })
    }

    /// Makes tasks, whose silence `tasks` knows.
    pub fn tasks(&self, tasks: Tasks<Told>) -> Result<MakeTask, Error> {
        let (plan, app) = (Arc::new(self.plan()?), self.app.name.clone());
        Ok(Arc::new(move |partition| {
            let measures = Measures::new(&app, partition);
            Ok(Box::new(ClicksTask::new(plan.clone(), partition, measures, tasks.join(partition))))
        }))
    }

    fn plan(&self) -> Result<Plan, Error> {
        let table = self.table;
        let of = |wanted: Source| self.sources.iter().find(|(source, _)| *source == wanted).map(|(_, t)| *t);
        let name = |topic: Option<&Topic>| topic.map(|topic| topic.kafka.name.clone()).unwrap_or_default();
        let clicks = of(Source::Clicks);
        let key = |key: &str, column: Option<&String>| {
            let missing = || {
                let file = clicks.map_or(&self.feedback.file, |clicks| &clicks.file);
                Error::Problems(vec![Problem::new(file, None, Some(key), "is missing")])
            };
            column.cloned().ok_or_else(missing)
        };
        Ok(Plan {
            terms: Terms {
                rules: Rules { horizon_ms: table.horizon_ms, skip_common_prefix: table.skip_common_prefix },
                spans: Spans {
                    horizon_ms: table.horizon_ms,
                    lateness_ms: table.lateness_ms,
                    remembered_ms: table.remembered_ms(),
                },
                impressions: table.impressions.is_some(),
                most: table.max_lists,
            },
            names: Names {
                id: key("id", clicks.and_then(|clicks| clicks.id.as_ref()))?,
                unit: key("key", clicks.and_then(|clicks| clicks.kafka.key.as_ref()))?,
                request: table.request.clone(),
                item: table.item.clone(),
                positions: table.positions.clone(),
            },
            inputs: self.sources.iter().map(|(source, _)| *source).collect(),
            topics: [name(of(Source::Rankings)), name(clicks)],
        })
    }
}

/// What something outside writes is checked row by row.
fn input(topic: &Topic) -> InputTopic {
    let checks = SourceChecks { max_ahead_ms: topic.max_ahead_ms, dead_letters: true };
    InputTopic {
        topic: topic.kafka.clone(),
        time: topic.time.clone().unwrap_or_else(|| "time".to_owned()),
        source: matches!(topic.role, Role::Source).then_some(checks),
    }
}
