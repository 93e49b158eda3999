//! What `[drift]` names, checked against the topics and columns that there are.

use arrow::datatypes::{DataType, Schema};

use crate::columns::check_column;
use crate::near::{did_you_mean, listed};
use crate::{Application, DriftTable, Problem, Role, TaskKind, Topic};

/// The topics that `[drift]` names: they exist, and are what they should be.
pub(crate) fn check_topics(app: &Application, topic: &Topic, unread: &dyn Fn(&str) -> bool) -> Vec<Problem> {
    let Role::Drift(table) = &topic.role else { return Vec::new() };
    let mut problems = Vec::new();
    let mut named = |key: &str, stem: &Option<String>, is: fn(&Role) -> bool, what: &str| {
        let Some(stem) = stem.as_ref().filter(|stem| !unread(stem)) else { return };
        match app.topic(stem).filter(|found| is(&found.role)) {
            Some(found) => problems.extend(check_id_and_time(topic, found)),
            None => {
                let all: Vec<&str> =
                    app.topics.iter().filter(|t| is(&t.role)).map(|t| t.stem.as_str()).collect();
                let hint = did_you_mean(stem, all.iter().copied());
                let message =
                    format!("there is no {what} `{stem}`, only {}{hint}", listed(all.iter().copied()));
                problems.push(topic.problem(&format!("drift.{key}"), message));
            }
        }
    };
    let rows = |role: &Role| matches!(role, Role::Features(_) | Role::Source);
    named("features", &table.features, rows, "source or feature topic");
    named(
        "predictions",
        &table.predictions,
        |role| matches!(role, Role::Predictions(_)),
        "topic with [predictions]",
    );
    let labels = table.labels.as_ref().map(|labels| labels.topic.clone());
    named("labels.topic", &labels, |role| matches!(role, Role::Source), "source topic");
    problems.extend(check_context(app, topic, table));
    problems
}

/// Windows need the time of a row, samples its id.
fn check_id_and_time(drift: &Topic, watched: &Topic) -> Vec<Problem> {
    let missing = [("id", watched.id.is_none()), ("time", watched.time.is_none())];
    let missing = missing.into_iter().filter(|(_, missing)| *missing);
    missing
        .map(|(key, _)| {
            let message = format!(
                "is missing; {}.toml watches this topic by the {key} of its rows, so name that column",
                drift.stem
            );
            watched.problem(key, message)
        })
        .collect()
}

/// Segments and groups of predictions are what the predictions pass on.
fn check_context(app: &Application, topic: &Topic, table: &DriftTable) -> Vec<Problem> {
    let predictions = table.predictions.as_ref().and_then(|stem| app.topic(stem));
    let Some(Role::Predictions(passed)) = predictions.map(|topic| &topic.role) else { return Vec::new() };
    let list: Vec<String> = table.list.iter().cloned().collect();
    let named = [("segments", &table.segments), ("groups", &table.groups), ("list", &list)];
    let named = named.into_iter().flat_map(|(key, names)| names.iter().map(move |name| (key, name)));
    named
        .filter(|(_, name)| !passed.context.contains(name))
        .map(|(key, name)| {
            let all = passed.context.iter().map(String::as_str);
            let hint = did_you_mean(name, all.clone());
            let message = format!(
                "predictions do not pass `{name}` on, only {}{hint}; add it to `context` of their topic file",
                listed(all)
            );
            topic.problem(&format!("drift.{key}"), message)
        })
        .collect()
}

/// Checks the columns that a `[drift]` topic names against the rows of the topics that it watches, which need their
/// schemas. Topics of other roles have no problem.
pub fn check_drift(app: &Application, topic: &Topic) -> Vec<Problem> {
    let Role::Drift(table) = &topic.role else { return Vec::new() };
    let rows =
        |stem: &Option<String>| Some(app.topic(stem.as_ref()?)?.kafka.schema.as_ref()?.arrow().clone());
    let mut problems = Vec::new();
    if let Some(rows) = rows(&table.features) {
        for (key, names) in
            [("columns", &table.columns), ("ignore", &table.ignore), ("segments", &table.segments)]
        {
            let wrong =
                names.iter().filter_map(|name| check_column(&rows, name, watchable, "no list or map"));
            problems.extend(wrong.map(|message| topic.problem(&format!("drift.{key}"), message)));
        }
        if let Some(watched) = table.features.as_ref().and_then(|stem| app.topic(stem))
            && watched_columns(table, watched, &rows).is_empty()
        {
            problems.push(topic.problem("drift.columns", "leave nothing to watch; name some columns"));
        }
    }
    let Some(labels) = &table.labels else { return problems };
    if let Some(rows) = rows(&Some(labels.topic.clone())) {
        let text = |kind: &DataType| kind.is_integer() || matches!(kind, DataType::Utf8);
        let id = labels.id.as_ref().and_then(|id| check_column(&rows, id, text, "a string or an integer"));
        problems.extend(id.map(|message| topic.problem("drift.labels.id", message)));
        let (fits, wanted) = outcome_type(table.task);
        let outcome = check_column(&rows, &labels.outcome, fits, wanted);
        problems.extend(outcome.map(|message| topic.problem("drift.labels.outcome", message)));
    }
    problems
}

fn outcome_type(task: TaskKind) -> (fn(&DataType) -> bool, &'static str) {
    match task {
        TaskKind::Binary => (
            |kind| matches!(kind, DataType::Boolean) || kind.is_numeric(),
            "a boolean, or a number: 0 is negative",
        ),
        TaskKind::Multiclass => (
            |kind| matches!(kind, DataType::Utf8 | DataType::Boolean) || kind.is_integer(),
            "a string or an integer",
        ),
        TaskKind::Regression | TaskKind::Ranking => (DataType::is_numeric, "a number"),
    }
}

/// The columns of `rows` that a `[drift]` table watches of `topic`, in the rows' order.
pub fn watched_columns(table: &DriftTable, topic: &Topic, rows: &Schema) -> Vec<String> {
    let named = |name: &String| match table.columns.is_empty() {
        true => topic.id.as_ref() != Some(name) && topic.time.as_ref() != Some(name),
        false => table.columns.contains(name),
    };
    let fields = rows.fields().iter().filter(|field| watchable(field.data_type()));
    fields
        .map(|field| field.name().clone())
        .filter(|name| named(name) && !table.ignore.contains(name))
        .collect()
}

fn watchable(kind: &DataType) -> bool {
    kind.is_numeric() || matches!(kind, DataType::Boolean | DataType::Utf8 | DataType::Timestamp(_, _))
}
