#![allow(clippy::unwrap_used)]

use super::*;

const DAY: i64 = 86_400_000;

fn finding(day: i64, column: &str, severity: f64, group: i32, detail: &str) -> DriftEvent {
    let mut event = DriftEvent {
        window_start_ms: day * DAY,
        window_end_ms: (day + 1) * DAY,
        window: "1 day".into(),
        topic: "features".into(),
        column: Some(column.into()),
        method: "ks".into(),
        effect: Some(severity / 10.0),
        threshold: Some(0.1),
        severity,
        drifted: true,
        cause_group: Some(group),
        detail: detail.into(),
        ..DriftEvent::default()
    };
    let shown = r#"{"bins":["0 to 1","1 to 2"],"reference":[5,5],"current":[1,9]}"#;
    event.distributions.insert(column.into(), shown.into());
    event.seal();
    event
}

fn shown(ms: i64) -> String {
    format!("day {}", ms / DAY)
}

#[test]
fn what_moved_along_stands_under_its_cause_and_windows_are_counted() {
    let events = [
        finding(1, "amount", 2.0, 1, "amount rose."),
        DriftEvent { root: Some("amount".into()), ..finding(1, "average", 3.0, 1, "average rose.") },
        finding(2, "amount", 2.5, 1, "amount rose much."),
        finding(2, "terminal", 1.2, 2, "terminal moved."),
    ];
    let page = page_of_events("fraud", &events, &shown);
    let titles: Vec<&str> = page.causes.iter().map(|cause| cause.title.as_str()).collect();
    assert_eq!(titles, ["amount", "terminal"]);
    assert_eq!(page.causes[0].follows, ["average"]);
    assert_eq!(page.causes[0].sentence, "amount rose much. In 2 windows, from day 1 on.");
    assert_eq!(page.timeline.windows, ["day 1", "day 2"]);
    let amount = page.timeline.rows.iter().find(|(name, _)| name == "amount").unwrap();
    assert_eq!(amount.1, [Some(2.0), Some(2.5)]);
    assert_eq!(page.columns.iter().find(|card| card.name == "amount").unwrap().chart.current, [0.1, 0.9]);
    assert!(page.verdict.contains("2 causes") && page.verdict.contains("amount"));
}

#[test]
fn what_follows_in_another_topic_stands_under_the_cause_too() {
    let follows = |column: &str| DriftEvent {
        topic: "predictions".into(),
        root: Some("amount".into()),
        ..finding(1, column, 5.0, 1, "It moved.")
    };
    let events = [finding(1, "amount", 2.0, 1, "amount rose."), follows("score"), follows("precision")];
    let page = page_of_events("fraud", &events, &shown);
    assert_eq!(page.causes.len(), 1);
    assert_eq!((page.causes[0].title.as_str(), page.causes[0].severity), ("amount", 2.0));
    assert_eq!(page.causes[0].follows, ["precision", "score"]);
    assert!(page.causes[0].sentence.ends_with("In the window from day 1."), "{}", page.causes[0].sentence);
}

#[test]
fn a_final_window_takes_the_place_of_the_provisional_one() {
    let mut early = finding(1, "amount", 9.0, 1, "amount rose.");
    early.status = DriftStatus::Provisional;
    early.seal();
    let mut gone = early.clone();
    gone.column = Some("gone".into());
    gone.seal();
    let last = finding(1, "amount", 2.0, 1, "amount rose.");
    let page = page_of_events("fraud", &[early, gone, last.clone(), last], &shown);
    assert_eq!(page.causes.len(), 1);
    assert_eq!((page.causes[0].severity, page.timeline.rows.len()), (2.0, 1));
}

#[test]
fn metrics_are_drawn_with_their_intervals_and_early_ones_marked() {
    let summary = |day: i64, status: DriftStatus, auc: f64| {
        let mut event = DriftEvent {
            kind: DriftKind::Summary,
            subject: Subject::Performance,
            status,
            window_start_ms: day * DAY,
            window_end_ms: (day + 1) * DAY,
            model: Some("m".into()),
            version: Some("1".into()),
            values: [("auc_roc", auc), ("auc_roc.low", auc - 0.1), ("auc_roc.high", auc + 0.1)]
                .map(|(name, value)| (name.to_owned(), value))
                .into(),
            ..DriftEvent::default()
        };
        event.seal();
        event
    };
    let events = [summary(2, DriftStatus::Provisional, 0.7), summary(1, DriftStatus::Final, 0.9)];
    let page = page_of_events("fraud", &events, &shown);
    assert_eq!(page.series.len(), 1);
    assert_eq!(page.series[0].name, "AUC ROC, m/1");
    let drawn: Vec<(Option<f64>, bool)> = page.series[0].points.iter().map(|p| (p.value, p.mature)).collect();
    assert_eq!(drawn, [(Some(0.9), true), (Some(0.7), false)]);
    assert!(page.verdict.contains("Nothing drifted"));
    assert!(page_of_events("fraud", &[], &shown).verdict.contains("No window"));
}
