//! The service as the shell runs it.

use std::sync::Arc;

use millrace_runtime::service::{Service, Stage};
use millrace_runtime::wall::Running;
use millrace_schemas::SchemaRegistry;
use millrace_topics::{Application, Problem};
use rdkafka::ClientConfig;

use super::deployer::Deployer;
use super::layout::{JUDGING, Layout, observing};
use super::silence::Waited;
use super::silence_clock::SilenceClock;
use super::tasks::Tasks;
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
            services.push(service(app, &observing(&topic), vec![stage], None)?);
        }
        let tasks = Tasks::default();
        let clock = clock(app, &layout, kafka, registry.clone(), tasks.clone()).start()?;
        let deployer = Deployer::start(app, kafka, registry)?;
        services.push(service(app, JUDGING, layout.judging(&tasks), Some((deployer, clock)))?);
    }
    Ok(services)
}

/// What writes for silent partitions.
fn clock(
    app: &Application,
    layout: &Layout<'_>,
    kafka: &ClientConfig,
    registry: Arc<dyn SchemaRegistry>,
    tasks: Tasks<Waited>,
) -> SilenceClock {
    let tellers = layout.tellers().into_iter();
    let read = tellers.map(|(of, (topic, part))| (of, (group(app, &part), topic.name.clone()))).collect();
    let (kafka, journal) = (kafka.clone(), layout.journal().clone());
    SilenceClock { kafka, registry, read, journal, max_wait_ms: layout.max_wait_ms(), tasks }
}

fn group(app: &Application, part: &str) -> String {
    format!("{}.experiments{part}", app.name)
}

fn service(
    app: &Application,
    part: &str,
    stages: Vec<Stage>,
    threads: Option<(Deployer, Running)>,
) -> Result<Service, Error> {
    let dead_letters = app.dead_letters().ok_or_else(|| missing(app, "dead-letters"))?;
    Ok(Service {
        name: "experiments".to_owned(),
        group: group(app, part),
        stages,
        dead_letters: dead_letters.kafka.clone(),
        ready: Arc::new(move || match &threads {
            Some((deployer, _)) if !deployer.is_running() => {
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
