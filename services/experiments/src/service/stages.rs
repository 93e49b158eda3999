//! The service as the shell runs it.

use std::sync::Arc;

use millrace_runtime::service::{Service, Stage};
use millrace_schemas::SchemaRegistry;
use millrace_topics::{Application, Problem};
use rdkafka::ClientConfig;

use super::deployer::Deployer;
use super::layout::Layout;
use super::{Error, clicks};

/// The service of an application all of whose topics have their schemas, in parts that read topics each for itself: a
/// consumer group reads a topic for one stage alone. None where no topic file asks for it. Starts threads, which write
/// by themselves: `kafka` says how to reach the cluster. `keeps` is false for an in-process cluster alone, which forgets
/// what experiments are rebuilt from: they are not judged there.
///
/// # Errors
/// If topic files do not fit each other, or a thread cannot be started.
pub fn services(
    app: &Application,
    kafka: &ClientConfig,
    registry: Arc<dyn SchemaRegistry>,
    keeps: bool,
) -> Result<Vec<Service>, Error> {
    let mut services = Vec::new();
    if let Some(layout) = clicks::Layout::of(app)? {
        services.push(service(app, "", vec![layout.stage(kafka, registry.clone())?], None)?);
    }
    if let Some(layout) = Layout::of(app)?.filter(|_| keeps) {
        for (topic, stage) in layout.observers() {
            services.push(service(app, &format!(".observe.{topic}"), vec![stage], None)?);
        }
        let deployer = Deployer::start(app, kafka, registry)?;
        services.push(service(app, ".judge", layout.judging(), Some(deployer))?);
    }
    Ok(services)
}

fn service(
    app: &Application,
    part: &str,
    stages: Vec<Stage>,
    deployer: Option<Deployer>,
) -> Result<Service, Error> {
    let dead_letters = app.dead_letters().ok_or_else(|| missing(app, "dead-letters"))?;
    Ok(Service {
        name: "experiments".to_owned(),
        group: format!("{}.experiments{part}", app.name),
        stages,
        dead_letters: dead_letters.kafka.clone(),
        ready: Arc::new(move || match &deployer {
            Some(deployer) if !deployer.is_running() => {
                Err("the thread that carries out decisions has failed; its panic is in the log".to_owned())
            }
            _ => Ok(()),
        }),
    })
}

fn missing(app: &Application, stem: &str) -> Error {
    let message = format!("is missing: add {stem}.toml");
    Error::Problems(vec![Problem::new(&app.folder, None, Some(stem), message)])
}
