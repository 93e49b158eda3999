//! Against a real Kafka, whose address `KAFKA_BOOTSTRAP` names: `cargo test -p millrace-topics -- --ignored`.

use std::collections::BTreeMap;
use std::sync::Arc;

use millrace_schemas::{InProcessRegistry, TopicSchema};

use super::*;
use crate::Partitioner;

const SCHEMA: &str = r#"{"type":"record","name":"C","fields":[{"name":"id","type":"string"}]}"#;

/// A topic whose name no earlier run used.
fn topic(stem: &str) -> KafkaTopic {
    let folder = tempfile::tempdir().unwrap();
    let unique = folder.path().file_name().unwrap().to_string_lossy().replace('.', "");
    KafkaTopic {
        name: format!("{unique}.{stem}"),
        format: Format::Avro,
        schema: Some(Arc::new(TopicSchema::parse(SCHEMA).unwrap())),
        key: None,
        partitioner: Partitioner::Murmur2,
        partitions: 2,
        retention_ms: Some(86_400_000),
        settings: BTreeMap::new(),
    }
}

fn client() -> ClientConfig {
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", std::env::var("KAFKA_BOOTSTRAP").expect("KAFKA_BOOTSTRAP names a Kafka"));
    client
}

fn shown(changes: &[Change]) -> Vec<String> {
    changes.iter().map(ToString::to_string).collect()
}

#[test]
#[ignore = "needs KAFKA_BOOTSTRAP"]
fn what_is_applied_is_no_longer_a_difference_and_an_operators_settings_survive() {
    let (client, registry) = (client(), InProcessRegistry::default());
    let target = Target { client: &client, registry: &registry, replication: None };
    let (mut rows, mut other) = (topic("rows"), topic("other"));
    other.settings.insert("cleanup.policy".into(), "delete".into());
    let topics = |rows: &KafkaTopic, other: &KafkaTopic| [rows.clone(), other.clone()];

    let wanted = diff(target, &topics(&rows, &other)).unwrap();
    assert_eq!(
        shown(&wanted),
        [
            format!("+ {}  2 partitions, retention.ms 1d", rows.name),
            format!("+ {}  2 partitions, cleanup.policy delete, retention.ms 1d", other.name),
            format!("+ schema {}-value", rows.name),
            format!("+ schema {}-value", other.name),
        ]
    );
    assert_eq!(apply(target, &topics(&rows, &other)).unwrap(), wanted);
    assert_eq!(apply(target, &topics(&rows, &other)).unwrap(), []);
    assert!(registry.latest(&format!("{}-value", rows.name)).unwrap().is_some());

    // An operator's own setting, made on the side.
    let admin = Admin::new(&client).unwrap();
    admin.alter(&rows.name, &[("segment.bytes".into(), (None, "2000000".into()))].into()).unwrap();
    rows.retention_ms = Some(172_800_000);
    rows.partitions = 3;
    assert_eq!(
        shown(&apply(target, &topics(&rows, &other)).unwrap()),
        [format!("~ {}  partitions 2 -> 3", rows.name), format!("~ {}  retention.ms 1d -> 2d", rows.name)]
    );
    let settings = admin.settings(&[&rows.name]).unwrap();
    assert_eq!(settings[&rows.name]["segment.bytes"], "2000000");
    assert_eq!(settings[&rows.name]["retention.ms"], "172800000");
    assert_eq!(admin.partitions().unwrap()[&rows.name], 3);

    // One refusal, and nothing is changed.
    other.key = Some("id".into());
    other.partitions = 9;
    rows.retention_ms = None;
    let refused = apply(target, &topics(&rows, &other)).unwrap_err().to_string();
    assert!(refused.contains("partitions 2 -> 9 refused"), "{refused}");
    assert_eq!(admin.settings(&[&rows.name]).unwrap()[&rows.name]["retention.ms"], "172800000");
}
