//! Topics of a real cluster made equal to what an application says, and its schemas registered.

mod admin;
mod change;
mod plan;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use millrace_schemas::{Format, RegistryError, SchemaRegistry};
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;

use crate::KafkaTopic;
use admin::Admin;
pub use change::Change;
use plan::Existing;

/// How long the cluster may take for one request, and to show what was created.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Why a cluster could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Kafka did not do what was asked.
    #[error("Kafka cannot {what}: {source}")]
    Kafka {
        /// The request and its topic.
        what: String,
        /// What the client says.
        source: KafkaError,
    },
    /// The registry did not do what was asked.
    #[error("schema of `{subject}`: {source}")]
    Registry {
        /// The subject: `<topic>-value`.
        subject: String,
        /// What the client says.
        source: RegistryError,
    },
    /// Some changes would break what runs; nothing was changed.
    #[error("nothing was changed, since this cannot be:\n{}", lines(.0))]
    Refused(Vec<Change>),
}

/// What is to be applied, and where.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    /// How to reach the cluster: `bootstrap.servers`, and security options if any.
    pub client: &'a ClientConfig,
    /// Where schemas are registered.
    pub registry: &'a dyn SchemaRegistry,
    /// On how many brokers a new topic's records are kept; `None`: the brokers' default.
    pub replication: Option<u16>,
}

/// Every setting in force of topics, defaults included, by topic and name; `bound`: how long the cluster may take.
pub fn settings(
    client: &ClientConfig,
    topics: &[&str],
    bound: Duration,
) -> Result<HashMap<String, BTreeMap<String, String>>, Error> {
    Admin::within(client, bound)?.settings(topics)
}

/// What `apply` would change, refusals among it; empty: all is as the application says.
pub fn diff(target: Target<'_>, topics: &[KafkaTopic]) -> Result<Vec<Change>, Error> {
    let admin = Admin::new(target.client)?;
    changes(&admin, target.registry, topics)
}

/// Creates missing topics, grows partitions where no keyed state hangs on them, alters settings and registers
/// schemas; what it did, empty if nothing was to be done. If any change is refused, nothing is changed at all.
pub fn apply(target: Target<'_>, topics: &[KafkaTopic]) -> Result<Vec<Change>, Error> {
    let admin = Admin::new(target.client)?;
    let changes = changes(&admin, target.registry, topics)?;
    let (refused, changes): (Vec<_>, Vec<_>) =
        changes.into_iter().partition(|change| matches!(change, Change::Refuse { .. }));
    if !refused.is_empty() {
        return Err(Error::Refused(refused));
    }
    let replication = target.replication.map_or(-1, i32::from);
    for change in &changes {
        match change {
            Change::Create { topic, partitions, settings } => {
                admin.create(topic, *partitions, replication, settings)?;
            }
            Change::Grow { topic, to, .. } => admin.grow(topic, *to)?,
            Change::Alter { topic, settings } => admin.alter(topic, settings)?,
            Change::Register { subject, avro, .. } => {
                target.registry.register(subject, avro).map_err(registry_error(subject))?;
            }
            Change::Refuse { .. } => {}
        }
    }
    admin.wait_until_ready(topics)?;
    Ok(changes)
}

fn changes(
    admin: &Admin,
    registry: &dyn SchemaRegistry,
    topics: &[KafkaTopic],
) -> Result<Vec<Change>, Error> {
    let partitions = admin.partitions()?;
    let present: Vec<&str> = topics
        .iter()
        .map(|topic| topic.name.as_str())
        .filter(|name| partitions.contains_key(*name))
        .collect();
    let mut settings = admin.settings(&present)?;
    let mut changes = Vec::new();
    for topic in topics {
        let existing = partitions.get(&topic.name).map(|partitions| Existing {
            partitions: *partitions,
            settings: settings.remove(&topic.name).unwrap_or_default(),
        });
        changes.extend(plan::topic_changes(topic, existing.as_ref()));
    }
    for topic in topics.iter().filter(|topic| topic.format == Format::Avro) {
        let Some(schema) = &topic.schema else { continue };
        let subject = format!("{}-value", topic.name);
        let latest = registry.latest(&subject).map_err(registry_error(&subject))?;
        changes.extend(plan::schema_change(
            &subject,
            schema.avro(),
            latest.as_ref().map(|(_, avro)| avro.as_str()),
        ));
    }
    Ok(changes)
}

fn registry_error(subject: &str) -> impl FnOnce(RegistryError) -> Error {
    let subject = subject.to_owned();
    move |source| Error::Registry { subject, source }
}

fn lines(changes: &[Change]) -> String {
    changes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
