//! Declared detectors, checked: the algorithm and its parameters, and that it is given what it takes.

use std::sync::Arc;

use arrow::datatypes::{DataType, Schema};
use millrace_statistics::detectors::{Detector, Input, Parameters};
use millrace_topics::{Application, DetectorTable, DriftTable, Problem, TaskKind, Topic, Watches};

/// A detector that can run.
#[derive(Debug, Clone)]
pub struct Declared {
    /// What the topic file says.
    pub table: DetectorTable,
    /// It before its first value.
    pub fresh: Detector,
}

impl Declared {
    /// What events call it: the algorithm, and its name where that is another.
    pub fn method(&self) -> String {
        let (method, name) = (&self.table.method, &self.table.name);
        if method == name { method.clone() } else { format!("{method} ({name})") }
    }
}

/// Metrics that are no shares.
const NO_SHARES: [&str; 4] = ["log_loss", "mae", "rmse", "bias"];

/// The detectors of an application all of whose topics have their schemas, or what is wrong with them.
pub fn declared(
    app: &Application,
    drift: &Topic,
    table: &DriftTable,
) -> Result<Arc<Vec<Declared>>, Vec<Problem>> {
    let (mut all, mut problems) = (Vec::new(), Vec::new());
    for detector in &table.detectors {
        let problem = |key: &str, message: String| {
            drift.problem(&format!("drift.detectors.{}.{key}", detector.name), message)
        };
        match made(detector) {
            Ok(fresh) => {
                problems
                    .extend(unfit(app, table, detector, &fresh).map(|(key, message)| problem(key, message)));
                all.push(Declared { table: detector.clone(), fresh });
            }
            Err((key, message)) => problems.push(problem(key, message)),
        }
    }
    if problems.is_empty() { Ok(Arc::new(all)) } else { Err(problems) }
}

type Wrong = (&'static str, String);

fn made(table: &DetectorTable) -> Result<Detector, Wrong> {
    let mut parameters =
        Parameters::calibrated(&table.method).map_err(|error| ("method", error.to_string()))?;
    for (name, value) in &table.parameters {
        parameters.set(name, value).map_err(|error| ("parameters", error.to_string()))?;
    }
    Detector::new(parameters).map_err(|error| ("parameters", error.to_string()))
}

/// Why a detector cannot watch what it is to watch. Its guarantees hold for the values that it takes, and for no others.
fn unfit(app: &Application, table: &DriftTable, detector: &DetectorTable, fresh: &Detector) -> Option<Wrong> {
    let refused = |key: &'static str, what: String| {
        Some((key, format!("{} takes {}, and {what}", fresh.name(), fresh.input())))
    };
    match &detector.watches {
        Watches::Rows(column) | Watches::Mean(column) => {
            let features = table.features.as_ref().and_then(|stem| app.topic(stem))?;
            let rows: &Schema = features.kafka.schema.as_ref()?.arrow();
            let Ok(field) = rows.field_with_name(column) else {
                return Some(("column", format!("`{}` has no column `{column}`", features.stem)));
            };
            let kind = field.data_type();
            let boolean = *kind == DataType::Boolean;
            let mean = matches!(detector.watches, Watches::Mean(_));
            match fresh.input() {
                _ if !boolean && !kind.is_numeric() => {
                    Some(("column", format!("`{column}` is {kind}; a detector watches numbers and booleans")))
                }
                Input::Binary if mean => refused("column", "a mean is none".to_owned()),
                Input::Binary | Input::Unit if !boolean => refused(
                    "column",
                    format!("nothing says that `{column}` ({kind}) is: name a boolean column"),
                ),
                _ if !mean => kept(features, detector),
                _ => None,
            }
        }
        Watches::Scores => {
            let predictions = table.predictions.as_ref().and_then(|stem| app.topic(stem))?;
            match fresh.input() {
                Input::Binary => refused("column", "scores are none".to_owned()),
                Input::Unit if !matches!(table.task, TaskKind::Binary | TaskKind::Multiclass) => {
                    refused("column", "scores of this task are no probabilities".to_owned())
                }
                _ => kept(predictions, detector),
            }
        }
        Watches::Errors => None,
        Watches::Metric(metric) => match fresh.input() {
            Input::Binary => refused("metric", "a metric is none".to_owned()),
            Input::Unit if NO_SHARES.contains(&metric.as_str()) => {
                refused("metric", format!("`{metric}` has no upper bound"))
            }
            _ => None,
        },
    }
}

/// A detector of rows is rebuilt from the log: from twice its memory.
fn kept(topic: &Topic, detector: &DetectorTable) -> Option<Wrong> {
    let needed_ms = detector.memory_ms.saturating_mul(2);
    let kept_ms = topic.kafka.retention_ms.filter(|kept_ms| *kept_ms < needed_ms)?;
    let show = millrace_topics::show_duration;
    Some((
        "memory",
        format!(
            "asks `{}` to keep rows for twice as long, {}, and it keeps them for {}; raise its retention, or write a shorter memory",
            topic.stem,
            show(needed_ms),
            show(kept_ms)
        ),
    ))
}

/// What of the declared detectors watches rows of a topic of predictions, or of features.
pub fn detects_of(declared: &[Declared], predictions: bool) -> Vec<Declared> {
    let is = |one: &&Declared| match one.table.watches {
        Watches::Rows(_) => !predictions,
        Watches::Scores => predictions,
        Watches::Errors | Watches::Mean(_) | Watches::Metric(_) => false,
    };
    declared.iter().filter(is).cloned().collect()
}

/// What of the declared detectors watches whether decisions were right.
pub fn of_errors(declared: &[Declared]) -> Vec<Declared> {
    declared.iter().filter(|one| one.table.watches == Watches::Errors).cloned().collect()
}

/// What of the declared detectors watches windows.
pub fn of_windows(declared: &[Declared]) -> Vec<Declared> {
    let is = |one: &&Declared| matches!(one.table.watches, Watches::Mean(_) | Watches::Metric(_));
    declared.iter().filter(is).cloned().collect()
}
