//! The scorer of one topic of rankings, as the shell runs it.

use std::sync::Arc;

use millrace_runtime::service::{InputTopic, Service, SourceChecks, Stage};
use millrace_schemas::SchemaRegistry;
use millrace_topics::alerts::Alerts;
use millrace_topics::{Application, RankingsTable, Start, Topic};
use rdkafka::config::ClientConfig;

use super::candidates::Candidates;
use super::rows::Rows;
use super::task::RankingTask;
use crate::service::{advice, deployments_of};
use crate::serving::{Serving, repository_of};
use crate::stats::writer::{StatsTopic, StatsWriter};
use crate::version::FeatureColumns;
use crate::watcher::{Watch, Watcher};
use crate::{Error, onnx};

/// The scorer of `topic`, a `[rankings]` topic of the application with this table. Starts to follow deployments; the
/// service is ready once one is in force and its models are loaded. `kafka` says how to reach the cluster; `grouped` is
/// false for an in-process cluster, which has no transactions.
pub fn service(
    app: &Application,
    (topic, table): (&Topic, &RankingsTable),
    kafka: &ClientConfig,
    registry: Arc<dyn SchemaRegistry>,
    grouped: bool,
) -> Result<Service, Error> {
    onnx::start()?;
    let parts = Parts::find(app, topic, table)?;
    let serving = Serving::new(format!("{}: not read yet", parts.deployments.kafka.name));
    let alerts = Alerts::new(kafka, registry.clone(), app, grouped);
    let watch = Watch {
        kafka: kafka.clone(),
        registry: registry.clone(),
        interleaves: true,
        alerts: alerts.map_err(|error| Error::Application(error.to_string()))?,
        topic: parts.deployments.kafka.clone(),
        predictions: topic.stem.clone(),
        models: repository_of(app),
        features: FeatureColumns {
            topic: parts.requests.kafka.name.clone(),
            schema: parts.candidates.schema().clone(),
        },
        advice: advice(app, topic, parts.deployments),
    };
    let watcher = Arc::new(Watcher::start(watch, serving.clone())?);
    let (writer, stats) = StatsWriter::start(StatsTopic {
        kafka: kafka.clone(),
        registry,
        topic: parts.stats.kafka.clone(),
        predictions: topic.stem.clone(),
    })?;
    let writer = Arc::new(writer);
    let stage = Stage {
        name: format!("scorer/{}", topic.stem),
        inputs: vec![InputTopic {
            topic: parts.requests.kafka.clone(),
            time: parts.time.clone(),
            source: Some(SourceChecks { max_ahead_ms: parts.requests.max_ahead_ms }),
        }],
        outputs: vec![topic.kafka.clone()],
        alignment: None,
        stateful: false,
        start: Start::Earliest,
        task: {
            let (serving, watcher) = (serving.clone(), watcher.clone());
            let (candidates, rows, length) = (parts.candidates, parts.rows, table.length);
            Arc::new(move |partition| {
                // As long as tasks can be made, deployments are followed and stats written.
                let _ = (&watcher, &writer);
                let (serving, candidates, rows) = (serving.clone(), candidates.clone(), rows.clone());
                Ok(Box::new(RankingTask::new(serving, candidates, rows, length, stats.clone(), partition)))
            })
        },
    };
    Ok(Service {
        name: "scorer".into(),
        group: format!("{}.{}", app.name, topic.stem),
        stages: vec![stage],
        dead_letters: parts.dead_letters.kafka.clone(),
        ready: Arc::new(move || {
            let _ = &watcher;
            serving.deployed().map(drop)
        }),
    })
}

/// The parts of an application that one topic of rankings hangs on.
struct Parts<'a> {
    requests: &'a Topic,
    time: String,
    deployments: &'a Topic,
    stats: &'a Topic,
    dead_letters: &'a Topic,
    candidates: Candidates,
    rows: Rows,
}

impl<'a> Parts<'a> {
    fn find(app: &'a Application, topic: &Topic, table: &RankingsTable) -> Result<Self, Error> {
        let fail = |message: String| Error::Application(format!("{}: {message}", topic.file.display()));
        let requests = app
            .topic(&table.requests)
            .ok_or_else(|| fail(format!("rankings.requests: there is no topic `{}`", table.requests)))?;
        let lacks = |what: &str| fail(format!("{}.toml lacks its {what}", requests.stem));
        let columns = requests.kafka.schema.as_ref().ok_or_else(|| lacks("schema"))?.arrow();
        let schema = topic.kafka.schema.as_ref().ok_or_else(|| fail("its schema is not known".into()))?;
        let id = requests.id.as_deref().ok_or_else(|| lacks("id"))?;
        let time = requests.time.as_deref().ok_or_else(|| lacks("time"))?;
        let (deployments, _) =
            deployments_of(app).ok_or_else(|| fail("there is no topic of deployments".into()))?;
        Ok(Self {
            requests,
            time: time.to_owned(),
            deployments,
            stats: app.scorer_stats().ok_or_else(|| fail("there is no topic of scorer stats".into()))?,
            dead_letters: app
                .dead_letters()
                .ok_or_else(|| fail("there is no topic of dead letters".into()))?,
            candidates: Candidates::find(columns, &table.items).map_err(fail)?,
            rows: Rows::find(schema.arrow(), columns, (id, time), table).map_err(fail)?,
        })
    }
}
