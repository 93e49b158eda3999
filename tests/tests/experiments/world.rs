//! A small shop: events whose outcomes a model foretells, and orders that hang on the arm that served.

use anyhow::Result;
use millrace_tests::application::{Application, repository};

/// What is tried.
#[derive(Debug, Clone, Copy)]
pub struct World {
    /// The experiment.
    pub definition: &'static str,
    /// The column that the first version's score is made of, and the second's.
    pub first: &'static str,
    pub second: &'static str,
    /// What the second version's score is made by: a model of the scorer's tests that scores as `logistic` does.
    pub second_model: &'static str,
    /// How much more users of the second arm order.
    pub effect: f64,
    /// How long it goes on at most.
    pub days: i64,
}

impl World {
    /// Two versions alike, one of them a canary.
    pub const CANARY: Self = Self::of(CANARY);
    /// The same, judged by how long they take alone.
    pub const SPEED: Self = Self::of(SPEED);
    /// Two arms alike.
    pub const AB: Self = Self::of(AB);
    /// Two versions alike, one of which watches.
    pub const SHADOW: Self = Self::of(SHADOW);

    pub const fn of(definition: &'static str) -> Self {
        let (first, second, second_model) = ("good", "good", "logistic");
        Self { definition, first, second, second_model, effect: 0.0, days: 16 }
    }
}

const EVENT: &str = r#"{"type": "record", "name": "Event", "namespace": "shop", "fields": [
    {"name": "id", "type": "string"},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    {"name": "user", "type": "string"},
    {"name": "zero", "type": "double"},
    {"name": "nil", "type": "double"},
    {"name": "good", "type": "double"},
    {"name": "noisy", "type": "double"},
    {"name": "near", "type": "double"},
    {"name": "country", "type": "string"},
    {"name": "gappy", "type": ["null", "double"], "default": null}]}"#;

const OUTCOME: &str = r#"{"type": "record", "name": "Outcome", "namespace": "shop", "fields": [
    {"name": "id", "type": "string"},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    {"name": "user", "type": "string"},
    {"name": "positive", "type": "boolean"},
    {"name": "orders", "type": "double"},
    {"name": "ordered", "type": "boolean"}]}"#;

const SOURCE: &str = "format = \"json\"\nkey = \"user\"\ntime = \"at\"\nid = \"id\"\npartitions = 2\nretention = \"forever\"\n\
                      max_ahead = \"1 day\"\n";

const AB: &str = r#"
kind = "ab"
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
kind = "canary"
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
missing = { margin = 0.005, required = 2000 }
"#;

const SPEED: &str = r#"
kind = "canary"
control = "champion"
[arms]
champion = { model = "m/1" }
second = { model = "m/2" }
[canary]
percent = [10, 50]
step_max = "4 days"
looks = 3
[canary.criteria]
latency = { margin = 0.02, required = 10 }
"#;

const SHADOW: &str = r#"
kind = "shadow"
control = "champion"
automatic = true
label_horizon = "2h"
segments = ["country"]
[arms]
champion = { model = "m/1" }
second = { model = "m/2" }
[labels]
topic = "outcomes"
outcome = "positive"
[canary]
looks = 3
[canary.criteria]
auc = { margin = 0.03, required = 700 }
agreement = { margin = 0.15, required = 2000 }
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
    app.write("inputs.sql", "SELECT id, at, user, country, zero, nil, good, noisy, near, gappy FROM events")?;
    app.write(
        "scores.toml",
        "key = \"unit\"\npartitions = 2\nretention = \"forever\"\n[predictions]\nfeatures = \"inputs\"\nunit = \"user\"\ncontext = [\"country\"]\n",
    )?;
    app.write("deployments.toml", "[deployments]\nfirst = { scores = \"m/1\" }\n")?;
    app.write(
        "results.toml",
        "[experiments]\nwindow = \"1 day\"\nlateness = \"0s\"\ntopics = [\"outcomes\"]\n",
    )?;
    app.write("experiments/x.toml", &format!("topic = \"scores\"\n{}", world.definition))?;
    model(&app, "1", "logistic", world.first)?;
    model(&app, "2", world.second_model, world.second)?;
    Ok(app)
}

/// A logistic model of which one column matters: its third input weighs 0.173.
fn model(app: &Application, version: &str, model: &str, column: &str) -> Result<()> {
    let from = repository().join("services/scorer/testdata/models").join(model).join("1");
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
