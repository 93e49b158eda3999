//! Which topics the service reads and writes for experiments.

use std::collections::BTreeMap;
use std::sync::Arc;

use millrace_runtime::service::{InputTopic, MakeTask, Stage};
use millrace_schemas::Format;
use millrace_topics::graph::Step;
use millrace_topics::{Application, ClickFeedbackTable, ExperimentsTable, KafkaTopic, Role, Start, Topic};

use super::Error;
use super::judge::Judge;
use super::judge_task::{JudgeTask, Route};
use super::note::topic_schema;
use super::observe::{Observe, Sources};
use super::relay::{Outcomes, Relay, Relayed, Stats};
use super::silence::Waited;
use super::tasks::Tasks;
use super::window::Windows;

/// Raised where what the tasks tell each other changes: what an older version wrote is left aside then.
const FORMAT: &str = "3";

/// The part of the service that judges.
pub const JUDGING: &str = ".judge";

/// The part of the service that observes a topic.
pub fn observing(stem: &str) -> String {
    format!(".observe.{stem}")
}

/// The parts that judge experiments.
pub struct Layout<'a> {
    app: &'a Application,
    results: &'a Topic,
    table: &'a ExperimentsTable,
    journal: KafkaTopic,
    observed: Vec<Observed<'a>>,
    /// What is passed on while an experiment runs that needs it, with where orders to it go.
    stats: Option<(&'a Topic, KafkaTopic)>,
    feedback: Option<(&'a Topic, &'a ClickFeedbackTable, KafkaTopic)>,
}

/// A topic of predictions or rankings.
struct Observed<'a> {
    topic: &'a Topic,
    orders: KafkaTopic,
    others: Vec<&'a Topic>,
}

impl<'a> Layout<'a> {
    /// Of an application all of whose topics have their schemas; none without a topic of results.
    ///
    /// # Errors
    /// If the internal schema cannot be made.
    pub fn of(app: &'a Application) -> Result<Option<Self>, Error> {
        let Some(results) = app.experiments() else { return Ok(None) };
        let Role::Experiments(table) = &results.role else { return Ok(None) };
        let schema = topic_schema(&app.name)?;
        let internal = |name: String, like: Option<&KafkaTopic>| KafkaTopic {
            name,
            format: Format::Avro,
            schema: Some(schema.clone()),
            key: like.map(|_| "key".to_owned()),
            partitioner: like.map(|topic| topic.partitioner).unwrap_or_default(),
            partitions: like.map_or(1, |topic| topic.partitions),
            retention_ms: None,
            settings: BTreeMap::new(),
        };
        let journal = internal(format!("{}.journal.{FORMAT}", results.kafka.name), None);
        let orders = |topic: &Topic| {
            internal(format!("{}.orders.{}.{FORMAT}", results.kafka.name, topic.stem), Some(&topic.kafka))
        };
        let predicts = |topic: &&Topic| matches!(topic.role, Role::Predictions(_) | Role::Rankings(_));
        let observed = app.topics.iter().filter(predicts).map(|topic| Observed {
            topic,
            orders: orders(topic),
            others: others(app, table, topic),
        });
        let observed = observed.collect();
        let stats = app.scorer_stats().map(|topic| (topic, orders(topic)));
        let feedback = app.click_feedback().and_then(|topic| match &topic.role {
            Role::ClickFeedback(table) => Some((topic, table, orders(topic))),
            _ => None,
        });
        Ok(Some(Self { app, results, table, journal, observed, stats, feedback }))
    }

    /// The topics that exist for this service alone.
    pub fn internal(&self) -> Vec<KafkaTopic> {
        std::iter::once(&self.journal).chain(self.orders()).cloned().collect()
    }

    /// Where orders go.
    fn orders(&self) -> impl Iterator<Item = &KafkaTopic> {
        let observed = self.observed.iter().map(|observed| &observed.orders);
        let stats = self.stats.iter().map(|(_, orders)| orders);
        observed.chain(stats).chain(self.feedback.iter().map(|(.., orders)| orders))
    }

    /// Who counts: per topic of predictions or rankings, its stem and stage.
    pub fn observers(&self) -> Vec<(String, Stage)> {
        self.observed.iter().map(|one| (one.topic.stem.clone(), self.observe(one))).collect()
    }

    /// Who passes on and who judges; whom the judge waits for it tells `tasks`.
    pub fn judging(&self, tasks: &Tasks<Waited>) -> Vec<Stage> {
        let mut stages = Vec::new();
        let relays = [
            (self.app.experiment_commands(), Relayed::Commands),
            (self.app.deployments(), Relayed::Deployments),
        ];
        for (topic, relayed) in relays.into_iter().filter_map(|(topic, what)| Some((topic?, what))) {
            let task: MakeTask = Arc::new(move |_| Ok(Box::new(Relay(relayed))));
            stages.push(stage(
                &topic.stem,
                vec![input(topic, "time")],
                vec![self.journal.clone()],
                false,
                task,
            ));
        }
        if let Some((topic, orders)) = &self.stats {
            let task: MakeTask = Arc::new(move |_| Ok(Box::new(Stats::default())));
            let inputs = vec![ordered(orders), input(topic, "time")];
            stages.push(stage(&topic.stem, inputs, vec![self.journal.clone()], true, task));
        }
        if let Some((topic, table, orders)) = &self.feedback {
            let (windows, rankings) = (self.windows(), table.rankings.clone());
            let task: MakeTask =
                Arc::new(move |partition| Ok(Box::new(Outcomes::new(&rankings, partition, windows))));
            let inputs = vec![ordered(orders), input(topic, "time")];
            let name = format!("outcomes-{}", topic.stem);
            stages.push(stage(&name, inputs, vec![self.journal.clone()], true, task));
        }
        stages.push(self.judge(tasks));
        stages
    }

    /// By the stem of a topic of predictions or rankings, and whether its feedback is meant: the topic that tells of
    /// windows, and the part of the service that reads it.
    pub fn tellers(&self) -> BTreeMap<(String, bool), (&KafkaTopic, String)> {
        let observed = self.observed.iter().map(|one| {
            let stem = one.topic.stem.clone();
            ((stem.clone(), false), (&one.topic.kafka, observing(&stem)))
        });
        let feedback = self
            .feedback
            .iter()
            .map(|(topic, table, _)| ((table.rankings.clone(), true), (&topic.kafka, JUDGING.to_owned())));
        observed.chain(feedback).collect()
    }

    /// The journal.
    pub fn journal(&self) -> &KafkaTopic {
        &self.journal
    }

    /// How long a partition may be silent, in ms.
    pub fn max_wait_ms(&self) -> i64 {
        self.table.max_wait_ms
    }

    fn windows(&self) -> Windows {
        Windows::new(self.table.window_ms, self.table.lateness_ms)
    }

    fn observe(&self, observed: &Observed<'_>) -> Stage {
        let named = |topic: &&Topic| {
            (
                topic.stem.clone(),
                topic.id.clone().unwrap_or_default(),
                topic.kafka.key.clone().unwrap_or_default(),
            )
        };
        let sources = Sources {
            predictions: observed.topic.stem.clone(),
            others: observed.others.iter().map(named).collect(),
        };
        let windows = self.windows();
        let task: MakeTask =
            Arc::new(move |partition| Ok(Box::new(Observe::new(sources.clone(), partition, windows))));
        let orders = ordered(&observed.orders);
        let others =
            observed.others.iter().map(|topic| input(topic, topic.time.as_deref().unwrap_or_default()));
        let inputs = [orders, input(observed.topic, "time")].into_iter().chain(others).collect();
        stage(&format!("observe-{}", observed.topic.stem), inputs, vec![self.journal.clone()], true, task)
    }

    fn judge(&self, tasks: &Tasks<Waited>) -> Stage {
        let partitions = |topic: &Topic| usize::try_from(topic.kafka.partitions).unwrap_or(1);
        let observed = self.observed.iter().map(|one| (one.topic.stem.clone(), partitions(one.topic)));
        let places: BTreeMap<String, usize> = observed.collect();
        let told = self.feedback.iter();
        let feedback: BTreeMap<String, usize> =
            told.map(|(topic, table, _)| (table.rankings.clone(), partitions(topic))).collect();
        let (routes, tasks) = (self.routes(), tasks.clone());
        let task: MakeTask = Arc::new(move |partition| {
            let judge = Judge::new(places.clone(), feedback.clone());
            Ok(Box::new(JudgeTask::new(judge, routes.clone(), tasks.join(partition))))
        });
        let journal = InputTopic { topic: self.journal.clone(), time: "time".to_owned(), source: None };
        let outputs = std::iter::once(&self.results.kafka).chain(self.orders()).cloned().collect();
        stage("judge", vec![journal], outputs, true, task)
    }

    /// Which orders go where, in the order of [`Self::orders`].
    fn routes(&self) -> Vec<Route> {
        let route = |topic: Option<&String>, deployments: bool, orders: &KafkaTopic| Route {
            topic: topic.cloned(),
            deployments,
            keys: keys(orders),
        };
        let observed = self.observed.iter().map(|one| route(Some(&one.topic.stem), true, &one.orders));
        let stats = self.stats.iter().map(|(_, orders)| route(None, false, orders));
        let feedback =
            self.feedback.iter().map(|(_, table, orders)| route(Some(&table.rankings), false, orders));
        observed.chain(stats).chain(feedback).collect()
    }

    /// Its part of the dataflow.
    pub fn steps(&self) -> Vec<Step> {
        let step = |stage: Stage| Step {
            name: stage.name,
            reads: stage.inputs.into_iter().map(|input| input.topic.name).collect(),
            writes: stage.outputs.into_iter().map(|topic| topic.name).collect(),
            stores: Vec::new(),
        };
        let observers = self.observers().into_iter().map(|(_, stage)| stage);
        observers.chain(self.judging(&Tasks::default())).map(step).collect()
    }
}

/// The declared topics whose rows lie beside the predictions of their unit.
fn others<'a>(app: &'a Application, table: &ExperimentsTable, predictions: &Topic) -> Vec<&'a Topic> {
    let unit = match &predictions.role {
        Role::Predictions(table) => Some(&table.unit),
        Role::Rankings(table) => Some(&table.unit),
        _ => None,
    };
    let own = &predictions.kafka;
    let fits = |topic: &&Topic| {
        topic.kafka.key.as_ref() == unit
            && (topic.kafka.partitions, topic.kafka.partitioner) == (own.partitions, own.partitioner)
            && topic.time.is_some()
            && topic.id.is_some()
    };
    table.topics.iter().filter_map(|stem| app.topic(stem)).filter(fits).collect()
}

fn ordered(orders: &KafkaTopic) -> InputTopic {
    InputTopic { topic: orders.clone(), time: "time".to_owned(), source: None }
}

fn input(topic: &Topic, time: &str) -> InputTopic {
    let time = topic.time.clone().unwrap_or_else(|| time.to_owned());
    InputTopic { topic: topic.kafka.clone(), time, source: None }
}

/// For each partition a key that leads there; a NUL, so that no key of a person's is taken for one.
fn keys(topic: &KafkaTopic) -> Vec<String> {
    let leads_to = |partition: u32| {
        let leads =
            |key: &String| topic.partitioner.partition(Some(key.as_bytes()), topic.partitions) == partition;
        (0_u64..).map(|n| format!("\u{0}order-{n}")).find(leads).unwrap_or_default()
    };
    (0..topic.partitions).map(leads_to).collect()
}

fn stage(
    name: &str,
    inputs: Vec<InputTopic>,
    outputs: Vec<KafkaTopic>,
    stateful: bool,
    task: MakeTask,
) -> Stage {
    Stage {
        name: format!("experiments/{name}"),
        inputs,
        outputs,
        alignment: None,
        stateful,
        start: Start::Earliest,
        task,
    }
}
