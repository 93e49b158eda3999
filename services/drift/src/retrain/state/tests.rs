use millrace_schemas::envelope::{DriftEvent, Subject, TrainMode, TriggerKind};

use super::*;
use crate::retrain::{Direction, LabelCount, Measurement, Schedule, TrainRange};

const DAY: i64 = 86_400_000;

fn trigger(when: When) -> Trigger {
    Trigger {
        name: "t".into(),
        when,
        cool_down_ms: 0,
        mode: None,
        range: TrainRange { length_ms: 30 * DAY, delay_ms: 7 * DAY },
    }
}

fn served() -> Served {
    Served { model: "gbt".into(), version: "1".into(), new_columns: Vec::new() }
}

fn finding(day: i64, severity: f64) -> DriftEvent {
    let mut event = DriftEvent {
        column: Some("amount".into()),
        severity,
        drifted: severity > 1.0,
        window_end_ms: day * DAY,
        detail: format!("amount rose (severity {severity})."),
        ..DriftEvent::default()
    };
    event.seal();
    event
}

fn window<'a>(day: i64, events: &'a [DriftEvent], measurements: &'a [Measurement]) -> Window<'a> {
    Window { start_ms: (day - 1) * DAY, end_ms: day * DAY, events, measurements, labels: None }
}

fn precision(value: f64, coverage: f64) -> Measurement {
    Measurement {
        metric: "precision".into(),
        segment: None,
        value,
        interval: (value - 0.05, value + 0.05),
        rows: 500,
        coverage,
        maturity: 0.97,
        champion: Some(0.8),
        event: "perf".into(),
    }
}

fn on_precision(bound: Option<f64>, margin: Option<f64>) -> When {
    When::Performance {
        metric: "precision".into(),
        segment: None,
        better: Direction::Higher,
        bound,
        margin,
        windows: 2,
        coverage: 0.9,
        maturity: 0.95,
    }
}

#[test]
fn drift_fires_after_so_many_windows_and_quotes_what_drifted() {
    let when = When::Drift { subjects: vec![Subject::Data], severity: 2.0, windows: 2 };
    let mut triggers = Triggers::new(vec![trigger(when)]);
    let mut fired = Vec::new();
    for (day, severity) in [(1, 2.5), (2, 1.5), (3, 2.5), (4, 3.0)] {
        fired.extend(triggers.window(&served(), &window(day, &[finding(day, severity)], &[])));
    }
    let [request] = fired.as_slice() else { panic!("{fired:?}") };
    assert_eq!((request.kind, request.mode), (TriggerKind::Drift, TrainMode::Stateful));
    assert_eq!((request.train_from_ms, request.train_to_ms), (-33 * DAY, -3 * DAY));
    assert_eq!(request.evidence, [finding(3, 2.5).id, finding(4, 3.0).id]);
    assert_eq!(request.reason, "amount rose (severity 3). So for 2 windows in a row.");
    assert_eq!(request.id, RetrainRequest::id_of("t", "gbt", "1", 3 * DAY, 4 * DAY));
}

#[test]
fn a_window_taken_twice_fires_once_and_an_estimate_never() {
    let when = When::Drift { subjects: vec![Subject::Data, Subject::Estimate], severity: 1.0, windows: 1 };
    let mut triggers = Triggers::new(vec![trigger(when)]);
    let estimate = DriftEvent { subject: Subject::Estimate, ..finding(1, 9.0) };
    assert!(triggers.window(&served(), &window(1, &[estimate], &[])).is_empty());
    let events = [finding(2, 9.0)];
    assert_eq!(triggers.window(&served(), &window(2, &events, &[])).len(), 1);
    assert!(triggers.window(&served(), &window(2, &events, &[])).is_empty());
}

#[test]
fn a_trigger_that_fired_is_silent_while_it_cools() {
    let when = When::Drift { subjects: vec![Subject::Data], severity: 1.0, windows: 1 };
    let mut triggers = Triggers::new(vec![Trigger { cool_down_ms: 3 * DAY, ..trigger(when) }]);
    let mut days = Vec::new();
    for day in 1..=8 {
        let fired = triggers.window(&served(), &window(day, &[finding(day, 2.0)], &[]));
        days.extend(fired.iter().map(|request| request.window_end_ms / DAY));
    }
    assert_eq!(days, [1, 4, 7]);
}

#[test]
fn performance_fires_at_declared_coverage_and_maturity_alone() {
    let mut triggers = Triggers::new(vec![trigger(on_precision(Some(0.6), None))]);
    let mut fired = Vec::new();
    // An immature window neither counts nor breaks the run.
    let immature = Measurement { maturity: 0.5, ..precision(0.1, 0.95) };
    let days = [precision(0.5, 0.95), precision(0.1, 0.5), immature, precision(0.4, 0.95)];
    for (day, measured) in (1..).zip(days) {
        fired.extend(triggers.window(&served(), &window(day, &[], &[measured])));
    }
    let [request] = fired.as_slice() else { panic!("{fired:?}") };
    assert_eq!(request.window_end_ms, 4 * DAY);
    assert!(
        request
            .reason
            .starts_with("precision is 0.4000 (0.3500 to 0.4500) on 500 labels, below the bound 0.6")
    );
    assert_eq!(request.evidence, ["perf", "perf"]);
}

#[test]
fn performance_fires_below_the_champions_own_by_a_margin() {
    let mut triggers = Triggers::new(vec![trigger(on_precision(None, Some(0.1)))]);
    let mut fired = Vec::new();
    for (day, value) in [(1, 0.69), (2, 0.71), (3, 0.69), (4, 0.65)] {
        fired.extend(triggers.window(&served(), &window(day, &[], &[precision(value, 1.0)])));
    }
    assert_eq!(fired.len(), 1);
    assert!(fired[0].reason.contains("the champion's own 0.8000"), "{}", fired[0].reason);
    let loss = When::Performance {
        metric: "log_loss".into(),
        segment: Some("country=NE".into()),
        better: Direction::Lower,
        bound: Some(0.3),
        margin: None,
        windows: 1,
        coverage: 0.0,
        maturity: 0.0,
    };
    let measured = |value| Measurement {
        metric: "log_loss".into(),
        segment: Some("country=NE".into()),
        ..precision(value, 1.0)
    };
    let mut triggers = Triggers::new(vec![trigger(loss)]);
    assert!(triggers.window(&served(), &window(1, &[], &[measured(0.2), precision(0.9, 1.0)])).is_empty());
    assert_eq!(triggers.window(&served(), &window(2, &[], &[measured(0.4)])).len(), 1);
}

#[test]
fn volume_counts_labels_since_it_fired_last() {
    let when = When::Volume { labels: Some(100), growth_percent: Some(20.0) };
    let mut triggers = Triggers::new(vec![trigger(when)]);
    let mut days = Vec::new();
    for (day, total) in [(1, 1_000), (2, 1_099), (3, 1_100), (4, 1_199), (5, 1_210)] {
        let labels = Some(LabelCount { total, trained: 1_000 });
        let fired = triggers.window(&served(), &Window { labels, ..window(day, &[], &[]) });
        days.extend(fired.iter().map(|request| (request.window_end_ms / DAY, request.reason.clone())));
    }
    let expected =
        [(3, "100 new labels since 1000.".to_owned()), (5, "110 new labels since 1100.".to_owned())];
    assert_eq!(days, expected);
}

#[test]
fn time_fires_at_the_tick_that_passes_a_moment_of_its_schedule() {
    let when = When::Time(Schedule::parse("7 days").unwrap());
    let mut triggers = Triggers::new(vec![trigger(when.clone())]);
    let mut days = Vec::new();
    for day in 1..=20 {
        let fired = triggers.tick(&served(), Tick { time_ms: day * DAY });
        days.extend(fired.iter().map(|request| (request.window_start_ms / DAY, request.time_ms / DAY)));
        let bytes = triggers.to_bytes();
        triggers = Triggers::from_bytes(vec![trigger(when.clone())], &bytes).unwrap();
        assert_eq!(triggers.to_bytes(), bytes);
    }
    assert_eq!(days, [(1, 8), (8, 15)]);
    assert!(Triggers::from_bytes(Vec::new(), b"[]").is_err());
}

#[test]
fn new_columns_force_a_fresh_start() {
    let when = When::Time(Schedule::parse("1 day").unwrap());
    let mut triggers = Triggers::new(vec![Trigger { mode: Some(TrainMode::Stateful), ..trigger(when) }]);
    let served = Served { new_columns: vec!["device".into()], ..served() };
    assert!(triggers.tick(&served, Tick { time_ms: 0 }).is_empty());
    let fired = triggers.tick(&served, Tick { time_ms: DAY });
    assert_eq!(fired[0].mode, TrainMode::Stateless);
    assert!(fired[0].reason.contains("device"), "{}", fired[0].reason);
}
