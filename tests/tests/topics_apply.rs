//! `topics apply` and `diff` as a library, against a real broker.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use millrace_schemas::{Format, InProcessRegistry, SchemaRegistry, TopicSchema};
use millrace_tests::application::Application;
use millrace_tests::stack::Stack;
use millrace_topics::cluster::{Change, Target, apply, diff, settings};
use millrace_topics::{KafkaTopic, Partitioner};

const SCHEMA: &str = r#"{"type":"record","name":"C","fields":[{"name":"id","type":"string"}]}"#;

fn topic(app: &Application, stem: &str) -> KafkaTopic {
    KafkaTopic {
        name: app.topic(stem),
        format: Format::Avro,
        schema: Some(Arc::new(TopicSchema::parse(SCHEMA).unwrap())),
        key: None,
        partitioner: Partitioner::Murmur2,
        partitions: 2,
        retention_ms: Some(86_400_000),
        settings: BTreeMap::new(),
    }
}

fn shown(changes: &[Change]) -> Vec<String> {
    changes.iter().map(ToString::to_string).collect()
}

#[test]
fn what_is_applied_is_no_longer_a_difference_and_an_operators_settings_survive() {
    let (kafka, registry) = (&Stack::shared().unwrap().kafka, InProcessRegistry::default());
    let app = Application::empty("apply").unwrap();
    let client = kafka.client_config();
    let target = Target { client: &client, registry: &registry, replication: None };
    let (rows, mut other) = (topic(&app, "rows"), topic(&app, "other"));
    other.settings.insert("cleanup.policy".into(), "delete".into());
    let topics = |rows: &KafkaTopic, other: &KafkaTopic| [rows.clone(), other.clone()];
    let in_force = |name: &str| {
        let all = settings(&client, &[&rows.name], Duration::from_secs(30)).unwrap();
        all[&app.topic("rows")][name].clone()
    };

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

    kafka.configure(&rows.name, &[("retention.ms", "86400000"), ("segment.bytes", "2000000")]).unwrap();
    let mut grown = rows.clone();
    (grown.retention_ms, grown.partitions) = (Some(172_800_000), 3);
    assert_eq!(
        shown(&apply(target, &topics(&grown, &other)).unwrap()),
        [format!("~ {}  partitions 2 -> 3", rows.name), format!("~ {}  retention.ms 1d -> 2d", rows.name)]
    );
    assert_eq!(in_force("segment.bytes"), "2000000");
    assert_eq!(in_force("retention.ms"), "172800000");
    assert_eq!(kafka.topics(&rows.name).unwrap()[&rows.name], 3);

    // One refusal, and nothing is changed.
    (other.key, other.partitions, grown.retention_ms) = (Some("id".into()), 9, None);
    let refused = apply(target, &topics(&grown, &other)).unwrap_err().to_string();
    assert!(refused.contains("partitions 2 -> 9 refused"), "{refused}");
    assert_eq!(in_force("retention.ms"), "172800000");
}
