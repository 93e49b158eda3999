//! A real Apache Kafka: one node, KRaft.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::util::Timeout;
use tempfile::TempDir;

use crate::process::Process;
use crate::stack::free_port;
use crate::{cache, reaper};

const VERSION: &str = "4.3.1";
const READY_WITHIN: Duration = Duration::from_secs(60);

/// A broker. Its drop stops it and removes its data.
pub struct Kafka {
    bootstrap: String,
    // In this order: the process is stopped before its folder goes.
    _server: Option<Process>,
    _folder: Option<TempDir>,
}

impl Kafka {
    /// The broker that `KAFKA_BOOTSTRAP` names, or a new one.
    pub fn start() -> Result<Self> {
        match std::env::var("KAFKA_BOOTSTRAP") {
            Ok(bootstrap) => Ok(Self { bootstrap, _server: None, _folder: None }),
            Err(_) => Self::start_own(),
        }
    }

    fn start_own() -> Result<Self> {
        let jars = cache::path(&format!("kafka/{VERSION}"))?;
        let folder = reaper::temporary_folder()?;
        let (port, controller_port) = (free_port()?, free_port()?);
        let properties = folder.path().join("server.properties");
        std::fs::write(&properties, server_properties(folder.path(), port, controller_port))?;

        let format = java(&jars, "kafka.tools.StorageTool")
            .args(["format", "-t", "bWlsbHJhY2UtdGVzdHMtMQ", "-c"])
            .arg(&properties)
            .output()
            .context("java does not start: run `make setup-test`")?;
        ensure!(
            format.status.success(),
            "Kafka's storage tool failed:\n{}{}",
            String::from_utf8_lossy(&format.stdout),
            String::from_utf8_lossy(&format.stderr)
        );
        let mut server =
            Process::spawn("Kafka", java(&jars, "kafka.Kafka").arg(&properties).current_dir(folder.path()))?;

        let bootstrap = format!("127.0.0.1:{port}");
        let client: BaseConsumer = client_config(&bootstrap).create()?;
        server.until("answering for its metadata", READY_WITHIN, |_| {
            let brokers = client.fetch_metadata(None, Duration::from_secs(1)).map(|m| m.brokers().len());
            Ok(brokers.is_ok_and(|n| n > 0).then_some(()))
        })?;
        Ok(Self { bootstrap, _server: Some(server), _folder: Some(folder) })
    }

    /// What goes into `KAFKA_BOOTSTRAP`.
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// A client's configuration with nothing but the address, and quiet about connections.
    pub fn client_config(&self) -> ClientConfig {
        client_config(&self.bootstrap)
    }

    /// Creates a topic that must not be there yet.
    pub fn create_topic(&self, name: &str, partitions: i32) -> Result<()> {
        let admin: AdminClient<DefaultClientContext> = self.client_config().create()?;
        let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
        let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(30)));
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        for outcome in runtime.block_on(admin.create_topics([&topic], &options))? {
            outcome.map_err(|(topic, code)| anyhow::anyhow!("creating {topic}: {code}"))?;
        }
        Ok(())
    }

    /// Gives a topic these settings of its own, as an operator would, and no others.
    pub fn configure(&self, topic: &str, settings: &[(&str, &str)]) -> Result<()> {
        let admin: AdminClient<DefaultClientContext> = self.client_config().create()?;
        let entries = settings.iter().copied().collect();
        let change = AlterConfig { specifier: ResourceSpecifier::Topic(topic), entries };
        let options = AdminOptions::new().request_timeout(Some(Duration::from_secs(30)));
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        for outcome in runtime.block_on(admin.alter_configs([&change], &options))? {
            outcome.map_err(|(_, code)| anyhow::anyhow!("configuring {topic}: {code}"))?;
        }
        Ok(())
    }

    /// The topics whose names begin with `prefix`, with their numbers of partitions.
    pub fn topics(&self, prefix: &str) -> Result<HashMap<String, usize>> {
        let client: BaseConsumer = self.client_config().create()?;
        let metadata = client.fetch_metadata(None, Timeout::After(Duration::from_secs(30)))?;
        let named = metadata.topics().iter().filter(|topic| topic.name().starts_with(prefix));
        Ok(named.map(|topic| (topic.name().to_string(), topic.partitions().len())).collect())
    }
}

fn client_config(bootstrap: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap).set("log.connection.close", "false").set("log_level", "2");
    config
}

fn java(jars: &Path, class: &str) -> Command {
    let mut command = Command::new("java");
    command.args(["-Xmx512m", "-XX:+UseSerialGC", "-cp"]).arg(jars.join("*")).arg(class);
    command
}

/// Internal topics with few partitions, since each is a folder to make at the start.
fn server_properties(folder: &Path, port: u16, controller_port: u16) -> String {
    format!(
        "process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={}
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
",
        folder.join("data").display()
    )
}
