//! What has to change, from what is and what is wanted; no client, no network.

use std::collections::BTreeMap;

use millrace_schemas::compatibility;

use crate::KafkaTopic;
use crate::cluster::Change;

/// A topic as the cluster has it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Existing {
    pub partitions: u32,
    /// Every setting in force, defaults of the broker included.
    pub settings: BTreeMap<String, String>,
}

/// The changes that make a topic what is wanted; `existing`: what the cluster has, if it has the topic.
pub(crate) fn topic_changes(wanted: &KafkaTopic, existing: Option<&Existing>) -> Vec<Change> {
    let topic = || wanted.name.clone();
    let settings = settings(wanted);
    let Some(existing) = existing else {
        return vec![Change::Create { topic: topic(), partitions: wanted.partitions, settings }];
    };
    let (from, to) = (existing.partitions, wanted.partitions);
    let partitions = match from.cmp(&to) {
        std::cmp::Ordering::Equal => None,
        std::cmp::Ordering::Less if wanted.key.is_none() => Some(Change::Grow { topic: topic(), from, to }),
        _ => Some(Change::Refuse { what: topic(), why: refusal(wanted, from) }),
    };
    let changed: BTreeMap<_, _> = settings
        .into_iter()
        .map(|(name, to)| (existing.settings.get(&name).cloned(), name, to))
        .filter(|(from, _, to)| from.as_ref() != Some(to))
        .map(|(from, name, to)| (name, (from, to)))
        .collect();
    let altered = (!changed.is_empty()).then(|| Change::Alter { topic: topic(), settings: changed });
    partitions.into_iter().chain(altered).collect()
}

/// The registration of a schema, or why it is refused; `latest` is the newest schema of the subject.
pub(crate) fn schema_change(subject: &str, avro: &str, latest: Option<&str>) -> Option<Change> {
    let register =
        |replaces| Change::Register { subject: subject.to_owned(), avro: avro.to_owned(), replaces };
    let Some(latest) = latest else { return Some(register(false)) };
    if same_json(avro, latest) {
        return None;
    }
    Some(match compatibility::check(avro, latest) {
        Ok(()) => register(true),
        Err(error) => Change::Refuse {
            what: format!("schema {subject}"),
            why: format!(
                "the new schema cannot read what was written with the registered one: {error}; \
                 give new fields a default, keep the types of the others, or write to a new topic"
            ),
        },
    })
}

fn settings(topic: &KafkaTopic) -> BTreeMap<String, String> {
    let retention = topic.retention_ms.unwrap_or(-1).to_string();
    let mut settings = topic.settings.clone();
    settings.entry("retention.ms".to_owned()).or_insert(retention);
    settings
}

fn refusal(wanted: &KafkaTopic, from: u32) -> String {
    let to = wanted.partitions;
    let change = format!("partitions {from} -> {to} refused: ");
    let migrate = format!(
        "To migrate: put `partitions = {from}` back, add a topic file of another name with partitions = {to}, let its \
         writers move there, copy what the windows still need in order, and point the view's SQL at it"
    );
    match (&wanted.key, from < to) {
        (Some(key), true) => format!(
            "{change}rows are keyed by `{key}`, so new partitions would move keys away from the windows and the order \
             that hang on the old ones. {migrate}"
        ),
        _ => format!("{change}Kafka cannot take partitions away. {migrate}"),
    }
}

fn same_json(a: &str, b: &str) -> bool {
    let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text);
    matches!((parse(a), parse(b)), (Ok(a), Ok(b)) if a == b)
}
