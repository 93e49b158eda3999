//! Experiments as commands see them: read from the topic of results, spoken to through the topic of commands.

use std::sync::Arc;

use millrace_schemas::SchemaRegistry;
use millrace_schemas::envelope::{Deployment, ExperimentCommand, ExperimentResult};
use millrace_topics::events::Events;
use millrace_topics::{Application, ExperimentDefinition, Problem, Topic};
use rdkafka::ClientConfig;

use super::Error;
use super::judge::deploy::serving;
use super::judge::result::decision_id;
use crate::assignment;

/// Every result of an application's experiments, in order.
///
/// # Errors
/// Without a topic of results, or if Kafka or the registry does not answer.
pub fn results(
    app: &Application,
    kafka: &ClientConfig,
    registry: Arc<dyn SchemaRegistry>,
) -> Result<Vec<ExperimentResult>, Error> {
    let topic = needed(app, app.experiments())?;
    Ok(Events::new(kafka, registry, app, &topic.kafka)?.all()?)
}

/// Everything that was said to an application's experiments, in order.
///
/// # Errors
/// As [`results`].
pub fn commands(
    app: &Application,
    kafka: &ClientConfig,
    registry: Arc<dyn SchemaRegistry>,
) -> Result<Vec<ExperimentCommand>, Error> {
    let topic = needed(app, app.experiment_commands())?;
    Ok(Events::new(kafka, registry, app, &topic.kafka)?.all()?)
}

/// Whether a start has led to anything yet: its arms were asked for, it was refused, or it has ended.
pub fn is_answered(start: &ExperimentCommand, results: &[ExperimentResult]) -> bool {
    let refused = ExperimentResult::id_of(&["refused", &start.id]);
    results.iter().any(|event| event.id == refused || event.id == decision_id(&start.id, event))
}

/// The deployment with which an experiment begins.
///
/// # Errors
/// Shares that cannot be laid.
pub fn first_deployment(definition: &ExperimentDefinition) -> Result<Deployment, assignment::Error> {
    serving(definition, 0, None, None, 0)
}

/// Says something to an experiment.
///
/// # Errors
/// As [`results`].
pub fn say(
    app: &Application,
    kafka: &ClientConfig,
    registry: Arc<dyn SchemaRegistry>,
    command: &ExperimentCommand,
) -> Result<(), Error> {
    let topic = needed(app, app.experiment_commands())?;
    let commands = Events::new(kafka, registry, app, &topic.kafka)?;
    let said = std::slice::from_ref(command);
    commands.append(&commands.writer(None)?, said, |command: &ExperimentCommand| &command.experiment)?;
    Ok(())
}

fn needed<'a>(app: &Application, topic: Option<&'a Topic>) -> Result<&'a Topic, Error> {
    let missing = "needs a topic file with a table [experiments]".to_owned();
    topic.ok_or_else(|| Error::Problems(vec![Problem::new(&app.folder, None, Some("experiments"), missing)]))
}
