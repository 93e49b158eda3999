//! Malformed input of every kind lands in the dead letters with its reason and its bytes, and costs no good record.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use arrow::array::AsArray;
use arrow::datatypes::{Int32Type, Int64Type};
use millrace_schemas::{ConfluentRegistry, SchemaRegistry};
use millrace_tests::application::Application;
use millrace_tests::foreign::Producer;
use millrace_tests::millrace::Millrace;
use millrace_tests::payments::{self, Order, Payments};
use millrace_tests::rows::{column, ensure_equal_by, ids, read_parquet};
use millrace_tests::stack::Stack;
use millrace_tests::{reader, reaper};
use serde_json::{Value, json};

const PAYMENTS: usize = 3_000;
const SHOWN_BYTES: usize = 256 * 1024;
const DONE_WITHIN: Duration = Duration::from_secs(120);
const DAY_MS: i64 = 86_400_000;

/// A bad record, by the reason that it must be given.
type Bad = (&'static str, Value);

#[test]
fn every_kind_of_malformed_record_is_a_dead_letter_and_no_good_record_is_lost() {
    let stack = Stack::shared().unwrap();
    let app = Application::copy("fraud").unwrap();
    let millrace = Millrace::new(stack, &app);
    millrace.succeed(&["topics", "apply", "{app}"], Duration::from_secs(60)).unwrap();
    let services = [
        millrace.start(&["features", "{app}", "--workers", "2"]).unwrap(),
        millrace.start(&["scorer", "{app}"]).unwrap(),
    ];

    let input = Payments::generate(PAYMENTS, 300, 4).unwrap();
    let bad = bad_records(stack, &app).unwrap();
    let folder = reaper::temporary_folder().unwrap();
    let lines = folder.path().join("lines.jsonl");
    let good = input.lines(Order::Merged).unwrap();
    interleave(&good, &bad, &lines).unwrap();
    let producer = Producer::new(stack, app.name(), payments::topics().unwrap());
    assert_eq!(producer.publish(&lines).unwrap(), 2 * PAYMENTS + bad.len());

    reader::wait_for_origins(stack, &app.topic("predictions"), PAYMENTS, DONE_WITHIN).unwrap();
    reader::wait_for(stack, &app.topic("dead-letters"), bad.len(), DONE_WITHIN).unwrap();
    for service in services {
        service.stop().unwrap();
    }
    check_dead_letters(stack, &app, &bad).unwrap();
    check_good_rows(stack, &app, &input).unwrap();
}

fn bad_records(stack: &Stack, app: &Application) -> Result<Vec<Bad>> {
    let registry = ConfluentRegistry::new(stack.registry.url())?;
    let schema_of = |topic: &str| {
        let subject = format!("{}-value", app.topic(topic));
        Ok::<_, anyhow::Error>(registry.latest(&subject)?.context("topics apply registered no schema")?.0)
    };
    let (id, labels_id) = (schema_of("transactions")?, schema_of("labels")?);
    let other = r#"{"type": "record", "name": "Other", "fields": [{"name": "x", "type": "string"}]}"#;
    let other = registry.register(&format!("{}-value", app.topic("other")), other)?;

    let whole = framed(id, &transaction("bad", 1_522_540_800_000));
    let (cut, overlong) = (whole[..whole.len() - 3].to_vec(), [whole.clone(), vec![0]].concat());
    let now_ms = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
    let mut bad = vec![
        ("null_value", raw(None)),
        ("not_confluent", raw(Some(b""))),
        ("not_confluent", raw(Some(b"\0\0\0"))),
        ("not_confluent", raw(Some(br#"{"tx_id": "json where Avro belongs"}"#))),
        ("unknown_schema", raw(Some(&framed(0x7fff_fff0, &transaction("bad", 1_522_540_800_000))))),
        ("incompatible_schema", raw(Some(&framed(other, &text("x"))))),
        ("malformed", raw(Some(&cut))),
        ("malformed", raw(Some(&overlong))),
        ("malformed", raw(Some(&framed(id, b"")))),
        ("wrong_key", json!({"topic": "transactions", "row": row("k", 0), "key": "somebody else"})),
        ("wrong_key", json!({"topic": "transactions", "row": row("k", 0), "key": null})),
        (
            "wrong_partition",
            json!({"topic": "transactions", "row": row("k", 0), "partition": another_partition("k")}),
        ),
        ("time_before_1970", json!({"topic": "transactions", "row": row("k", -1)})),
        ("time_ahead", json!({"topic": "transactions", "row": row("k", now_ms + 2 * DAY_MS)})),
    ];
    // Fits into its own topic, and no more as features: these are keyed by the terminal, which they hold as well.
    let mut large = row("large", 1_522_540_800_000);
    large["terminal_id"] = Value::String("x".repeat(600_000));
    bad.push(("output_too_large", json!({"topic": "transactions", "row": large})));
    let label = |raw: Value| json!({"topic": "labels", "key": "k", "raw": raw["raw"]});
    bad.push(("malformed", label(raw(Some(&framed(labels_id, b""))))));
    bad.push(("incompatible_schema", label(raw(Some(&whole)))));
    bad.push(("null_value", label(raw(None))));
    Ok(bad)
}

fn row(customer: &str, time_ms: i64) -> Value {
    json!({"tx_id": format!("bad-{customer}"), "tx_time": time_ms, "customer_id": customer,
        "terminal_id": "terminal of nobody else", "amount": 1.0, "country": null})
}

fn another_partition(key: &str) -> u32 {
    (millrace_topics::Partitioner::Murmur2.partition(Some(key.as_bytes()), 4) + 1) % 4
}

fn raw(bytes: Option<&[u8]>) -> Value {
    json!({"topic": "transactions", "key": "k", "raw": bytes.map(hex)})
}

fn framed(id: u32, body: &[u8]) -> Vec<u8> {
    [&[0], id.to_be_bytes().as_slice(), body].concat()
}

/// A transaction in Avro's encoding, written by hand: `country` is null, the first branch of its union.
fn transaction(id: &str, time_ms: i64) -> Vec<u8> {
    let amount = 1.0f64.to_le_bytes();
    [text(id), long(time_ms), text("k"), text("t"), amount.to_vec(), long(0)].concat()
}

fn text(text: &str) -> Vec<u8> {
    [long(i64::try_from(text.len()).unwrap()), text.as_bytes().to_vec()].concat()
}

/// Avro's zig-zag variable-length integer.
fn long(value: i64) -> Vec<u8> {
    let mut rest = ((value << 1) ^ (value >> 63)).cast_unsigned();
    let mut bytes = Vec::new();
    while rest > 0x7f {
        bytes.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Spreads the bad lines evenly among the good ones.
fn interleave(good: &PathBuf, bad: &[Bad], to: &PathBuf) -> Result<()> {
    let text = std::fs::read_to_string(good)?;
    let every = text.lines().count() / (bad.len() + 1);
    let mut out = std::fs::File::create(to)?;
    let mut bad = bad.iter();
    for (i, line) in text.lines().enumerate() {
        if i % every == every - 1
            && let Some((_, bad)) = bad.next()
        {
            writeln!(out, "{bad}")?;
        }
        writeln!(out, "{line}")?;
    }
    ensure!(bad.next().is_none(), "not all bad records were spread");
    Ok(())
}

fn check_dead_letters(stack: &Stack, app: &Application, bad: &[Bad]) -> Result<()> {
    let topic = app.topic("dead-letters");
    let letters = reader::decode(stack, &topic, &reader::read_all(stack, &topic)?)?;
    let count = |reasons: &mut dyn Iterator<Item = (String, String)>| {
        reasons.fold(BTreeMap::new(), |mut counts, reason| {
            *counts.entry(reason).or_insert(0) += 1;
            counts
        })
    };
    let topics = ids(&letters, "topic")?;
    let is = count(&mut topics.iter().cloned().zip(ids(&letters, "reason")?));
    let topic_of = |line: &Value| app.topic(line["topic"].as_str().unwrap_or_default());
    let should_be = count(&mut bad.iter().map(|(reason, line)| (topic_of(line), (*reason).to_string())));
    ensure!(is == should_be, "dead letters by topic and reason are {is:#?}, not {should_be:#?}");

    // Each letter leads to its record, and shows what that holds.
    let mut payloads = HashMap::new();
    for source in [app.topic("transactions"), app.topic("labels")] {
        for record in reader::read_all(stack, &source)? {
            payloads.insert((source.clone(), record.partition, record.offset), record.payload);
        }
    }
    let partitions = column(&letters, "partition")?.as_primitive::<Int32Type>();
    let offsets = column(&letters, "offset")?.as_primitive::<Int64Type>();
    let lengths = column(&letters, "value_length")?.as_primitive::<Int64Type>();
    let values = column(&letters, "value")?.as_binary::<i32>();
    let (origins, details) = (ids(&letters, "origin")?, ids(&letters, "detail")?);
    for (i, topic) in topics.iter().enumerate() {
        let place = (topic.clone(), partitions.value(i), offsets.value(i));
        let payload = payloads.get(&place).with_context(|| format!("a letter of no record: {place:?}"))?;
        let payload = payload.as_deref().unwrap_or_default();
        ensure!(values.value(i) == &payload[..payload.len().min(SHOWN_BYTES)], "{place:?}: other bytes");
        ensure!(lengths.value(i) == i64::try_from(payload.len())?, "{place:?}: length {}", lengths.value(i));
        ensure!(origins[i] == format!("{topic}/{}/{}", place.1, place.2), "{place:?}: origin {}", origins[i]);
        ensure!(!details[i].is_empty(), "{place:?}: no detail");
    }
    Ok(())
}

fn check_good_rows(stack: &Stack, app: &Application, input: &Payments) -> Result<()> {
    let folder = reaper::temporary_folder()?;
    let output = folder.path().join("features.parquet").display().to_string();
    let source = |name: &str| format!("{name}={}", input.parquet(name).display());
    let (transactions, labels) = (source("transactions"), source("labels"));
    let words =
        ["backfill", "{app}", "features", "--input", &transactions, "--input", &labels, "--output", &output];
    Millrace::offline(app).succeed(&words, Duration::from_secs(120))?;
    let expected = read_parquet(output.as_ref())?;
    let topic = app.topic("features");
    let features = reader::decode(stack, &topic, &reader::read_all(stack, &topic)?)?;
    ensure_equal_by("tx_id", &features, &expected)?;
    let predictions = reader::read_all(stack, &app.topic("predictions"))?;
    ensure!(predictions.len() == PAYMENTS, "{} predictions of {PAYMENTS} payments", predictions.len());
    Ok(())
}
