//! Embedded mode: the same services over a bus, a store and schema ids inside this process.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use millrace_runtime::admin::Admin;
use millrace_runtime::embedded::{EmbeddedCluster, Flow};
use millrace_runtime::service::Service;
use millrace_runtime::{
    Args, Assignment, Configuration, Delivery, Environment, Readiness, Shutdown, store, telemetry,
};
use millrace_schemas::{Format, InProcessRegistry, SchemaRegistry as _};
use millrace_topics::deployments::Deployments;
use millrace_topics::{Application, KafkaTopic};
use rdkafka::ClientConfig;

use crate::application::{self, kafka_topics, prediction_topics};
use crate::services::{self, Which};

/// An application with its bus, its store and its services, nothing of it outside this process.
pub struct Embedded {
    /// What the services run in.
    pub environment: Environment,
    /// What lies between writers and readers.
    pub flow: Flow,
    /// How clients reach the bus.
    pub client: ClientConfig,
    /// The services, not yet running.
    pub services: Vec<Service>,
    _cluster: EmbeddedCluster,
}

impl Embedded {
    /// Starts the bus, creates the topics, deploys the first models, prepares the services.
    pub fn start(app: &Application, mut configuration: Configuration) -> Result<Self> {
        let cluster = EmbeddedCluster::start()?;
        configuration.kafka_bootstrap = cluster.bootstrap();
        configuration.delivery = Delivery::AtLeastOnce;
        let topics = kafka_topics(app)?;
        cluster.create(&topics)?;
        let client = configuration.kafka_client();
        let flow = Flow::new();
        let environment = Environment {
            registry: Arc::new(registry(&topics)?),
            open_store: store::open("memory:")?,
            assignment: Assignment::Fixed(flow.clone()),
            readiness: Readiness::new(),
            configuration,
        };
        if prediction_topics(app).next().is_some() {
            Deployments::new(&client, environment.registry.clone(), app, false)?.write_first()?;
        }
        let services = services::services(app, &environment, Which::All)?;
        Ok(Self { environment, flow, client, services, _cluster: cluster })
    }
}

/// A registry that knows the schemas of topics.
fn registry(topics: &[KafkaTopic]) -> Result<InProcessRegistry> {
    let registry = InProcessRegistry::default();
    for topic in topics.iter().filter(|topic| topic.format == Format::Avro) {
        if let Some(schema) = &topic.schema {
            registry.register(&format!("{}-value", topic.name), schema.avro())?;
        }
    }
    Ok(registry)
}

/// Runs an application embedded until SIGINT or SIGTERM.
pub fn up(folder: &Path, app: &str, args: &Args) -> Result<()> {
    let app = application::load(folder, app)?;
    let configuration = Configuration::load(args)?;
    telemetry::start_logs(&configuration)?;
    let metrics = telemetry::start_metrics()?;
    let embedded = Embedded::start(&app, configuration)?;
    let shutdown = Shutdown::new();
    shutdown.on_signals()?;
    let environment = &embedded.environment;
    let _admin = Admin::start(environment.configuration.admin, environment.readiness.clone(), metrics)?;
    tracing::warn!(
        bootstrap = environment.configuration.kafka_bootstrap,
        "embedded: bus and store live in this process and are gone with it; delivery is at least once"
    );
    services::run(embedded.services, environment, &shutdown)?;
    Ok(())
}
