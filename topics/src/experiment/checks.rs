//! What definitions name, checked against the topics and columns that there are.

use std::collections::BTreeMap;

use super::{Column, Draft, ExperimentDefinition, ExperimentKind, columns_of};
use crate::near::{did_you_mean, listed};
use crate::{Application, Problem, Role, Topic, show_duration};

const DAY_MS: i64 = 86_400_000;

/// Metrics of a canary that are not metrics of arms.
const OF_SCORES: [&str; 4] = ["auc", "log_loss", "brier", "agreement"];
const OF_STATS: [&str; 3] = ["latency", "errors", "missing"];

/// Notes what is wrong with drafts beside the topics and beside one another.
pub(crate) fn check(app: &Application, drafts: &mut [Draft]) {
    let (mut names, mut salts) = (BTreeMap::new(), BTreeMap::new());
    let mut found = Vec::with_capacity(drafts.len());
    for one in drafts.iter() {
        let mut problems = Vec::new();
        let Some(definition) = &one.definition else {
            found.push(problems);
            continue;
        };
        if let Some(other) = names.insert(&definition.name, &one.file) {
            problems.push(
                one.file
                    .problem("name", format!("`{}` is in {} too", definition.name, other.path().display())),
            );
        }
        if let Some(other) = salts.insert(&definition.salt, &definition.name) {
            let message = format!("experiment `{other}` has it too: the same units would be split alike");
            problems.push(one.file.problem("salt", message));
        }
        problems.extend(check_one(app, one, definition));
        found.push(problems);
    }
    for (one, problems) in drafts.iter_mut().zip(found) {
        one.problems.extend(problems);
    }
}

fn check_one(app: &Application, one: &Draft, definition: &ExperimentDefinition) -> Vec<Problem> {
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
        return vec![one.file.problem("topic", message)];
    };
    if app.experiments().is_none() {
        let message =
            "no topic file has a table [experiments], where results go; add experiment-results.toml";
        problems.push(one.file.problem("topic", message.to_owned()));
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
    if interleaves {
        let is_told = |topic: &Topic| matches!(&topic.role, Role::ClickFeedback(table) if table.rankings == definition.topic);
        if !app.topics.iter().any(is_told) {
            let message = format!(
                "no topic file with [click_feedback] reads the clicks on `{}`, by which lists are judged; add click-feedback.toml",
                definition.topic
            );
            problems.push(one.file.problem("topic", message));
        }
    }
    problems.extend(check_criteria(one, definition));
    problems.extend(check_retention(app, one, definition, predictions));
    problems.dedup();
    problems
}

/// Rows of one unit must lie in partitions of one number.
fn check_source(
    app: &Application,
    one: &Draft,
    predictions: &Topic,
    key: &str,
    stem: &str,
) -> Option<Problem> {
    let Some(topic) = app.topic(stem) else {
        let all = app.topics.iter().map(|topic| topic.stem.as_str());
        let hint = did_you_mean(stem, all);
        return Some(one.file.problem(key, format!("there is no topic `{stem}`{hint}")));
    };
    if topic.stem == predictions.stem {
        return None;
    }
    if let Some(Role::Experiments(table)) = app.experiments().map(|topic| &topic.role)
        && !table.topics.iter().any(|read| read == stem)
    {
        let results = app.experiments().map_or("experiment-results", |topic| &topic.stem);
        let topics = listed_as_toml(table.topics.iter().map(String::as_str).chain([stem]));
        let message = format!(
            "topic `{stem}` is not read beside the predictions: write topics = {topics} under [experiments] in \
             {results}.toml, and start the service anew"
        );
        return Some(one.file.problem(key, message));
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
    Some(one.file.problem(key, message))
}

fn check_column(app: &Application, one: &Draft, key: &str, column: &Column) -> Option<Problem> {
    let schema = app.topic(&column.topic)?.kafka.schema.as_ref()?;
    let fields = schema.arrow().fields();
    if fields.iter().any(|field| *field.name() == column.name) {
        return None;
    }
    let all = fields.iter().map(|field| field.name().as_str());
    let hint = did_you_mean(&column.name, all);
    Some(one.file.problem(key, format!("topic `{}` has no column `{}`{hint}", column.topic, column.name)))
}

fn check_criteria(one: &Draft, definition: &ExperimentDefinition) -> Vec<Problem> {
    let mut problems = Vec::new();
    for criterion in definition.canary.iter().flat_map(|canary| &canary.criteria) {
        let name = criterion.metric.as_str();
        let key = format!("canary.criteria.{name}");
        if OF_SCORES.contains(&name) && name != "agreement" && definition.labels.is_none() {
            problems.push(
                one.file.problem(&key, "needs outcomes; write [labels] with topic and outcome".to_owned()),
            );
        }
        let own = definition.metrics.iter().map(|metric| metric.name.as_str());
        let all: Vec<&str> = OF_SCORES.into_iter().chain(OF_STATS).chain(own).collect();
        if !all.contains(&name) {
            let hint = did_you_mean(name, all.iter().copied());
            let message = format!("there is no metric `{name}`, only {}{hint}", listed(all.iter().copied()));
            problems.push(one.file.problem(&key, message));
        }
    }
    if matches!(definition.kind, ExperimentKind::Ab | ExperimentKind::Bandit)
        && definition.primary().is_none()
    {
        let message = "none is primary: say of one metric role = \"primary\", what is decided by";
        problems.push(one.file.problem("metrics", message.to_owned()));
    }
    problems
}

/// What is counted is rebuilt from the topics since the start, so they must be kept for as long as it may take.
fn check_retention(
    app: &Application,
    one: &Draft,
    definition: &ExperimentDefinition,
    predictions: &Topic,
) -> Vec<Problem> {
    let needed_ms = definition.longest_ms();
    let keys: &[&str] = if definition.kind == ExperimentKind::Canary {
        &["canary.step_max", "canary"]
    } else {
        &["max_duration", "kind"]
    };
    let key = one.file.written(keys);
    let shorter = |topic: &&Topic| topic.kafka.retention_ms.is_some_and(|kept_ms| kept_ms < needed_ms);
    let others = definition.topics();
    let read = others.iter().filter_map(|stem| app.topic(stem));
    let short: Vec<&Topic> = std::iter::once(predictions).chain(read).filter(shorter).collect();
    let problem = |topic: &Topic| {
        let message = format!(
            "the experiment may take {}, and what is counted is rebuilt from {}.toml, which keeps {}: write retention = \
             \"{} days\" there, or less time here",
            show_duration(needed_ms),
            topic.stem,
            topic.kafka.retention_ms.map_or_else(String::new, show_duration),
            needed_ms.div_euclid(DAY_MS) + 1
        );
        one.file.problem(key, message)
    };
    short.into_iter().map(problem).collect()
}

fn listed_as_toml<'a>(stems: impl Iterator<Item = &'a str>) -> String {
    let stems: Vec<String> = stems.map(|stem| format!("\"{stem}\"")).collect();
    format!("[{}]", stems.join(", "))
}
