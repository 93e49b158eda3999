//! An application of another field, only a folder of topic files: clicks in JSON, one window, no model.

use std::sync::Arc;
use std::time::Duration;

use millrace_schemas::TopicSchema;
use millrace_tests::application::Application;
use millrace_tests::foreign::{Producer, Topic};
use millrace_tests::millrace::Millrace;
use millrace_tests::reader;
use millrace_tests::stack::Stack;
use serde_json::{Value, json};

const CLICK: &str = r#"{"type": "record", "name": "Click", "namespace": "shop", "fields": [
    {"name": "click_id", "type": "string"},
    {"name": "clicked_at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    {"name": "visitor", "type": "string"},
    {"name": "price", "type": ["null", "double"], "default": null}]}"#;

const CLICKS: &str = r#"
title = "Clicks on products"
schema = "click.avsc"
format = "json"
key = "visitor"
time = "clicked_at"
id = "click_id"
partitions = 2
retention = "30 days"
"#;

const INTEREST: &str = r#"
title = "How a visitor clicked in the last ten minutes"
format = "json"
key = "visitor"
time = "clicked_at"
id = "click_id"
partitions = 2
retention = "30 days"

[features]
start = "earliest"
lateness = "1 min"
"#;

const INTEREST_SQL: &str = "
SELECT click_id, clicked_at, visitor,
       COUNT(*)   OVER recent AS clicks_10m,
       MAX(price) OVER recent AS dearest_10m
FROM clicks
WINDOW recent AS (PARTITION BY visitor ORDER BY clicked_at
                  RANGE BETWEEN INTERVAL '10' MINUTE PRECEDING AND CURRENT ROW)
";

const MINUTE_MS: i64 = 60_000;

fn shop() -> Application {
    let app = Application::empty("shop").unwrap();
    app.write("click.avsc", CLICK).unwrap();
    app.write("clicks.toml", CLICKS).unwrap();
    app.write("interest.toml", INTEREST).unwrap();
    app.write("interest.sql", INTEREST_SQL).unwrap();
    app
}

fn click(id: &str, minute: i64, visitor: &str, price: Value) -> Value {
    json!({"topic": "clicks", "click_id": id, "clicked_at": minute * MINUTE_MS, "visitor": visitor, "price": price})
}

#[test]
fn an_application_that_is_only_a_folder_of_topic_files_runs_without_a_change_of_code() {
    let (stack, app) = (Stack::shared().unwrap(), shop());
    let millrace = Millrace::new(stack, &app);
    Millrace::offline(&app).succeed(&["check", "{app}"], Duration::from_secs(30)).unwrap();
    millrace.succeed(&["topics", "apply", "{app}"], Duration::from_secs(60)).unwrap();
    let features = millrace.start(&["features", "{app}", "--workers", "1"]).unwrap();

    let producer = Producer::new(stack, app.name(), vec![Topic::json("clicks", "visitor", "clicked_at")]);
    let lines = [
        click("1", 100, "ann", json!(5.0)),
        click("2", 104, "bob", json!(null)),
        click("3", 105, "ann", json!(7.5)),
        json!({"topic": "clicks", "row": {"click_id": "bad", "clicked_at": "noon", "visitor": "ann"}}),
        click("4", 110, "ann", json!(1.0)),
        click("5", 111, "ann", json!(2.0)),
    ];
    assert_eq!(producer.publish_lines(&lines).unwrap(), lines.len());

    let bound = Duration::from_secs(60);
    let mut rows: Vec<Value> = reader::wait_for(stack, &app.topic("interest"), 5, bound)
        .unwrap()
        .iter()
        .map(|record| serde_json::from_slice(record.payload.as_deref().unwrap()).unwrap())
        .collect();
    rows.sort_by_key(|row| row["click_id"].as_str().unwrap().to_string());
    let row = |id: &str, minute: i64, visitor: &str, clicks: i64, dearest: Value| json!({"click_id": id, "clicked_at": minute * MINUTE_MS, "visitor": visitor, "clicks_10m": clicks, "dearest_10m": dearest});
    let expected = [
        row("1", 100, "ann", 1, json!(5.0)),
        row("2", 104, "bob", 1, json!(null)),
        row("3", 105, "ann", 2, json!(7.5)),
        row("4", 110, "ann", 3, json!(7.5)),
        row("5", 111, "ann", 3, json!(7.5)),
    ];
    assert_eq!(rows, expected);

    let letters_topic = app.topic("dead-letters");
    let letters = reader::wait_for(stack, &letters_topic, 1, bound).unwrap();
    let letters = reader::decode(stack, &letters_topic, &letters).unwrap();
    assert_eq!(millrace_tests::rows::ids(&letters, "reason").unwrap(), ["wrong_type"]);

    features.stop().unwrap();
    let hashes = stack.redis.hashes(&format!("millrace:{}:interest:visitor:", app.name())).unwrap();
    assert_eq!(hashes.len(), 2);
    let ann = &hashes[&format!("millrace:{}:interest:visitor:ann", app.name())];
    assert_eq!((ann["clicks_10m"].as_str(), ann["dearest_10m"].as_str()), ("3", "7.5"));
    assert_eq!(ann["_time"], (111 * MINUTE_MS).to_string());
    let bob = &hashes[&format!("millrace:{}:interest:visitor:bob", app.name())];
    assert_eq!((bob["clicks_10m"].as_str(), bob["dearest_10m"].as_str()), ("1", ""));
}

#[test]
fn a_broken_application_is_refused_with_every_problem_named_by_file_and_key() {
    let app = shop();
    app.replace("clicks.toml", "key = \"visitor\"", "key = \"vistor\"").unwrap();
    app.replace("interest.toml", "lateness = ", "latenes = ").unwrap();
    app.replace("interest.sql", "MAX(price)", "MEDIAN(price)").unwrap();
    let finished = Millrace::offline(&app).run(&["check", "{app}"], Duration::from_secs(30)).unwrap();
    assert_eq!(finished.status.code(), Some(1), "{}", finished.output);
    for part in ["clicks.toml", "vistor", "interest.toml", "latenes"] {
        assert!(finished.output.contains(part), "no {part} in:\n{}", finished.output);
    }
}

#[test]
fn the_schema_of_the_second_application_is_one_that_the_readers_of_tests_understand() {
    let schema = Arc::new(TopicSchema::parse(CLICK).unwrap());
    let payload = br#"{"click_id": "1", "clicked_at": 5, "visitor": "ann", "price": null}"#.to_vec();
    let record = reader::Record {
        partition: 0,
        offset: 0,
        key: None,
        headers: Default::default(),
        payload: Some(payload),
    };
    let rows = reader::decode_json(schema, "clicks", &[record]).unwrap();
    assert_eq!(millrace_tests::rows::ids(&rows, "visitor").unwrap(), ["ann"]);
}
