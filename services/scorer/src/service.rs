//! The scorer of one prediction topic, as the shell runs it; and what is checked of it beforehand.

use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use millrace_runtime::service::{InputTopic, Service, Stage};
use millrace_schemas::SchemaRegistry;
use millrace_topics::alerts::Alerts;
use millrace_topics::{
    Application, DeploymentsTable, KafkaTopic, ModelRef, PredictionsTable, Problem, Role, Start, Topic,
};
use rdkafka::config::ClientConfig;

use crate::envelope::{self, Envelope, Names};
use crate::explore::Explore;
use crate::matrix::InputColumns;
use crate::onnx;
use crate::serving::{Serving, repository_of};
use crate::stats::writer::{StatsTopic, StatsWriter};
use crate::task::ScorerTask;
use crate::version::{FeatureColumns, Version};
use crate::watcher::{Watch, Watcher};
use crate::{Error, library, ranking, repository};

/// The scorer of `topic`, a `[predictions]` or `[rankings]` topic of the application. Both it and the topic whose rows are
/// scored must have their schemas. Starts to follow deployments; the service is ready once one is in force and its model is loaded.
///
/// `kafka` says how to reach the cluster; `grouped` is false for an in-process cluster, which has no transactions.
pub fn service(
    app: &Application,
    topic: &Topic,
    kafka: &ClientConfig,
    registry: Arc<dyn SchemaRegistry>,
    grouped: bool,
) -> Result<Service, Error> {
    if let Role::Rankings(table) = &topic.role {
        return ranking::service(app, (topic, table), kafka, registry, grouped);
    }
    onnx::start()?;
    let parts = Parts::find(app, topic)?;
    let envelope = parts.envelope()?;
    let serving = Serving::new(format!("{}: not read yet", parts.deployments.kafka.name));
    let alerts = Alerts::new(kafka, registry.clone(), app, grouped);
    let watch = Watch {
        kafka: kafka.clone(),
        registry: registry.clone(),
        interleaves: false,
        alerts: alerts.map_err(|error| Error::Application(error.to_string()))?,
        topic: parts.deployments.kafka.clone(),
        predictions: topic.stem.clone(),
        models: repository_of(app),
        features: FeatureColumns {
            topic: parts.features.kafka.name.clone(),
            schema: parts.feature_columns.clone(),
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
    let explore = parts.table.explore.as_ref().map(|table| Explore::new(&topic.stem, table));
    let stage = Stage {
        name: format!("scorer/{}", topic.stem),
        inputs: vec![InputTopic {
            topic: parts.features.kafka.clone(),
            time: parts.time.to_owned(),
            source: None,
        }],
        outputs: vec![topic.kafka.clone()],
        alignment: None,
        stateful: false,
        start: Start::Earliest,
        task: {
            let (serving, watcher) = (serving.clone(), watcher.clone());
            Arc::new(move |partition| {
                // As long as tasks can be made, deployments are followed and stats written.
                let _ = (&watcher, &writer);
                let (serving, envelope) = (serving.clone(), envelope.clone());
                Ok(Box::new(ScorerTask::new(serving, envelope, explore.clone(), stats.clone(), partition)))
            })
        },
    };
    Ok(Service {
        name: "scorer".into(),
        group: format!("{}.{}", app.name, topic.stem),
        stages: vec![stage],
        dead_letters: parts.dead_letters.clone(),
        ready: Arc::new(move || {
            let _ = &watcher;
            serving.deployed().map(drop)
        }),
    })
}

/// What is wrong with the first deployment of a `[predictions]` topic: a model that is not there, does not say what it
/// must, or does not fit the columns of the feature view. The model itself is loaded where ONNX Runtime is installed.
pub fn check(app: &Application, topic: &Topic, features: &SchemaRef) -> Vec<Problem> {
    let Some((deployments, table)) = deployments_of(app) else { return Vec::new() };
    let Some(reference) = table.first.get(&topic.stem) else { return Vec::new() };
    let explored = check_explored(app, topic, reference);
    let columns = FeatureColumns { topic: topic.stem.clone(), schema: features.clone() };
    let Err(error) = check_model(&repository_of(app), reference, &columns) else {
        return explored.into_iter().collect();
    };
    let problem =
        |message: String| deployments.problem(&format!("deployments.first.{}", topic.stem), message);
    match error {
        Error::Misfit { problems, .. } => {
            problems.into_iter().map(|line| problem(format!("model {reference}: {line}"))).collect()
        }
        other => vec![problem(relative(app, &other.to_string()))],
    }
}

/// The columns of the rows that the models of a topic score: of its features, or of the candidates of its requests; `None`
/// where that topic is not known.
pub fn scored_columns(app: &Application, topic: &Topic) -> Option<FeatureColumns> {
    let scored = match &topic.role {
        Role::Predictions(table) => app.topic(&table.features)?,
        Role::Rankings(table) => app.topic(&table.requests)?,
        _ => return None,
    };
    let schema = scored.kafka.schema.as_ref()?.arrow();
    let schema = match topic.role {
        Role::Rankings(_) => ranking::candidate_schema(schema),
        _ => schema.clone(),
    };
    Some(FeatureColumns { topic: scored.kafka.name.clone(), schema })
}

/// Checks that a version can score rows of these columns: its files, its signature, and where ONNX Runtime is installed
/// that it loads and passes its warm-up.
pub fn check_version(app: &Application, reference: &ModelRef, columns: &FeatureColumns) -> Result<(), Error> {
    check_model(&repository_of(app), reference, columns)
}

fn check_model(root: &Path, reference: &ModelRef, columns: &FeatureColumns) -> Result<(), Error> {
    if library::find().is_ok() {
        return Version::load(root, reference, columns, 1).map(drop);
    }
    let stored = repository::read(root, reference)?;
    InputColumns::find(&stored.file, &columns.schema).map(drop).map_err(|problems| Error::Misfit {
        model: reference.to_string(),
        features: columns.topic.clone(),
        problems,
    })
}

/// A decision that no model takes is a slip of the pen: who acts on predictions would not know it.
fn check_explored(app: &Application, topic: &Topic, reference: &ModelRef) -> Option<Problem> {
    let Role::Predictions(table) = &topic.role else { return None };
    let explore = table.explore.as_ref()?;
    let words = repository::read(&repository_of(app), reference).ok()?.file.decision;
    let known = [&words.above, &words.below].contains(&&explore.decision);
    (!known).then(|| {
        topic.problem(
            "predictions.explore.decision",
            format!(
                "`{}` is no decision of model {reference}; write \"{}\" or \"{}\"",
                explore.decision, words.below, words.above
            ),
        )
    })
}

/// Files as the person knows them, from the folder of applications on.
fn relative(app: &Application, message: &str) -> String {
    match app.folder.parent() {
        Some(parent) if parent != Path::new("") => message.replace(&format!("{}/", parent.display()), ""),
        _ => message.to_owned(),
    }
}

/// The parts of an application that one prediction topic hangs on.
struct Parts<'a> {
    topic: &'a Topic,
    table: &'a PredictionsTable,
    features: &'a Topic,
    feature_columns: SchemaRef,
    id: &'a str,
    time: &'a str,
    deployments: &'a Topic,
    stats: &'a Topic,
    dead_letters: &'a KafkaTopic,
}

impl<'a> Parts<'a> {
    fn find(app: &'a Application, topic: &'a Topic) -> Result<Self, Error> {
        let fail = |message: String| Error::Application(message);
        let Role::Predictions(table) = &topic.role else {
            return Err(fail(format!(
                "{} has no [predictions]: the scorer does not write it",
                topic.file.display()
            )));
        };
        let features = app.topics.iter().find(|t| t.stem == table.features).ok_or_else(|| {
            fail(format!(
                "{}: predictions.features: there is no topic `{}`",
                topic.file.display(),
                table.features
            ))
        })?;
        let schema = features
            .kafka
            .schema
            .as_ref()
            .ok_or_else(|| fail(format!("{}: its schema is not derived yet", features.file.display())))?;
        let lacks = |key: &str, what: &str| {
            fail(format!(
                "{}: {key} is missing; predictions take {what} from that column",
                features.file.display()
            ))
        };
        let (deployments, _) = deployments_of(app).ok_or_else(|| {
            fail(format!("{}/deployments.toml is missing; it says which model serves", app.folder.display()))
        })?;
        let dead_letters = app
            .topics
            .iter()
            .find(|t| matches!(t.role, Role::DeadLetters))
            .ok_or_else(|| fail(format!("{}/dead-letters.toml is missing", app.folder.display())))?;
        let stats = app
            .scorer_stats()
            .ok_or_else(|| fail(format!("{}/scorer-stats.toml is missing", app.folder.display())))?;
        Ok(Self {
            topic,
            table,
            stats,
            features,
            feature_columns: schema.arrow().clone(),
            id: features.id.as_deref().ok_or_else(|| lacks("id", "their id"))?,
            time: features.time.as_deref().ok_or_else(|| lacks("time", "their time"))?,
            deployments,
            dead_letters: &dead_letters.kafka,
        })
    }

    fn envelope(&self) -> Result<Envelope, Error> {
        let fail = |message: String| Error::Application(format!("{}: {message}", self.topic.file.display()));
        let schema =
            self.topic.kafka.schema.as_ref().ok_or_else(|| fail("its schema is not known".into()))?;
        envelope::check_schema(schema.arrow()).map_err(fail)?;
        let names =
            Names { id: self.id, time: self.time, unit: &self.table.unit, context: &self.table.context };
        Envelope::find(schema.arrow(), &self.feature_columns, &names)
            .map_err(|problems| fail(format!("\n{}", problems.join("\n"))))
    }
}

pub(crate) fn deployments_of(app: &Application) -> Option<(&Topic, &DeploymentsTable)> {
    app.topics.iter().find_map(|topic| match &topic.role {
        Role::Deployments(table) => Some((topic, table)),
        _ => None,
    })
}

/// What to do where there is no deployment.
pub(crate) fn advice(app: &Application, topic: &Topic, deployments: &Topic) -> String {
    let declared = deployments_of(app).is_some_and(|(_, table)| table.first.contains_key(&topic.stem));
    let first = if declared {
        String::new()
    } else {
        format!(
            "add `first = {{ {} = \"<model>/<version>\" }}` under [deployments] in {}, then ",
            topic.stem,
            deployments.file.display()
        )
    };
    format!("no model is deployed on {}: {first}run `millrace topics apply {}`", topic.kafka.name, app.name)
}

#[cfg(test)]
mod tests;
