//! The scorer of one prediction topic, as the shell runs it; and what is checked of it beforehand.

use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use millrace_runtime::service::{InputTopic, Service};
use millrace_schemas::SchemaRegistry;
use millrace_topics::{Application, DeploymentsTable, ModelRef, PredictionsTable, Problem, Role, Topic};
use rdkafka::config::ClientConfig;

use crate::envelope::{self, Envelope, Names};
use crate::explore::Explore;
use crate::matrix::InputColumns;
use crate::onnx;
use crate::ranking::RankingTask;
use crate::serving::repository_of;
use crate::shell::Shell;
use crate::task::ScorerTask;
use crate::version::{FeatureColumns, Version};
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
    onnx::start()?;
    let shell = |input, columns, interleaves| Shell {
        app,
        topic,
        input,
        columns,
        interleaves,
        kafka,
        registry: registry.clone(),
        grouped,
    };
    if let Role::Rankings(table) = &topic.role {
        let parts = ranking::Parts::find(app, topic, table)?;
        let (candidates, rows, length) = (parts.candidates, parts.rows, table.length);
        return shell(parts.input, parts.columns, true).service(move |serving, stats, partition| {
            RankingTask::new(serving, candidates.clone(), rows.clone(), length, stats, partition)
        });
    }
    let parts = Parts::find(app, topic)?;
    let envelope = parts.envelope()?;
    let explore = parts.table.explore.as_ref().map(|table| Explore::new(&topic.stem, table));
    let input = InputTopic { topic: parts.features.kafka.clone(), time: parts.time.to_owned(), source: None };
    let columns = FeatureColumns { topic: parts.features.kafka.name.clone(), schema: parts.feature_columns };
    shell(input, columns, false).service(move |serving, stats, partition| {
        ScorerTask::new(serving, envelope.clone(), explore.clone(), stats, partition)
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
        Ok(Self {
            topic,
            table,
            features,
            feature_columns: schema.arrow().clone(),
            id: features.id.as_deref().ok_or_else(|| lacks("id", "their id"))?,
            time: features.time.as_deref().ok_or_else(|| lacks("time", "their time"))?,
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
