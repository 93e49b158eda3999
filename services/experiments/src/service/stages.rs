//! The service as the shell runs it.

use std::sync::Arc;

use millrace_runtime::service::Service;
use millrace_schemas::SchemaRegistry;
use millrace_topics::{Application, Problem};
use rdkafka::ClientConfig;

use super::{Error, clicks};

/// The service of an application all of whose topics have their schemas; none where no topic file asks for it. Starts
/// clocks, which write by themselves: `kafka` says how to reach the cluster.
///
/// # Errors
/// If topic files do not fit each other, or a thread cannot be started.
pub fn service(
    app: &Application,
    kafka: &ClientConfig,
    registry: Arc<dyn SchemaRegistry>,
) -> Result<Option<Service>, Error> {
    let mut stages = Vec::new();
    if let Some(layout) = clicks::Layout::of(app)? {
        stages.push(layout.stage(kafka, registry)?);
    }
    if stages.is_empty() {
        return Ok(None);
    }
    let dead_letters = app.dead_letters().ok_or_else(|| missing(app, "dead-letters"))?;
    Ok(Some(Service {
        name: "experiments".to_owned(),
        group: format!("{}.experiments", app.name),
        stages,
        dead_letters: dead_letters.kafka.clone(),
        ready: Arc::new(|| Ok(())),
    }))
}

fn missing(app: &Application, stem: &str) -> Error {
    let message = format!("is missing: add {stem}.toml");
    Error::Problems(vec![Problem::new(&app.folder, None, Some(stem), message)])
}
