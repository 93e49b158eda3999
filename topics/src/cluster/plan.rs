//! What has to change, from what is and what is wanted; no client, no network.

use std::collections::BTreeMap;

use millrace_schemas::compatibility::{self, Incompatibility};

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
    let why = match compatibility::backward(latest, avro) {
        Ok(found) if found.is_empty() => return Some(register(true)),
        Ok(found) => found.into_iter().map(describe).collect::<Vec<_>>().join("; "),
        Err(error) => error.to_string(),
    };
    let why = format!("refused, since the registered schema wrote what it cannot read: {why}");
    Some(Change::Refuse { what: format!("schema {subject}"), why })
}

fn describe(found: Incompatibility) -> String {
    let field = found.field.map(|field| format!("field `{field}`: ")).unwrap_or_default();
    format!("{field}{}", found.message)
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

#[cfg(test)]
mod tests {
    use super::*;
    use millrace_schemas::Format;

    use crate::Partitioner;

    fn topic(partitions: u32, key: Option<&str>) -> KafkaTopic {
        KafkaTopic {
            name: "web.clicks".into(),
            format: Format::Avro,
            schema: None,
            key: key.map(str::to_owned),
            partitioner: Partitioner::Murmur2,
            partitions,
            retention_ms: Some(604_800_000),
            settings: BTreeMap::new(),
        }
    }

    fn existing(partitions: u32, settings: &[(&str, &str)]) -> Existing {
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Existing { partitions, settings: settings.collect() }
    }

    fn printed(wanted: &KafkaTopic, existing: Option<&Existing>) -> String {
        let changes = topic_changes(wanted, existing);
        changes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_missing_topic_is_created_with_its_settings() {
        let mut wanted = topic(4, Some("user"));
        assert_eq!(printed(&wanted, None), "+ web.clicks  4 partitions, retention.ms 7d");
        wanted.retention_ms = None;
        wanted.settings.insert("cleanup.policy".into(), "delete".into());
        assert_eq!(
            printed(&wanted, None),
            "+ web.clicks  4 partitions, cleanup.policy delete, retention.ms forever"
        );
    }

    #[test]
    fn an_equal_topic_is_left_alone_whatever_else_it_has() {
        let as_wanted = existing(4, &[("retention.ms", "604800000"), ("segment.ms", "1")]);
        assert_eq!(topic_changes(&topic(4, Some("user")), Some(&as_wanted)), []);
    }

    #[test]
    fn a_changed_setting_is_shown_with_the_old_and_the_new_value() {
        let daily = existing(4, &[("retention.ms", "86400000")]);
        assert_eq!(printed(&topic(4, None), Some(&daily)), "~ web.clicks  retention.ms 1d -> 7d");
    }

    #[test]
    fn partitions_grow_only_where_no_key_hangs_on_them_and_never_shrink() {
        let four = existing(4, &[("retention.ms", "604800000")]);
        assert_eq!(printed(&topic(6, None), Some(&four)), "~ web.clicks  partitions 4 -> 6");
        let keyed = printed(&topic(6, Some("user")), Some(&four));
        assert!(
            keyed.starts_with("! web.clicks  partitions 4 -> 6 refused: rows are keyed by `user`"),
            "{keyed}"
        );
        assert!(keyed.contains("put `partitions = 4` back"), "{keyed}");
        let fewer = printed(&topic(3, None), Some(&four));
        assert!(fewer.starts_with("! web.clicks  partitions 4 -> 3 refused: Kafka cannot take"), "{fewer}");
    }

    #[test]
    fn a_schema_is_registered_once_and_only_if_it_reads_the_last() {
        let old = r#"{"type":"record","name":"C","fields":[{"name":"id","type":"string"}]}"#;
        let spaced = old.replace(':', " : ");
        let with = |default: &str| {
            format!(
                r#"{{"type":"record","name":"C","fields":[{{"name":"id","type":"string"}},{{"name":"place","type":"string"{default}}}]}}"#
            )
        };
        let change = |avro: &str, latest| {
            schema_change("web.clicks-value", avro, latest).map(|change| change.to_string())
        };
        assert_eq!(change(old, None).as_deref(), Some("+ schema web.clicks-value"));
        assert_eq!(change(old, Some(&spaced)), None);
        assert_eq!(
            change(&with(r#","default":"""#), Some(old)).as_deref(),
            Some("~ schema web.clicks-value  new version")
        );
        let refused = change(&with(""), Some(old)).unwrap();
        assert!(refused.starts_with("! schema web.clicks-value  refused, since"), "{refused}");
        assert!(refused.contains("place"), "{refused}");
    }
}
