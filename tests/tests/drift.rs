//! Drift through real Kafka: reports and requests are the same, and none comes twice, whatever becomes of the process.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, ensure};
use millrace_experiments::random::Random;
use millrace_schemas::envelope::{AlarmState, DriftEvent, DriftKind, DriftStatus, RetrainRequest, Subject};
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
    {"name": "country", "type": "string"},
    {"name": "price", "type": "double"}]}"#;
const SALE: &str = r#"{"type": "record", "name": "Sale", "namespace": "shop", "fields": [
    {"name": "click_id", "type": "string"},
    {"name": "known_at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    {"name": "visitor", "type": "string"},
    {"name": "bought", "type": "boolean"}]}"#;
const SOURCE: &str =
    "format = \"json\"\nkey = \"visitor\"\nid = \"click_id\"\npartitions = 3\nretention = \"30 days\"\n";
const VIEW: &str = "format = \"json\"\nkey = \"visitor\"\ntime = \"clicked_at\"\nid = \"click_id\"\npartitions = 3\n[features]\n";
const SCORES: &str = "format = \"json\"\npartitions = 3\n[predictions]\nfeatures = \"interest\"\nunit = \"visitor\"\ncontext = [\"country\"]\n";
const DRIFT: &str = r#"
[drift]
features = "clicks"
columns = ["price", "country"]
predictions = "scores"
labels = { topic = "sales", outcome = "bought" }
window = "1 day"
lateness = "1h"
segments = ["country"]
reference = "previous"
horizon = "4 days"
maturity = "1 day"
coverage = 0.5
ks = [20]
"#;
const RETRAIN: &str = "[retrain.triggers.moved]\non = \"drift\"\nseverity = 1.5\ncool_down = \"30 days\"\ntraining = \"5 days\"\n";

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
const DAYS: i64 = 12;
const CLICKS: i64 = 12_000;
/// Prices of all countries move on this day.
const MOVED: i64 = 7;
const DONE_WITHIN: Duration = Duration::from_secs(180);

#[test]
fn a_killed_drift_process_is_continued_by_more_workers_without_a_trace() {
    let lines = lines();
    let undisturbed = Run::new().unwrap();
    undisturbed.publish(&lines).unwrap();
    let service = undisturbed.start(1).unwrap();
    let expected = undisturbed.result().unwrap();
    undisturbed.speak_to_an_alarm().unwrap();
    service.stop().unwrap();

    let killed = Run::new().unwrap();
    let mut service = killed.start(2).unwrap();
    killed.publish(&lines[..lines.len() / 2]).unwrap();
    killed.wait_for_reports(3).unwrap();
    service.process.kill().unwrap();
    killed.publish(&lines[lines.len() / 2..]).unwrap();
    let service = killed.start(3).unwrap();
    let result = killed.result().unwrap();
    service.stop().unwrap();

    assert_eq!(result.requests, expected.requests);
    assert_eq!(result.events.len(), expected.events.len());
    for (event, expected) in result.events.iter().zip(&expected.events) {
        assert_eq!(event, expected);
    }
    check(&expected);
}

/// What the undisturbed run must have found.
fn check(result: &Reported) {
    let finals = |subject: Subject| result.events.iter().filter(move |event| event.subject == subject);
    let drifted: Vec<&DriftEvent> =
        finals(Subject::Data).filter(|event| event.kind == DriftKind::Finding && event.drifted).collect();
    let first = drifted.iter().map(|event| event.window_start_ms / DAY).min();
    assert_eq!(first, Some(MOVED), "{:?}", drifted.first());
    assert!(drifted.iter().any(|event| event.column.as_deref() == Some("price") && event.segment.is_none()));
    assert_eq!(result.requests.len(), 1);
    assert_eq!(result.requests[0].window_start_ms / DAY, MOVED);
    assert!(!result.requests[0].evidence.is_empty(), "{:?}", result.requests[0]);

    let judged: Vec<&DriftEvent> = finals(Subject::Performance).collect();
    let days: Vec<i64> = judged
        .iter()
        .filter(|event| event.status == DriftStatus::Final)
        .map(|event| event.window_start_ms / DAY)
        .collect();
    assert!(days.len() as i64 >= DAYS - 3, "{days:?}");
    let whole = judged.iter().find(|event| event.window_start_ms == 2 * DAY).unwrap();
    assert!(
        whole.values["auc_roc"] > 0.9 && (0.6..0.8).contains(&whole.values["coverage"]),
        "{:?}",
        whole.values
    );
    assert!(whole.values.contains_key("auc_roc[country=NE]"), "{:?}", whole.values);
    assert!(judged.iter().any(|event| event.status == DriftStatus::Revision), "late labels revise a window");
}

struct Run {
    stack: &'static Stack,
    app: Application,
}

/// What a run wrote for good, without what names the application.
struct Reported {
    events: Vec<DriftEvent>,
    requests: Vec<RetrainRequest>,
}

impl Run {
    fn new() -> Result<Self> {
        let (stack, app) = (Stack::shared()?, Application::empty("drifting")?);
        app.write("click.avsc", CLICK)?;
        app.write("sale.avsc", SALE)?;
        app.write("clicks.toml", &format!("schema = \"click.avsc\"\ntime = \"clicked_at\"\n{SOURCE}"))?;
        app.write("sales.toml", &format!("schema = \"sale.avsc\"\ntime = \"known_at\"\n{SOURCE}"))?;
        app.write("interest.toml", VIEW)?;
        app.write("interest.sql", "SELECT click_id, clicked_at, visitor, country, price FROM clicks")?;
        app.write("scores.toml", SCORES)?;
        app.write("drift.toml", DRIFT)?;
        app.write("retrain-requests.toml", RETRAIN)?;
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
            Topic::json("scores", "unit", "time"),
            Topic::json("sales", "visitor", "known_at"),
        ];
        let published = Producer::new(self.stack, self.app.name(), topics).publish_lines(lines)?;
        ensure!(published == lines.len(), "{published} of {} lines were published", lines.len());
        Ok(())
    }

    fn events(&self) -> Result<Vec<DriftEvent>> {
        reader::events(self.stack, &self.app.topic("drift"))
    }

    fn wait_for_reports(&self, count: usize) -> Result<()> {
        reader::wait_for(self.stack, &self.app.topic("drift"), count, DONE_WITHIN).map(drop)
    }

    /// Waits until the last windows of rows and of outcomes are settled; what is final by then, in a fixed order.
    fn result(&self) -> Result<Reported> {
        let settled = |events: &[DriftEvent], subject: Subject, topic: &str, day: i64| {
            let summaries = events.iter().filter(|e| e.kind == DriftKind::Summary && e.subject == subject);
            let settled = summaries.filter(|e| e.status != DriftStatus::Provisional && e.topic == topic);
            settled.map(|e| e.window_start_ms / DAY).max() >= Some(day)
        };
        let events = wait::until("the last windows", DONE_WITHIN, || {
            let events = self.events()?;
            let done = settled(&events, Subject::Dataset, "clicks", DAYS - 1)
                && settled(&events, Subject::Dataset, "scores", DAYS - 1)
                && settled(&events, Subject::Performance, "scores", DAYS - 2);
            Ok(done.then_some(events))
        })?;
        let mut ids = BTreeMap::new();
        for event in &events {
            ensure!(ids.insert(event.id.clone(), event).is_none(), "{event:?} came twice");
        }
        let requests: Vec<RetrainRequest> = reader::events(self.stack, &self.app.topic("retrain-requests"))?;
        Ok(Reported { events: anonymous(events, self.app.name()), requests: nameless(requests) })
    }

    /// Acknowledges what is open, and waits until it is shown so.
    fn speak_to_an_alarm(&self) -> Result<()> {
        let list =
            || self.millrace().succeed(&["drift", "alarms", "{app}", "list", "--json", "--all"], DONE_WITHIN);
        let printed = list()?;
        let first: Value =
            serde_json::from_str(printed.lines().find(|line| line.starts_with('{')).unwrap_or("null"))?;
        let id = first["id"].as_str().unwrap_or_default().to_owned();
        let unknown = self.millrace().run(&["drift", "alarms", "{app}", "ack", "0000000000"], DONE_WITHIN)?;
        ensure!(
            !unknown.status.success() && unknown.output.contains("there is no alarm"),
            "{}",
            unknown.output
        );
        self.millrace().succeed(&["drift", "alarms", "{app}", "mute", &id, "--by", "ada"], DONE_WITHIN)?;
        wait::until("the muted alarm", DONE_WITHIN, || {
            let all = list()?;
            let muted = all
                .lines()
                .any(|line| line.contains(&id) && line.contains("\"muted\"") && line.contains("ada"));
            Ok(muted.then_some(()))
        })
    }
}

/// Events that are for good, by what they are about; ids are hashes of the application's name too.
fn anonymous(events: Vec<DriftEvent>, app: &str) -> Vec<DriftEvent> {
    let mut events: Vec<DriftEvent> =
        events.into_iter().filter(|event| event.status != DriftStatus::Provisional).collect();
    for event in &mut events {
        event.app = event.app.replace(app, "");
        event.id.clear();
        // Whether an alarm was spoken to is no matter of the rows.
        ensure_known(event.alarm);
    }
    let key = |event: &DriftEvent| {
        format!(
            "{:?}",
            (
                event.subject,
                event.window_start_ms,
                event.revision,
                &event.column,
                &event.segment,
                &event.method,
                event.kind
            )
        )
    };
    events.sort_by_key(key);
    events
}

fn ensure_known(state: AlarmState) {
    assert_ne!(state, AlarmState::Acknowledged, "nobody has acknowledged anything yet");
}

fn nameless(mut requests: Vec<RetrainRequest>) -> Vec<RetrainRequest> {
    for request in &mut requests {
        request.evidence.iter_mut().for_each(String::clear);
    }
    requests
}

/// Clicks with their scores, and sales that are known a quarter of a day to two days later; every line in the order of
/// its time.
fn lines() -> Vec<Value> {
    let mut random = Random::of(99);
    let mut next = move |n: i64| random.below(n as usize) as i64;
    let mut all: Vec<(i64, Value)> = Vec::new();
    for id in 0..CLICKS {
        let at = id * (DAYS * DAY / CLICKS);
        let visitor = format!("v{}", next(200));
        let country = if next(3) == 0 { "NE" } else { "SW" };
        let moved = if at >= MOVED * DAY { 2.0 } else { 1.0 };
        // Spread evenly over every day, so that none differs from the one before by chance.
        let price = moved * (10.0 + (id * 7_919 % 9_000) as f64 / 100.0);
        let bought = next(5) == 0;
        let score = (next(1_000) as f64 / 1_000.0 + if bought { 0.8 } else { 0.0 }) / 2.0;
        all.push((at, json!({"topic": "clicks", "click_id": id.to_string(), "clicked_at": at, "visitor": visitor, "country": country, "price": price})));
        all.push((at, json!({"topic": "scores", "id": id.to_string(), "time": at, "unit": visitor, "model": "m", "version": "1",
            "arm": "champion", "role": "serving", "decision": "", "score": score, "reasons": [], "propensity": 1.0,
            "deployment": 0, "context": {"country": country}})));
        let known = at + DAY / 4 + next(7 * DAY / 4);
        if next(20) > 0 {
            all.push((known, json!({"topic": "sales", "click_id": id.to_string(), "known_at": known, "visitor": visitor, "bought": bought})));
        }
    }
    // Every partition's time goes on beyond the last window.
    for n in 0..60 {
        let (at, visitor) = (DAYS * DAY + 3 * DAY, format!("end{n}"));
        all.push((at, json!({"topic": "clicks", "click_id": visitor, "clicked_at": at, "visitor": visitor, "country": "NE", "price": 20.0})));
        all.push((at, json!({"topic": "scores", "id": visitor, "time": at, "unit": visitor, "model": "m", "version": "1",
            "arm": "champion", "role": "serving", "decision": "", "score": 0.5, "reasons": [], "propensity": 1.0,
            "deployment": 0, "context": {"country": "NE"}})));
        all.push((at, json!({"topic": "sales", "click_id": format!("x{n}"), "known_at": at, "visitor": visitor, "bought": false})));
    }
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, line)| line).collect()
}
