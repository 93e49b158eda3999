//! Experiments as commands see them: read from the topic of results, spoken to through the topic of commands.

use std::sync::Arc;

use millrace_schemas::envelope::{ExperimentCommand, ExperimentResult, Record as _};
use millrace_schemas::{Decoder, Encoder, SchemaRegistry};
use millrace_topics::{Application, Problem, Topic, log};
use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::Error;

/// Records read at once.
const CHUNK: usize = 500;

/// Every result of an application's experiments, in order.
///
/// # Errors
/// Without a topic of results, or if Kafka or the registry does not answer.
pub fn results(
    app: &Application,
    kafka: &ClientConfig,
    registry: Arc<dyn SchemaRegistry>,
) -> Result<Vec<ExperimentResult>, Error> {
    let topic = needed(app, app.experiments(), "a topic file with a table [experiments]")?;
    let name = &topic.kafka.name;
    let schema =
        topic.kafka.schema.clone().ok_or_else(|| Error::internal(format!("{name} has no schema")))?;
    let records = log::read_to_end(kafka, name).map_err(|source| unreached(app, name, source))?;
    let mut decoder = Decoder::new(topic.kafka.format, schema, registry);
    let mut events = Vec::with_capacity(records.len());
    for chunk in records.chunks(CHUNK) {
        let payloads: Vec<Option<&[u8]>> = chunk.iter().map(|(_, payload)| payload.as_deref()).collect();
        let decoded = decoder.decode(&payloads).map_err(Error::internal)?;
        events.extend(ExperimentResult::from_batch(&decoded.rows).map_err(Error::internal)?);
    }
    Ok(events)
}

/// Says something to an experiment.
///
/// # Errors
/// As [`results`].
pub fn say(
    app: &Application,
    kafka: &ClientConfig,
    registry: &dyn SchemaRegistry,
    command: &ExperimentCommand,
) -> Result<(), Error> {
    let topic = needed(app, app.experiment_commands(), "a topic file with a table [experiments]")?;
    let name = &topic.kafka.name;
    let schema =
        topic.kafka.schema.clone().ok_or_else(|| Error::internal(format!("{name} has no schema")))?;
    let id = registry.register(&format!("{name}-value"), schema.avro()).map_err(Error::internal)?;
    let mut encoder = Encoder::new(topic.kafka.format, schema, id).map_err(Error::internal)?;
    let rows = ExperimentCommand::to_batch(std::slice::from_ref(command)).map_err(Error::internal)?;
    let encoded = encoder.encode(&rows).map_err(Error::internal)?;
    let payload = encoded.get(0).unwrap_or_default().to_vec();
    let failed = |source| unreached(app, name, source);
    let writer = log::Writer::new(kafka, None).map_err(failed)?;
    writer.write(name, &[(command.experiment.clone(), payload)]).map_err(failed)?;
    Ok(())
}

fn needed<'a>(app: &Application, topic: Option<&'a Topic>, what: &str) -> Result<&'a Topic, Error> {
    let missing = || Problem::new(&app.folder, None, Some("experiments"), format!("needs {what}"));
    topic.ok_or_else(|| Error::Problems(vec![missing()]))
}

fn unreached(app: &Application, topic: &str, source: KafkaError) -> Error {
    let unknown = [RDKafkaErrorCode::UnknownTopicOrPartition, RDKafkaErrorCode::UnknownTopic];
    match source.rdkafka_error_code() {
        Some(code) if unknown.contains(&code) => {
            Error::internal(format!("topic {topic} does not exist; run `millrace topics apply {}`", app.name))
        }
        _ => Error::Kafka { what: format!("reach {topic}"), source },
    }
}
