//! `millrace up`, `features`, `scorer`, `drift run`, `experiments`: services of an application on real Kafka and a real store.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use millrace_runtime::admin::Admin;
use millrace_runtime::service::Service;
use millrace_runtime::{
    Args, Assignment, Configuration, Environment, Readiness, Report, Shutdown, store, telemetry,
};
use millrace_topics::Application;

use crate::application::{self, prediction_topics, problems_error, views};

/// Which services of an application a process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Every service that the application's topic files ask for.
    All,
    /// Feature views.
    Features,
    /// Predictions.
    Scorer,
    /// Drift.
    Drift,
    /// Click feedback, and experiments.
    Experiments,
}

impl Which {
    fn has(self, other: Which) -> bool {
        self == Which::All || self == other
    }
}

/// Runs services until SIGINT or SIGTERM, or until one fails.
pub fn up(folder: &Path, app: &str, args: &Args, which: Which) -> Result<()> {
    let app = application::load(folder, app)?;
    let configuration = Configuration::load(args)?;
    telemetry::start_logs(&configuration)?;
    let metrics = telemetry::start_metrics()?;
    let environment = Environment {
        registry: application::registry(&configuration)?,
        open_store: store::open(&configuration.redis_url)?,
        assignment: Assignment::Group,
        readiness: Readiness::new(),
        configuration,
    };
    let services = services(&app, &environment, which)?;
    let shutdown = Shutdown::new();
    shutdown.on_signals()?;
    let _admin = Admin::start(environment.configuration.admin, environment.readiness.clone(), metrics)?;
    run(services, &environment, &shutdown)?;
    Ok(())
}

/// The services that `which` asks for.
pub fn services(app: &Application, environment: &Environment, which: Which) -> Result<Vec<Service>> {
    let mut services = Vec::new();
    if which.has(Which::Features) {
        for view in views(app) {
            services.push(millrace_features::service(app, view).map_err(|p| problems_error(&p))?);
        }
    }
    if which.has(Which::Scorer) {
        let client = environment.configuration.kafka_client();
        let grouped = matches!(environment.assignment, Assignment::Group);
        for topic in prediction_topics(app) {
            let registry = environment.registry.clone();
            services.push(millrace_scorer::service(app, topic, &client, registry, grouped)?);
        }
    }
    if which.has(Which::Drift) && app.drift().is_some() {
        let client = environment.configuration.kafka_client();
        let grouped = matches!(environment.assignment, Assignment::Group);
        let registry = environment.registry.clone();
        services.extend(millrace_drift::service::services(app, &client, registry, grouped)?);
    }
    if which.has(Which::Experiments) {
        let client = environment.configuration.kafka_client();
        let (registry, grouped) =
            (environment.registry.clone(), matches!(environment.assignment, Assignment::Group));
        services.extend(millrace_experiments::service::services(app, &client, registry, grouped)?);
    }
    if services.is_empty() {
        bail!(
            "no topic file of {} asks for {}",
            app.name,
            match which {
                Which::All => "a service",
                Which::Features => "features: none has a table [features]",
                Which::Scorer => "predictions: none has a table [predictions]",
                Which::Drift => "drift reports: none has a table [drift]",
                Which::Experiments => "experiments: none has a table [click_feedback] or [experiments]",
            }
        );
    }
    Ok(services)
}

/// Runs services side by side until `shutdown` is requested; the first failure stops them all.
pub fn run(services: Vec<Service>, environment: &Environment, shutdown: &Shutdown) -> Result<Report> {
    let threads = services
        .into_iter()
        .map(|service| {
            let (environment, shutdown) = (environment.clone(), shutdown.clone());
            let name = service.name.clone();
            let run = move || {
                let result = millrace_runtime::run(service, environment, shutdown.clone());
                shutdown.request();
                result
            };
            Ok((name.clone(), std::thread::Builder::new().name(name).spawn(run)?))
        })
        .collect::<Result<Vec<_>>>()?;
    let mut report = Report::default();
    let mut failure = None;
    for (name, thread) in threads {
        match thread.join() {
            Ok(Ok(one)) => report.add(one),
            Ok(Err(error)) => drop(failure.get_or_insert(anyhow::Error::new(error).context(name))),
            Err(_) => drop(failure.get_or_insert(anyhow::anyhow!("{name} panicked"))),
        }
    }
    failure.map_or(Ok(report), Err).context("stopped")
}
