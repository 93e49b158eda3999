//! A record that is too large for its topic is refused by the broker with all that was sent beside it; only it is lost.

use std::time::Duration;

use millrace_experiments::random::Random;
use millrace_tests::application::Application;
use millrace_tests::foreign::{Producer, Topic};
use millrace_tests::millrace::Millrace;
use millrace_tests::reader;
use millrace_tests::rows::ids;
use millrace_tests::stack::Stack;
use serde_json::{Value, json};

const NOTE: &str = r#"{"type": "record", "name": "Note", "namespace": "desk", "fields": [
    {"name": "note_id", "type": "string"},
    {"name": "written_at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    {"name": "author", "type": "string"},
    {"name": "text", "type": "string"}]}"#;

const COMMON: &str = r#"
title = "Notes, or how their authors write"
format = "json"
key = "author"
time = "written_at"
id = "note_id"
partitions = 2
retention = "30 days"
"#;

const HABITS_SQL: &str = "
SELECT note_id, written_at, author, text, COUNT(*) OVER hour AS notes_1h
FROM notes
WINDOW hour AS (PARTITION BY author ORDER BY written_at
                RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW)
";

const NOTES: usize = 3_000;
const LARGE: [usize; 2] = [0, 1_500];
const SET_BYTES: &str = "20000";
const WITHIN: Duration = Duration::from_secs(180);

/// Text that compression makes no smaller, since sets are weighed compressed.
fn noise(characters: usize) -> String {
    let mut random = Random::of(42);
    let next = |_| char::from(0x21 + random.below(0x5d) as u8);
    (0..characters).map(next).map(|c| if "\"\\".contains(c) { '~' } else { c }).collect()
}

fn note(number: usize) -> Value {
    let text = if LARGE.contains(&number) { noise(30_000) } else { format!("note {number}") };
    json!({"topic": "notes", "note_id": number.to_string(), "written_at": number, "text": text,
        "author": format!("author {}", number % 53)})
}

/// The rows of `habits` by topic order, and the reasons of dead letters.
fn run(delivery: &str) -> (Vec<Value>, Vec<String>) {
    let (stack, app) = (Stack::shared().unwrap(), Application::empty("desk").unwrap());
    app.write("note.avsc", NOTE).unwrap();
    app.write("notes.toml", &format!("schema = \"note.avsc\"\n{COMMON}")).unwrap();
    app.write("habits.toml", &format!("{COMMON}[features]\nstart = \"earliest\"\n")).unwrap();
    app.write("habits.sql", HABITS_SQL).unwrap();
    let millrace = Millrace::new(stack, &app).env("MILLRACE_DELIVERY", delivery);
    millrace.succeed(&["topics", "apply", "{app}"], WITHIN).unwrap();
    stack.kafka.configure(&app.topic("habits"), &[("max.message.bytes", SET_BYTES)]).unwrap();

    // All is there before the service starts: it sends as much at once as it can.
    let producer = Producer::new(stack, app.name(), vec![Topic::json("notes", "author", "written_at")]);
    let notes: Vec<Value> = (0..NOTES).map(note).collect();
    assert_eq!(producer.publish_lines(&notes).unwrap(), NOTES);
    let features = millrace.start(&["features", "{app}", "--workers", "1"]).unwrap();
    let (habits, letters) = (app.topic("habits"), app.topic("dead-letters"));
    reader::wait_for(stack, &habits, NOTES - LARGE.len(), WITHIN).unwrap();
    reader::wait_for(stack, &letters, LARGE.len(), WITHIN).unwrap();
    features.stop().unwrap();

    let rows = reader::read_all(stack, &habits).unwrap();
    let rows = rows.iter().map(|record| serde_json::from_slice(record.payload.as_deref().unwrap()).unwrap());
    let letters = reader::decode(stack, &letters, &reader::read_all(stack, &letters).unwrap()).unwrap();
    (rows.collect(), ids(&letters, "reason").unwrap())
}

fn check(delivery: &str) {
    let (rows, reasons) = run(delivery);
    assert_eq!(reasons, ["output_too_large"; LARGE.len()]);
    let number = |row: &Value| -> usize { row["note_id"].as_str().unwrap().parse().unwrap() };
    let mut numbers: Vec<usize> = rows.iter().map(number).collect();
    for author in 0..53 {
        let own: Vec<usize> = numbers.iter().copied().filter(|number| number % 53 == author).collect();
        assert!(own.is_sorted(), "the notes of author {author} lie as {own:?}");
    }
    numbers.sort_unstable();
    let good: Vec<usize> = (0..NOTES).filter(|number| !LARGE.contains(number)).collect();
    assert_eq!(numbers, good);
}

#[test]
fn exactly_once_a_row_whose_output_the_broker_refuses_is_rejected_and_the_others_keep_their_order() {
    check("exactly-once");
}

#[test]
fn at_least_once_a_row_whose_output_the_broker_refuses_is_rejected_and_the_others_keep_their_order() {
    check("at-least-once");
}
