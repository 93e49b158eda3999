//! Detectors say the same whatever the batches, and after a rebuild from the rows that they ask for.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};
use millrace_schemas::envelope::{DriftEvent, DriftKind, Subject};
use millrace_statistics::detectors::{Detector, Parameters};
use millrace_topics::{DetectorTable, DriftTable, Role, Watches};

use super::{Declared, RowDetectors, Signalled, WindowDetectors, declared};

const HOUR: i64 = 3_600_000;

fn one(method: &str, watches: Watches, parameters: &[(&str, &str)], memory_ms: i64) -> Declared {
    let mut made = Parameters::calibrated(method).unwrap();
    parameters.iter().for_each(|(name, value)| made.set(name, value).unwrap());
    let table = DetectorTable {
        name: method.into(),
        method: method.into(),
        watches,
        parameters: Vec::new(),
        memory_ms,
    };
    Declared { table, fresh: Detector::new(made).unwrap() }
}

/// Rows every minute; amounts jump and errors rise every 4,000 rows.
fn rows(count: usize) -> (RecordBatch, Vec<i64>, Vec<i64>) {
    let mut random = 11_u64;
    let mut next = move || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as f64 / (1_u64 << 31) as f64
    };
    let level = |row: usize| (row / 4_000) as f64;
    let amounts: Float64Array =
        (0..count).map(|row| (row % 97 > 0).then(|| next() + 2.0 * level(row))).collect();
    let wrong: BooleanArray = (0..count).map(|row| Some(next() < 0.1 + 0.2 * level(row))).collect();
    let schema = Schema::new(vec![
        Field::new("amount", DataType::Float64, true),
        Field::new("wrong", DataType::Boolean, false),
    ]);
    let columns: Vec<ArrayRef> = vec![Arc::new(amounts), Arc::new(wrong)];
    let minutes = 0..i64::try_from(count).unwrap();
    // Some rows come a little late.
    let times = minutes.clone().map(|row| row * 60_000 - if row % 13 == 0 { 30 * 60_000 } else { 0 });
    (
        RecordBatch::try_new(Arc::new(schema), columns).unwrap(),
        times.collect(),
        minutes.map(|row| row + 100).collect(),
    )
}

fn detectors() -> Vec<Declared> {
    let memory = 30 * HOUR;
    vec![
        one("adwin", Watches::Rows("amount".into()), &[("delta", "0.002")], memory),
        one("ddm", Watches::Rows("wrong".into()), &[("warm_start", "100")], memory / 2),
    ]
}

fn run(cut: usize, restart: Option<usize>) -> Vec<(usize, String)> {
    let (rows, times, offsets) = rows(12_000);
    let mut running = RowDetectors::new(detectors());
    let mut found = Vec::new();
    let take = |running: &mut RowDetectors, from: usize, to: usize| {
        let (times, offsets) = (&times[from..to], &offsets[from..to]);
        let signalled = running.take(&rows.slice(from, to - from), times, offsets, None).unwrap();
        signalled
            .into_iter()
            .map(|Signalled { row, detector, .. }| (from + row, detector))
            .collect::<Vec<_>>()
    };
    let mut at = 0;
    while at < 12_000 {
        let bound = restart.filter(|restart| *restart > at).unwrap_or(usize::MAX);
        let end = 12_000.min(at + cut).min(bound);
        found.extend(take(&mut running, at, end));
        at = end;
        if restart == Some(at) {
            let from = usize::try_from(running.needed_from_offset().unwrap() - 100).unwrap();
            assert!(at - from <= 2 * 30 * 60 + 60, "{from} of {at}: at most two stretches");
            running = RowDetectors::new(detectors());
            take(&mut running, from, at);
        }
    }
    found
}

#[test]
fn detectors_of_rows_find_changes_whatever_the_batches_and_restarts() {
    let found = run(12_000, None);
    for change in [4_000, 8_000] {
        let near =
            |name: &str| found.iter().any(|(row, of)| of == name && (change..change + 500).contains(row));
        assert!(near("adwin") && near("ddm"), "{change}: {found:?}");
    }
    assert!(found.len() < 12, "{found:?}");
    for (cut, restart) in
        [(1, None), (700, Some(3_999)), (700, Some(4_100)), (64, Some(9_731)), (5_000, Some(1_000))]
    {
        assert_eq!(run(cut, restart), found, "batches of {cut}, restarted before row {restart:?}");
    }
}

fn summary(window: i64, metric: f64) -> DriftEvent {
    DriftEvent {
        kind: DriftKind::Summary,
        subject: Subject::Performance,
        window_start_ms: window * HOUR,
        model: Some("m".into()),
        version: Some("1".into()),
        values: BTreeMap::from([("precision".to_owned(), metric)]),
        ..DriftEvent::default()
    }
}

#[test]
fn detectors_of_windows_watch_the_sequence_of_their_values_per_model_version() {
    let parameters = [("scale", "warm-up 10"), ("threshold", "4"), ("slack", "0.5")];
    let cusum = one("cusum", Watches::Metric("precision".into()), &parameters, HOUR);
    let mut watch = WindowDetectors::new(vec![cusum], Some(5 * HOUR));
    let served = ("m".to_owned(), "1".to_owned());
    let mut drifted = Vec::new();
    for window in 0..40 {
        let value = if window < 25 { 0.8 } else { 0.6 } + 0.02 * ((window * 7 % 5) as f64 - 2.0);
        let found = watch.take(&[summary(window, value)], &BTreeMap::new(), Some(&served));
        assert_eq!(found.len(), usize::from(window >= 5), "windows before judge_from are not watched");
        drifted.extend(found.into_iter().filter(|event| event.drifted).map(|event| (window, event.column)));
    }
    assert_eq!(drifted.first(), Some(&(25, Some("precision".to_owned()))), "{drifted:?}");
    let other = ("m".to_owned(), "2".to_owned());
    assert_eq!(watch.take(&[summary(41, 0.5)], &BTreeMap::new(), Some(&other)), []);
}

#[test]
fn detectors_are_given_only_what_they_take() {
    let topics = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../topics");
    let mut app = millrace_topics::load(&topics, "fraud").unwrap();
    let schema = millrace_features::plan_view(&app, app.topic("features").unwrap()).unwrap().schema;
    app.topics
        .iter_mut()
        .filter(|t| t.stem == "features")
        .for_each(|t| t.kafka.schema = Some(schema.clone()));
    let drift = app.drift().unwrap();
    let Role::Drift(table) = &drift.role else { panic!() };
    let told = |method: &str, watches: Watches, parameters: &[(&str, &str)], days: i64| {
        let parameters =
            parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let detector = DetectorTable {
            name: "d".into(),
            method: method.into(),
            watches,
            parameters,
            memory_ms: days * 24 * HOUR,
        };
        let table = DriftTable { detectors: vec![detector], ..table.as_ref().clone() };
        match declared(&app, drift, &table) {
            Ok(_) => String::new(),
            Err(problems) => problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
        }
    };
    let column = |name: &str| Watches::Rows(name.to_owned());
    assert_eq!(told("adwin", column("amount"), &[("delta", "0.001")], 7), "");
    assert_eq!(told("hddm_a", Watches::Scores, &[], 7), "");
    assert_eq!(told("hddm_a", Watches::Metric("precision".into()), &[], 7), "");
    for (problem, expected) in [
        (
            told("ddm", column("amount"), &[], 7),
            "ddm takes binary errors, 0 or 1, and nothing says that `amount`",
        ),
        (told("eddm", Watches::Scores, &[], 7), "scores are none"),
        (told("hddm_w", Watches::Metric("mae".into()), &[], 7), "`mae` has no upper bound"),
        (told("adwin", column("amuont"), &[], 7), "has no column `amuont`"),
        (told("adwin", column("country"), &[], 7), "a detector watches numbers and booleans"),
        (told("adwim", column("amount"), &[], 7), "drift.detectors.d.method"),
        (told("adwin", column("amount"), &[("delta", "2")], 7), "drift.detectors.d.parameters"),
        (told("adwin", column("amount"), &[], 16), "raise its retention, or write a shorter memory"),
    ] {
        assert!(problem.contains(expected), "{problem:?} does not say {expected:?}");
    }
}
