//! A topic that the scorer writes, whatever it makes of scores: what follows deployments and tells stats around its task.

use std::sync::Arc;

use millrace_runtime::service::{InputTopic, Service, Stage};
use millrace_runtime::task::Task;
use millrace_schemas::SchemaRegistry;
use millrace_topics::alerts::Alerts;
use millrace_topics::{Application, KafkaTopic, Start, Topic};
use rdkafka::config::ClientConfig;

use crate::Error;
use crate::service::{advice, deployments_of};
use crate::serving::{Serving, repository_of};
use crate::stats::StatsQueue;
use crate::stats::writer::{StatsTopic, StatsWriter};
use crate::version::FeatureColumns;
use crate::watcher::{Watch, Watcher};

/// The topic, and how its rows are made.
pub struct Shell<'a> {
    /// The application.
    pub app: &'a Application,
    /// The topic that is written.
    pub topic: &'a Topic,
    /// The rows that are scored.
    pub input: InputTopic,
    /// The columns that models take their inputs from.
    pub columns: FeatureColumns,
    /// Whether arms may be interleaved.
    pub interleaves: bool,
    /// How to reach the cluster.
    pub kafka: &'a ClientConfig,
    /// Where schema ids come from.
    pub registry: Arc<dyn SchemaRegistry>,
    /// False for an in-process cluster, which has no transactions.
    pub grouped: bool,
}

/// The topics beside it that each needs.
pub struct Beside<'a> {
    /// Which versions serve.
    pub deployments: &'a Topic,
    /// How versions do.
    pub stats: &'a KafkaTopic,
    /// What cannot be scored.
    pub dead_letters: &'a KafkaTopic,
}

impl<'a> Beside<'a> {
    /// Those of an application; fails with the file that is missing.
    pub fn find(app: &'a Application) -> Result<Self, Error> {
        let missing = |what: &str| Error::Application(format!("{}/{what}", app.folder.display()));
        let (deployments, _) = deployments_of(app)
            .ok_or_else(|| missing("deployments.toml is missing; it says which model serves"))?;
        Ok(Self {
            deployments,
            stats: &app.scorer_stats().ok_or_else(|| missing("scorer-stats.toml is missing"))?.kafka,
            dead_letters: &app.dead_letters().ok_or_else(|| missing("dead-letters.toml is missing"))?.kafka,
        })
    }
}

impl Shell<'_> {
    /// Starts to follow deployments and to write stats; the service is ready once a deployment is in force and its models
    /// are loaded. `make` makes the task of a partition.
    pub fn service<T: Task + 'static>(
        self,
        make: impl Fn(Serving, StatsQueue, i32) -> T + Send + Sync + 'static,
    ) -> Result<Service, Error> {
        let beside = Beside::find(self.app)?;
        let serving = Serving::new(format!("{}: not read yet", beside.deployments.kafka.name));
        let watcher = Arc::new(Watcher::start(self.watch(&beside)?, serving.clone())?);
        let (writer, stats) = StatsWriter::start(StatsTopic {
            kafka: self.kafka.clone(),
            registry: self.registry.clone(),
            topic: beside.stats.clone(),
            predictions: self.topic.stem.clone(),
        })?;
        let writer = Arc::new(writer);
        let stage = Stage {
            name: format!("scorer/{}", self.topic.stem),
            inputs: vec![self.input],
            outputs: vec![self.topic.kafka.clone()],
            alignment: None,
            stateful: false,
            start: Start::Earliest,
            task: {
                let (serving, watcher) = (serving.clone(), watcher.clone());
                Arc::new(move |partition| {
                    // As long as tasks can be made, deployments are followed and stats written.
                    let _ = (&watcher, &writer);
                    Ok(Box::new(make(serving.clone(), stats.clone(), partition)))
                })
            },
        };
        Ok(Service {
            name: "scorer".into(),
            group: format!("{}.{}", self.app.name, self.topic.stem),
            stages: vec![stage],
            dead_letters: beside.dead_letters.clone(),
            ready: Arc::new(move || {
                let _ = &watcher;
                serving.deployed().map(drop)
            }),
        })
    }

    fn watch(&self, beside: &Beside<'_>) -> Result<Watch, Error> {
        let alerts = Alerts::new(self.kafka, self.registry.clone(), self.app, self.grouped);
        Ok(Watch {
            kafka: self.kafka.clone(),
            registry: self.registry.clone(),
            interleaves: self.interleaves,
            alerts: alerts.map_err(|error| Error::Application(error.to_string()))?,
            topic: beside.deployments.kafka.clone(),
            predictions: self.topic.stem.clone(),
            models: repository_of(self.app),
            features: self.columns.clone(),
            advice: advice(self.app, self.topic, beside.deployments),
        })
    }
}
