use std::collections::BTreeMap;

use millrace_schemas::envelope::{DriftKind, Subject};

use super::*;

const DAY: i64 = 86_400_000;

/// The lineage of the fraud features.
fn depends() -> Depends {
    let mut direct: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for days in ["1d", "7d", "30d"] {
        direct.insert(format!("customer_avg_{days}"), vec!["amount".into()]);
        direct.insert(format!("customer_tx_{days}"), vec!["customer_id".into()]);
        direct.insert(format!("terminal_tx_{days}"), vec!["terminal_id".into()]);
        direct.insert(format!("terminal_risk_{days}"), vec!["terminal_id".into(), "fraud".into()]);
    }
    Depends::new(&direct, &["fraud".into()])
}

fn finding(subject: Subject, column: &str, segment: &str, severity: f64) -> DriftEvent {
    DriftEvent {
        topic: "features".into(),
        subject,
        column: (!column.is_empty()).then(|| column.to_owned()),
        segment: (!segment.is_empty()).then(|| segment.to_owned()),
        method: "ks".into(),
        effect: Some(severity * 0.05),
        threshold: Some(0.05),
        drifted: severity > 1.0,
        severity,
        window_end_ms: 10 * DAY,
        detail: "It moved.".into(),
        ..DriftEvent::default()
    }
}

fn data(column: &str, segment: &str, severity: f64) -> DriftEvent {
    finding(Subject::Data, column, segment, severity)
}

/// Per cause: its root and how many findings it has.
fn causes(events: &mut [DriftEvent]) -> Vec<(String, usize)> {
    let causes = group(events, &depends(), |_| None, 0);
    causes.iter().map(|cause| (about(&events[cause.root]), cause.findings.len())).collect()
}

#[test]
fn a_segment_that_moves_alone_explains_the_whole_and_what_is_computed_from_it() {
    let mut events = vec![
        data("amount", "", 1.2),
        data("amount", "country=NE", 3.0),
        data("amount", "country=SW", 0.7),
        data("amount", "country=SE", 0.8),
        data("amount", "country=NW", 0.6),
        data("customer_avg_1d", "", 1.1),
        data("customer_avg_1d", "country=NE", 4.0),
        data("customer_avg_1d", "country=SW", 0.2),
        finding(Subject::Prediction, "score", "", 1.5),
        finding(Subject::Dataset, "", "", 9.0),
        data("weekend", "", 3.5),
    ];
    let found = causes(&mut events);
    assert_eq!(found, [("amount in country=NE".to_owned(), 6), ("weekend".to_owned(), 1)]);
    assert_eq!(
        (events[1].rank, events[6].rank, events[10].rank, events[2].rank),
        (Some(1), Some(1), Some(2), None)
    );
    assert_eq!(events[6].root.as_deref(), Some("amount in country=NE"));
    assert_eq!(events[6].detail, "It moved. It goes with amount in country=NE.");
    assert_eq!(events[1].detail, "It moved.");
}

#[test]
fn the_whole_explains_its_segments_where_all_move() {
    let mut events: Vec<_> =
        ["", "country=NE", "country=SW", "country=SE"].map(|s| data("amount", s, 2.0)).into();
    assert_eq!(causes(&mut events), [("amount".to_owned(), 4)]);
    // One small segment of many that passes its own threshold by no more than the whole moved.
    let mut events =
        vec![data("amount", "", 2.0), data("amount", "country=NE", 2.1), data("amount", "country=SW", 0.9)];
    assert_eq!(causes(&mut events), [("amount".to_owned(), 2)]);
}

#[test]
fn new_terminals_explain_their_counts_and_their_risk() {
    let mut events = vec![
        data("terminal_id", "", 5.0),
        data("terminal_tx_1d", "", 8.0),
        data("terminal_risk_30d", "", 2.0),
        finding(Subject::Performance, "recall", "", 1.5),
    ];
    assert_eq!(causes(&mut events), [("terminal_id".to_owned(), 4)]);
    // A small segment that passes its threshold while the others do not yet.
    let mut events = vec![
        data("terminal_id", "", 5.0),
        data("terminal_tx_1d", "country=NE", 1.1),
        data("terminal_tx_1d", "country=SW", 0.5),
        data("customer_avg_1d", "country=NE", 1.2),
    ];
    let names = ["terminal_id".to_owned(), "customer_avg_1d in country=NE".to_owned()];
    assert_eq!(causes(&mut events), names.into_iter().zip([2, 1]).collect::<Vec<_>>());
}

#[test]
fn a_pattern_that_moves_shows_in_the_metrics_and_then_in_what_labels_go_into() {
    let mut events = vec![
        finding(Subject::Performance, "recall", "", 2.0),
        data("terminal_risk_1d", "", 2.5),
        finding(Subject::Prediction, "score", "", 1.2),
        finding(Subject::Estimate, "recall", "", 6.0),
    ];
    assert_eq!(causes(&mut events), [("recall".to_owned(), 4)]);
    assert_eq!(group(&mut events, &depends(), |_| None, 0)[0].root, 0);
}

#[test]
fn labels_that_stop_explain_what_labels_go_into_and_nothing_else() {
    let mut events = vec![
        finding(Subject::Labels, "", "", 2.0),
        data("terminal_risk_1d", "", 5.0),
        data("amount", "", 1.5),
    ];
    events[0].method = "labels_stopped".into();
    assert_eq!(causes(&mut events), [("labels_stopped of features".to_owned(), 2), ("amount".to_owned(), 1)]);
}

#[test]
fn a_feature_computed_wrongly_in_serving_is_named_by_its_skew() {
    let mut events = vec![
        data("customer_tx_7d", "", 9.0),
        finding(Subject::Skew, "customer_tx_7d", "", 4.0),
        finding(Subject::Prediction, "score", "", 2.0),
        finding(Subject::Performance, "precision", "", 3.0),
    ];
    let found = group(&mut events, &depends(), |_| None, 0);
    assert_eq!((found.len(), found[0].root, found[0].severity), (1, 1, 9.0));
}

#[test]
fn an_effect_does_not_begin_before_its_cause() {
    let mut events = vec![data("amount", "", 3.0), data("customer_avg_1d", "", 2.0)];
    let since =
        |event: &DriftEvent| Some(if event.column.as_deref() == Some("amount") { 10 * DAY } else { 8 * DAY });
    assert_eq!(group(&mut events, &depends(), since, DAY).len(), 2);
    assert_eq!(group(&mut events, &depends(), since, 2 * DAY).len(), 1);
}

#[test]
fn nothing_drifted_has_no_cause() {
    assert!(
        causes(&mut [data("amount", "", 0.9), DriftEvent { kind: DriftKind::Summary, ..data("", "", 3.0) }])
            .is_empty()
    );
    assert!(causes(&mut []).is_empty());
    let mut joint = vec![finding(Subject::Dataset, "", "", 2.0)];
    assert_eq!(causes(&mut joint).len(), 1);
}
