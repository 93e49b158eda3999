#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use millrace_runtime::task::{Input, Origin, Phase, RowMeta, Taken};
use millrace_schemas::envelope::{DriftStatus, Subject};

use super::*;
use crate::service::message::encode;

const DAY: i64 = 86_400_000;

fn plan() -> ReportPlan {
    let direct = BTreeMap::from([("risk".to_owned(), vec!["fraud".to_owned()])]);
    ReportPlan {
        triggers: Vec::new(),
        depends: Depends::new(&direct, &["fraud".to_owned()]),
        tolerance_ms: DAY,
        trained: Arc::new(|_, _| None),
        requests: false,
        detectors: WindowDetectors::default(),
        outcomes_ms: Some(30 * DAY),
    }
}

fn finding(topic: &str, subject: Subject, column: &str, version: &str, day: i64) -> DriftEvent {
    let mut event = DriftEvent {
        status: DriftStatus::Final,
        time_ms: (day + 1) * DAY,
        window_start_ms: day * DAY,
        window_end_ms: (day + 1) * DAY,
        window: "1 day".into(),
        app: "fraud".into(),
        topic: topic.into(),
        subject,
        column: Some(column.into()),
        model: Some("m".into()),
        version: Some(version.into()),
        method: "ks".into(),
        drifted: true,
        effect: Some(0.2),
        threshold: Some(0.1),
        severity: 2.0,
        detail: "It moved.".into(),
        ..DriftEvent::default()
    };
    event.seal();
    event
}

fn entry(topic: &str, day: i64, events: Vec<DriftEvent>) -> Message<Entry> {
    let window = Span { end_ms: (day + 1) * DAY, start_ms: day * DAY, number: 0 };
    let (as_of_ms, provisional, revision) = (window.end_ms, false, 0);
    let head = Entry::Judged { topic: topic.into(), window, as_of_ms, provisional, revision };
    let body = Said { events, ..Said::default() }.into_bytes().unwrap();
    Message { key: None, time_ms: as_of_ms, head, body }
}

fn rows(day: i64, columns: &[&str]) -> Message<Entry> {
    let of = |column: &&str| finding("features", Subject::Data, column, "1", day);
    entry("", day, columns.iter().map(of).collect())
}

fn outcomes(day: i64, version: &str) -> Message<Entry> {
    let fall = finding("predictions", Subject::Performance, "precision", version, day);
    entry("predictions", day, vec![fall])
}

/// What the task writes, in batches of so many entries.
fn written(journal: &[Message<Entry>], size: usize) -> Vec<DriftEvent> {
    let mut task = Report::new(plan(), Arc::new(Clocks::default()), Arc::new(Measures::new("test")));
    let mut events = Vec::new();
    for (first, entries) in journal.chunks(size).enumerate() {
        let (rows, _) = encode(entries).unwrap();
        let meta = (0..).take(rows.num_rows()).map(|row: i64| {
            let offset = i64::try_from(first * size).unwrap() + row;
            let origin = Origin { topic: "journal".into(), partition: 0, offset };
            RowMeta { offset, time_ms: 0, origin, traceparent: None, late: false }
        });
        let meta: Vec<RowMeta> = meta.collect();
        let order = (0..).take(meta.len()).map(|row| Taken { input: 0, row }).collect();
        let batch = Batch { inputs: vec![Input { rows, meta }], order, phase: Phase::Live };
        let mut effects = Effects::default();
        task.apply(&batch, &mut effects).unwrap();
        events.extend(effects.outputs.iter().flat_map(|out| DriftEvent::from_batch(&out.rows).unwrap()));
    }
    events
}

/// The root that the fall in performance of a day stands under, with its rank.
fn root(events: &[DriftEvent], day: i64) -> (Option<String>, Option<i32>) {
    let of = |e: &&DriftEvent| e.subject == Subject::Performance && e.window_start_ms == day * DAY;
    let fall = events.iter().find(of).unwrap();
    (fall.root.clone(), fall.rank)
}

#[test]
fn a_fall_in_performance_stands_under_what_drifted_in_the_same_predictions() {
    let journal = [rows(3, &[]), rows(4, &["amount"]), rows(5, &[]), outcomes(4, "1"), outcomes(5, "1")];
    let events = written(&journal, 100);
    assert_eq!(root(&events, 4), (Some("amount".to_owned()), Some(1)));
    assert!(events.iter().any(|e| e.detail == "It moved. It goes with amount."), "{events:?}");
    assert_eq!(root(&events, 5), (None, Some(1)), "nothing drifted on day 5: the fall is a cause of its own");
    assert_eq!(written(&journal, 1), events);
}

#[test]
fn a_fall_of_another_model_or_one_that_began_before_or_that_labels_made_stands_alone() {
    let other_model = [rows(4, &["amount"]), outcomes(4, "2")];
    assert_eq!(root(&written(&other_model, 9), 4), (None, Some(1)));
    let before = [
        rows(2, &[]),
        outcomes(2, "1"),
        rows(3, &[]),
        outcomes(3, "1"),
        rows(4, &["amount"]),
        outcomes(4, "1"),
    ];
    assert_eq!(root(&written(&before, 9), 4), (None, Some(1)), "it fell two days before amounts did");
    let risk = [rows(4, &["risk"]), outcomes(4, "1")];
    assert_eq!(root(&written(&risk, 9), 4), (None, Some(1)), "labels went into the column");
}

#[test]
fn outcomes_that_are_ahead_of_the_rows_of_their_window_wait_for_them() {
    let late = [rows(3, &[]), outcomes(4, "1"), outcomes(3, "1"), rows(4, &["amount"]), rows(5, &[])];
    let events = written(&late, 1);
    assert_eq!(root(&events, 4), (Some("amount".to_owned()), Some(1)));
    let falls = events.iter().filter(|event| event.subject == Subject::Performance);
    assert_eq!(falls.count(), 2, "each once");
}
