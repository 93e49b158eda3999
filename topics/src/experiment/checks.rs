//! What definitions name, checked against the topics and columns that there are.

use std::collections::BTreeMap;

use super::{Column, ExperimentKind, ParsedExperiment, columns_of};
use crate::near::{did_you_mean, listed};
use crate::{Application, Problem, Role, Topic};

/// Metrics of a canary that are not metrics of arms.
const OF_SCORES: [&str; 4] = ["auc", "log_loss", "brier", "agreement"];
const OF_STATS: [&str; 3] = ["latency", "errors", "missing"];

/// Problems of all definitions of an application.
pub(crate) fn check(app: &Application, all: &[ParsedExperiment]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let (mut names, mut salts) = (BTreeMap::new(), BTreeMap::new());
    for one in all {
        let definition = &one.definition;
        if let Some(other) = names.insert(&definition.name, &one.file) {
            problems
                .push(one.problem("name", format!("`{}` is in {} too", definition.name, other.display())));
        }
        if let Some(other) = salts.insert(&definition.salt, &definition.name) {
            let message = format!("experiment `{other}` has it too: the same units would be split alike");
            problems.push(one.problem("salt", message));
        }
        problems.extend(check_one(app, one));
    }
    problems
}

fn check_one(app: &Application, one: &ParsedExperiment) -> Vec<Problem> {
    let definition = &one.definition;
    let interleaves = definition.kind == ExperimentKind::Interleave;
    let is = move |topic: &&Topic| match topic.role {
        Role::Rankings(_) => true,
        Role::Predictions(_) => !interleaves,
        _ => false,
    };
    let mut problems = Vec::new();
    let predictions = app.topics.iter().filter(is).find(|topic| topic.stem == definition.topic);
    let Some(predictions) = predictions else {
        let all: Vec<&str> = app.topics.iter().filter(is).map(|topic| topic.stem.as_str()).collect();
        let what = if interleaves { "rankings" } else { "predictions" };
        let hint = did_you_mean(&definition.topic, all.iter().copied());
        let message = format!(
            "there is no topic of {what} `{}`, only {}{hint}",
            definition.topic,
            listed(all.iter().copied())
        );
        return vec![one.problem("topic", message)];
    };
    if app.experiments().is_none() {
        let message =
            "no topic file has a table [experiments], where results go; add experiment-results.toml";
        problems.push(one.problem("topic", message.to_owned()));
    }
    for metric in &definition.metrics {
        let at = |key: &str| format!("metrics.{}.{key}", metric.name);
        problems.extend(check_source(app, one, predictions, &at("topic"), &metric.topic));
        for column in columns_of(metric) {
            problems.extend(check_source(app, one, predictions, &at("value"), &column.topic));
            problems.extend(check_column(app, one, &at("value"), &column));
        }
    }
    if let Some(labels) = &definition.labels {
        problems.extend(check_source(app, one, predictions, "labels.topic", &labels.topic));
        let column = Column::of(&labels.topic, &labels.outcome);
        problems.extend(check_column(app, one, "labels.outcome", &column));
    }
    problems.extend(check_criteria(one));
    problems.dedup();
    problems
}

/// Rows of one unit must lie in partitions of one number.
fn check_source(
    app: &Application,
    one: &ParsedExperiment,
    predictions: &Topic,
    key: &str,
    stem: &str,
) -> Option<Problem> {
    let Some(topic) = app.topic(stem) else {
        let all = app.topics.iter().map(|topic| topic.stem.as_str());
        let hint = did_you_mean(stem, all);
        return Some(one.problem(key, format!("there is no topic `{stem}`{hint}")));
    };
    if topic.stem == predictions.stem {
        return None;
    }
    if let Some(Role::Experiments(table)) = app.experiments().map(|topic| &topic.role)
        && !table.topics.iter().any(|read| read == stem)
    {
        let message = format!("topic `{stem}` is not read: name it in `topics` of the table [experiments]");
        return Some(one.problem(key, message));
    }
    // Predictions are keyed by the unit, whatever the column is named where it comes from.
    let unit = match &predictions.role {
        Role::Predictions(table) => &table.unit,
        Role::Rankings(table) => &table.unit,
        _ => return None,
    };
    let (a, b) = (&predictions.kafka, &topic.kafka);
    let differs = if b.key.as_ref() != Some(unit) {
        format!("is keyed by {}, and the unit is `{unit}`", b.key.as_deref().unwrap_or("nothing"))
    } else if a.partitions != b.partitions || a.partitioner != b.partitioner {
        format!("has other partitions than {}.toml", predictions.stem)
    } else if topic.time.is_none() || topic.id.is_none() {
        "has no `time` or no `id`".to_owned()
    } else {
        return None;
    };
    let message = format!("topic `{stem}` {differs}; rows of a unit must lie in partitions of one number");
    Some(one.problem(key, message))
}

fn check_column(app: &Application, one: &ParsedExperiment, key: &str, column: &Column) -> Option<Problem> {
    let schema = app.topic(&column.topic)?.kafka.schema.as_ref()?;
    let fields = schema.arrow().fields();
    if fields.iter().any(|field| *field.name() == column.name) {
        return None;
    }
    let all = fields.iter().map(|field| field.name().as_str());
    let hint = did_you_mean(&column.name, all);
    Some(one.problem(key, format!("topic `{}` has no column `{}`{hint}", column.topic, column.name)))
}

fn check_criteria(one: &ParsedExperiment) -> Vec<Problem> {
    let definition = &one.definition;
    let mut problems = Vec::new();
    for criterion in definition.canary.iter().flat_map(|canary| &canary.criteria) {
        let name = criterion.metric.as_str();
        let key = format!("canary.criteria.{name}");
        if OF_SCORES.contains(&name) && name != "agreement" && definition.labels.is_none() {
            problems
                .push(one.problem(&key, "needs outcomes; write [labels] with topic and outcome".to_owned()));
        }
        let own = definition.metrics.iter().map(|metric| metric.name.as_str());
        let all: Vec<&str> = OF_SCORES.into_iter().chain(OF_STATS).chain(own).collect();
        if !all.contains(&name) {
            let hint = did_you_mean(name, all.iter().copied());
            let message = format!("there is no metric `{name}`, only {}{hint}", listed(all.iter().copied()));
            problems.push(one.problem(&key, message));
        }
    }
    if matches!(definition.kind, ExperimentKind::Ab | ExperimentKind::Bandit)
        && definition.primary().is_none()
    {
        let message = "none is primary: say of one metric role = \"primary\", what is decided by";
        problems.push(one.problem("metrics", message.to_owned()));
    }
    problems
}
