//! A small shop: events whose outcomes a model foretells, and orders whose value hangs on the arm that served.

use anyhow::Result;
use millrace_tests::application::{Application, repository};

/// What is tried.
#[derive(Debug, Clone, Copy)]
pub struct World {
    /// `ab` or `canary`.
    pub kind: &'static str,
    /// The column that the first version's score is made of, and the second's.
    pub first: &'static str,
    pub second: &'static str,
    /// How much more users of the second arm order.
    pub effect: f64,
    /// How long it goes on at most.
    pub days: i64,
}

impl World {
    /// Two versions alike, one of them a canary.
    pub const CANARY: Self = Self { kind: "canary", first: "good", second: "good", effect: 0.0, days: 16 };
    /// Two arms alike.
    pub const AB: Self = Self { kind: "ab", first: "good", second: "good", effect: 0.0, days: 16 };
}

const DAY_MS: i64 = 86_400_000;
/// The first day begins then.
const FROM_MS: i64 = 1_600_000 * 1_000_000 / 86_400_000 * 86_400_000;
/// Events a day; users come on one day alone.
pub const EVENTS: i64 = 1_500;

/// The end of a day's window.
pub fn end_of(day: i64) -> i64 {
    FROM_MS + (day + 1) * DAY_MS
}

const EVENT: &str = r#"{"type": "record", "name": "Event", "namespace": "shop", "fields": [
    {"name": "id", "type": "string"},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    {"name": "user", "type": "string"},
    {"name": "zero", "type": "double"},
    {"name": "nil", "type": "double"},
    {"name": "good", "type": "double"},
    {"name": "noisy", "type": "double"},
    {"name": "gappy", "type": ["null", "double"], "default": null}]}"#;

const OUTCOME: &str = r#"{"type": "record", "name": "Outcome", "namespace": "shop", "fields": [
    {"name": "id", "type": "string"},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    {"name": "user", "type": "string"},
    {"name": "positive", "type": "boolean"},
    {"name": "orders", "type": "double"}]}"#;

const SOURCE: &str = "format = \"json\"\nkey = \"user\"\ntime = \"at\"\nid = \"id\"\npartitions = 2\nretention = \"forever\"\n\
                      max_ahead = \"1 day\"\n";

const AB: &str = r#"
control = "a"
automatic = true
window = "12h"
label_horizon = "2h"
burn_in = 300
max_duration = "30 days"
[arms]
a = { model = "m/1", share = 0.5 }
b = { model = "m/2", share = 0.5 }
[metrics.orders]
kind = "mean"
topic = "outcomes"
value = "orders"
role = "primary"
"#;

const CANARY: &str = r#"
control = "champion"
label_horizon = "2h"
[arms]
champion = { model = "m/1" }
second = { model = "m/2" }
[labels]
topic = "outcomes"
outcome = "positive"
[canary]
percent = [10, 50]
step_max = "6 days"
looks = 3
[canary.criteria]
auc = { margin = 0.03, required = 250 }
missing = { margin = 0.005, required = 1000 }
"#;

/// Its folder.
pub fn application(world: &World) -> Result<Application> {
    let app = Application::empty("judged")?;
    app.write("event.avsc", EVENT)?;
    app.write("outcome.avsc", OUTCOME)?;
    app.write("events.toml", &format!("schema = \"event.avsc\"\n{SOURCE}"))?;
    app.write("outcomes.toml", &format!("schema = \"outcome.avsc\"\n{SOURCE}"))?;
    app.write(
        "inputs.toml",
        "key = \"user\"\ntime = \"at\"\nid = \"id\"\npartitions = 2\nretention = \"forever\"\n[features]\nstart = \"earliest\"\n",
    )?;
    app.write("inputs.sql", "SELECT id, at, user, zero, nil, good, noisy, gappy FROM events")?;
    app.write(
        "scores.toml",
        "key = \"unit\"\npartitions = 2\nretention = \"forever\"\n[predictions]\nfeatures = \"inputs\"\nunit = \"user\"\n",
    )?;
    app.write("deployments.toml", "[deployments]\nfirst = { scores = \"m/1\" }\n")?;
    app.write(
        "results.toml",
        "[experiments]\nwindow = \"1 day\"\nlateness = \"0s\"\ntopics = [\"outcomes\"]\n",
    )?;
    let kind = if world.kind == "ab" { AB } else { CANARY };
    app.write("experiments/x.toml", &format!("topic = \"scores\"\nkind = \"{}\"\n{kind}", world.kind))?;
    for (version, column) in [("1", world.first), ("2", world.second)] {
        model(&app, version, column)?;
    }
    Ok(app)
}

/// A logistic model of which one column matters: its third input weighs 0.173.
fn model(app: &Application, version: &str, column: &str) -> Result<()> {
    let from = repository().join("services/scorer/testdata/models/logistic/1");
    let text = std::fs::read_to_string(from.join("model.toml"))?;
    let text = text
        .replace("\"amount\", missing = \"reject\"", "\"zero\", default = 0.0")
        .replace("\"night\", default = 0.0", "\"nil\", default = 0.0")
        .replace("\"customer_tx_1d\", default = 1.0", &format!("\"{column}\", missing = \"reject\""));
    let to = app.folder().join("models/m").join(version);
    std::fs::create_dir_all(&to)?;
    std::fs::copy(from.join("model.onnx"), to.join("model.onnx"))?;
    std::fs::write(to.join("model.toml"), text)?;
    Ok(())
}

pub mod lines {
    //! What comes in a day.

    use anyhow::{Result, ensure};
    use millrace_experiments::assignment::hash::bucket;
    use millrace_experiments::random::Random;
    use millrace_tests::application::Application;
    use millrace_tests::foreign::{Producer, Topic};
    use millrace_tests::stack::Stack;
    use serde_json::{Value, json};

    use super::{DAY_MS, EVENTS, FROM_MS, World};

    /// Publishes a day's events and outcomes; its last events open the next day, so that it is over.
    pub fn publish(stack: &Stack, app: &Application, world: &World, day: i64) -> Result<()> {
        let mut random = Random::keyed("shop", &day.to_string());
        let from = if day == 0 { 0 } else { OPENING };
        let mut lines = Vec::new();
        for n in from..EVENTS + OPENING {
            let at = FROM_MS + day * DAY_MS + n * DAY_MS / EVENTS;
            lines.extend(event(world, &mut random, day * EVENTS + n, at));
        }
        // Outcomes are known an hour later; the two topics are written in the order of time.
        lines.sort_by_key(|line| line["at"].as_i64());
        let topics = ["events", "outcomes"].map(|stem| Topic::json(stem, "user", "at")).to_vec();
        let count = Producer::new(stack, app.name(), topics).publish_lines(&lines)?;
        ensure!(count == lines.len(), "{count} of {} lines", lines.len());
        Ok(())
    }

    /// So many events of the next day are published with a day: they pass its end by some time in each partition.
    const OPENING: i64 = 60;

    fn event(world: &World, random: &mut Random, number: i64, at: i64) -> [Value; 2] {
        let positive = random.chance(0.2);
        // A weight of 0.173 and the level of the model: scores spread, as they do.
        let shown = |spread: f64, random: &mut Random| {
            10.0 * (f64::from(u8::from(positive)) * 1.6 + spread * random.normal())
        };
        let (good, noisy) = (shown(1.0, random), shown(4.0, random));
        let gappy = if random.chance(0.02) { Value::Null } else { json!(good) };
        // A user comes once, so that its arm is met on its day.
        let (id, user) = (format!("e{number}"), format!("u{number}"));
        let second = bucket("x", &user) >= 5_000;
        let orders = random.normal() + if second { world.effect } else { 0.0 };
        [
            json!({"topic": "events", "id": id, "at": at, "user": user, "zero": 0.0, "nil": 0.0, "good": good, "noisy": noisy, "gappy": gappy}),
            json!({"topic": "outcomes", "id": id, "at": at + 3_600_000, "user": user, "positive": positive, "orders": orders}),
        ]
    }
}
