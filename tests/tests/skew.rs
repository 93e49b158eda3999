//! Served rows against recomputed ones, through real Kafka: a column that is computed wrongly in serving is named as the
//! cause, and what is said does not depend on crashes and workers.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use anyhow::{Result, ensure};
use millrace_experiments::random::Random;
use millrace_schemas::envelope::{DriftEvent, DriftKind, DriftStatus, Subject};
use millrace_tests::application::Application;
use millrace_tests::foreign::{Producer, Topic};
use millrace_tests::millrace::{Millrace, Service};
use millrace_tests::stack::Stack;
use millrace_tests::{reader, wait};
use serde_json::{Value, json};

const CLICK: &str = r#"{"type": "record", "name": "Click", "namespace": "shop", "fields": [
    {"name": "click_id", "type": "string"},
    {"name": "clicked_at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    {"name": "visitor", "type": "string"},
    {"name": "price", "type": "double"}]}"#;
const CLICKS: &str = "schema = \"click.avsc\"\nformat = \"json\"\nkey = \"visitor\"\ntime = \"clicked_at\"\nid = \"click_id\"\npartitions = 3\nretention = \"30 days\"\n";
const VIEW: &str = "format = \"json\"\nkey = \"visitor\"\ntime = \"clicked_at\"\nid = \"click_id\"\npartitions = 3\n[features]\nstart = \"earliest\"\n";
const SQL: &str = "SELECT click_id, clicked_at, visitor, price, COUNT(*) OVER d AS clicks_1d, SUM(price) OVER d AS spent_1d
FROM clicks
WINDOW d AS (PARTITION BY visitor ORDER BY clicked_at RANGE BETWEEN INTERVAL '1' DAY PRECEDING AND CURRENT ROW)";
const DRIFT: &str = r#"
[drift]
features = "interest"
ignore = ["visitor"]
window = "1 day"
lateness = "1h"
reference = "previous"
skew = { sample = 0.5, tolerated = 0.02 }

[drift.detectors.spending]
method = "adwin"
column = "spent_1d"
memory = "3 days"
"#;

const DAY: i64 = 86_400_000;
const DAYS: i64 = 9;
const COUNT: i64 = 9_000;
/// From this day on, one in three sums is served doubled.
const WRONG: i64 = 6;
const DONE_WITHIN: Duration = Duration::from_secs(180);

#[test]
fn a_column_computed_wrongly_in_serving_is_the_top_cause_whatever_becomes_of_the_process() {
    let lines = lines();
    let undisturbed = Run::new().unwrap();
    undisturbed.publish(&lines).unwrap();
    let service = undisturbed.start(1).unwrap();
    let expected = undisturbed.result().unwrap();
    service.stop().unwrap();
    check(&expected);

    let killed = Run::new().unwrap();
    let mut service = killed.start(2).unwrap();
    killed.publish(&lines[..lines.len() / 2]).unwrap();
    reader::wait_for(killed.stack, &killed.app.topic("drift"), 3, DONE_WITHIN).unwrap();
    service.process.kill().unwrap();
    killed.publish(&lines[lines.len() / 2..]).unwrap();
    let service = killed.start(3).unwrap();
    let result = killed.result().unwrap();
    service.stop().unwrap();
    assert_eq!(result.len(), expected.len());
    for (event, expected) in result.iter().zip(&expected) {
        assert_eq!(event, expected);
    }
}

fn check(events: &[DriftEvent]) {
    let skew = |kind: DriftKind| events.iter().filter(move |e| e.subject == Subject::Skew && e.kind == kind);
    let days: Vec<i64> = skew(DriftKind::Summary).map(|event| event.window_start_ms / DAY).collect();
    assert_eq!(days, (0..=DAYS - 1).collect::<Vec<_>>());
    for summary in skew(DriftKind::Summary) {
        let day = summary.window_start_ms / DAY;
        let values = &summary.values;
        assert!((200..800).contains(&summary.rows), "day {day}: {} rows are sampled", summary.rows);
        assert_eq!(
            (values["only_served[visitor]"], values["only_recomputed[visitor]"]),
            (0.0, 0.0),
            "day {day}"
        );
        assert_eq!((values["mismatch[price]"], values["mismatch[clicks_1d]"]), (0.0, 0.0), "day {day}");
        let share = values["mismatch[spent_1d]"];
        assert!(if day < WRONG { share == 0.0 } else { (0.2..0.5).contains(&share) }, "day {day}: {share}");
    }
    let found: Vec<(i64, Option<&str>, Option<i32>)> = skew(DriftKind::Finding)
        .map(|event| (event.window_start_ms / DAY, event.column.as_deref(), event.rank))
        .collect();
    assert_eq!(found, (WRONG..DAYS).map(|day| (day, Some("spent_1d"), Some(1))).collect::<Vec<_>>());
    let worst = skew(DriftKind::Finding).next().unwrap();
    assert!(worst.values["largest_difference"] > 0.0 && worst.detail.contains("spent_1d"), "{worst:?}");
    let signalled: Vec<i64> = events
        .iter()
        .filter(|event| event.subject == Subject::Detector)
        .map(|event| event.window_start_ms / DAY)
        .collect();
    assert!(signalled.contains(&WRONG), "the detector of single rows sees it too: {signalled:?}");
}

struct Run {
    stack: &'static Stack,
    app: Application,
}

impl Run {
    fn new() -> Result<Self> {
        let (stack, app) = (Stack::shared()?, Application::empty("skewed")?);
        app.write("click.avsc", CLICK)?;
        app.write("clicks.toml", CLICKS)?;
        app.write("interest.toml", VIEW)?;
        app.write("interest.sql", SQL)?;
        app.write("drift.toml", DRIFT)?;
        let run = Self { stack, app };
        run.millrace().succeed(&["check", "{app}"], Duration::from_secs(60))?;
        run.millrace().succeed(&["topics", "apply", "{app}"], Duration::from_secs(60))?;
        Ok(run)
    }

    fn millrace(&self) -> Millrace<'_> {
        Millrace::new(self.stack, &self.app)
    }

    fn start(&self, workers: u32) -> Result<Service> {
        self.millrace().start(&["drift", "run", "{app}", "--workers", &workers.to_string()])
    }

    fn publish(&self, lines: &[Value]) -> Result<()> {
        let topics = vec![
            Topic::json("clicks", "visitor", "clicked_at"),
            Topic::json("interest", "visitor", "clicked_at"),
        ];
        let published = Producer::new(self.stack, self.app.name(), topics).publish_lines(lines)?;
        ensure!(published == lines.len(), "{published} of {} lines were published", lines.len());
        Ok(())
    }

    /// What was reported for good of all windows, in a fixed order, without what names the application.
    fn result(&self) -> Result<Vec<DriftEvent>> {
        let events = wait::until("the last window", DONE_WITHIN, || {
            let events: Vec<DriftEvent> = reader::events(self.stack, &self.app.topic("drift"))?;
            let settled =
                events.iter().filter(|e| e.subject == Subject::Skew && e.kind == DriftKind::Summary);
            let last = settled.map(|event| event.window_start_ms / DAY).max();
            Ok((last >= Some(DAYS - 1)).then_some(events))
        })?;
        let mut ids = BTreeMap::new();
        for event in &events {
            ensure!(ids.insert(event.id.clone(), event).is_none(), "{event:?} came twice");
        }
        let mut events: Vec<DriftEvent> = events
            .into_iter()
            .filter(|event| event.status == DriftStatus::Final && event.window_start_ms < DAYS * DAY)
            .collect();
        for event in &mut events {
            event.app.clear();
            event.id.clear();
        }
        let key = |event: &DriftEvent| {
            format!(
                "{:020} {:?} {:?} {:?}",
                event.window_end_ms,
                event.subject,
                event.kind,
                (&event.column, &event.method)
            )
        };
        events.sort_by_key(key);
        Ok(events)
    }
}

/// Clicks, and what is served of them: the sums here are no work of the system under test.
fn lines() -> Vec<Value> {
    let mut random = Random::of(5);
    let mut next = move |n: i64| random.below(n as usize) as i64;
    let mut lines = Vec::new();
    let mut seen: BTreeMap<String, VecDeque<(i64, i64)>> = BTreeMap::new();
    for id in 0..COUNT {
        let at = id * (DAYS * DAY / COUNT);
        let (visitor, price) = (format!("v{}", next(80)), 1 + next(100));
        let window = seen.entry(visitor.clone()).or_default();
        window.push_back((at, price));
        while window.front().is_some_and(|(before, _)| *before < at - DAY) {
            window.pop_front();
        }
        let spent: i64 = window.iter().map(|(_, price)| price).sum();
        let wrong = at >= WRONG * DAY && next(3) == 0;
        let served = if wrong { 2 * spent } else { spent };
        let click = json!({"topic": "clicks", "click_id": id.to_string(), "clicked_at": at, "visitor": visitor,
            "price": price as f64});
        lines.push(click.clone());
        let mut row = click;
        row["topic"] = json!("interest");
        row["clicks_1d"] = json!(window.len());
        row["spent_1d"] = json!(served as f64);
        lines.push(row);
    }
    // Every partition's time goes on beyond the last window.
    for n in 0..60 {
        let (at, visitor) = (DAYS * DAY + DAY / 2, format!("end{n}"));
        let click = json!({"topic": "clicks", "click_id": visitor, "clicked_at": at, "visitor": visitor, "price": 1.0});
        lines.push(click.clone());
        let mut row = click;
        row["topic"] = json!("interest");
        row["clicks_1d"] = json!(1);
        row["spent_1d"] = json!(1.0);
        lines.push(row);
    }
    lines
}
