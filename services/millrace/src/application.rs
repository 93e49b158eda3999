//! Applications as commands find them.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use millrace_drift::service::DriftTopics;
use millrace_experiments::service::ExperimentTopics;
use millrace_features::ViewTopics;
use millrace_runtime::Configuration;
use millrace_schemas::{ConfluentRegistry, SchemaRegistry};
use millrace_topics::{Application, KafkaTopic, Problem, Role, Topic};

use crate::check;

/// Reads an application, ready to run; its problems, all of them, are the error.
pub fn load(folder: &Path, app: &str) -> Result<Application> {
    let app = millrace_topics::load(folder, app).map_err(|problems| problems_error(&problems))?;
    let problems = check::problems(&app);
    if problems.is_empty() { with_schemas(app) } else { Err(problems_error(&problems)) }
}

/// Problems as one error, a line each.
pub fn problems_error(problems: &[Problem]) -> anyhow::Error {
    let mut text = match problems.len() {
        1 => "1 problem".to_owned(),
        n => format!("{n} problems"),
    };
    for problem in problems {
        let _ = write!(text, "\n  {problem}");
    }
    anyhow!(text)
}

/// The feature views of an application.
pub fn views(app: &Application) -> impl Iterator<Item = &Topic> {
    app.topics.iter().filter(|topic| matches!(topic.role, Role::Features(_)))
}

/// The topics that a scorer writes: predictions and rankings.
pub fn prediction_topics(app: &Application) -> impl Iterator<Item = &Topic> {
    app.topics.iter().filter(|topic| matches!(topic.role, Role::Predictions(_) | Role::Rankings(_)))
}

/// The topics of the views of an application: internal ones and what links them.
pub fn view_topics(app: &Application) -> Result<Vec<ViewTopics>> {
    millrace_features::kafka_topics(app).map_err(|problems| problems_error(&problems))
}

/// The application with the schema of every topic: those of views follow from their SQL.
pub fn with_schemas(mut app: Application) -> Result<Application> {
    for view in view_topics(&app)? {
        for topic in app.topics.iter_mut().filter(|topic| topic.stem == view.view) {
            topic.kafka = view.output.clone();
        }
    }
    Ok(app)
}

/// The internal topics of the drift service of an application with all its schemas; none where nothing is watched.
pub fn drift_topics(app: &Application) -> Result<DriftTopics> {
    Ok(millrace_drift::service::topics(app)?)
}

/// The internal topics of the experiments service of an application; none where nothing asks for it.
pub fn experiment_topics(app: &Application) -> Result<ExperimentTopics> {
    Ok(millrace_experiments::service::topics(app)?)
}

/// Every topic that is to exist in Kafka: the application's, and the internal ones of its services.
pub fn kafka_topics(app: &Application) -> Result<Vec<KafkaTopic>> {
    let internal = view_topics(app)?
        .into_iter()
        .flat_map(|view| view.internal)
        .chain(drift_topics(app)?.internal)
        .chain(experiment_topics(app)?.internal);
    Ok(app.topics.iter().map(|topic| topic.kafka.clone()).chain(internal).collect())
}

/// The schema registry that the configuration names.
pub fn registry(configuration: &Configuration) -> Result<Arc<dyn SchemaRegistry>> {
    Ok(Arc::new(ConfluentRegistry::new(&configuration.schema_registry_url)?))
}
