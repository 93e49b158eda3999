//! The service: which tasks watch which topics, what they tell each other, and who judges.
//!
//! Rows of every partition become profiles of windows ([`observe`]), which one task merges and has judged
//! ([`judge_rows`]). Predictions meet their labels by id ([`join`]); what is known of a window of them is judged by
//! another ([`judge_outcomes`]). Served rows are compared with what the log gives ([`skew`]). What both say, what people say to alarms, and the clock's ticks stand in one log, the
//! journal, from which one task keeps the states of alarms and triggers and writes reports and requests ([`report`]).

mod alarms;
mod by_id;
mod clock;
mod commands;
mod detect;
mod error;
#[cfg(test)]
mod flow_tests;
mod grid;
mod join;
mod judge_outcomes;
mod judge_rows;
mod judging;
mod layout;
mod measures;
mod message;
mod notes;
mod observe;
mod outputs;
mod past;
mod report;
mod scores_of;
mod shared;
mod skew;
mod stages;
mod stream;
mod triggers;

use millrace_topics::graph::Step;
use millrace_topics::{Application, KafkaTopic, Problem, check_drift};

pub use alarms::{AlarmBook, alarms, events, say};
pub use error::Error;
pub use judging::{ModelFacts, Models, QUALITY, REFERENCE, THRESHOLDS};
pub use layout::windows as window_of;
pub use stages::services;

/// The topics that the service needs besides those that topic files name, and its part of the dataflow.
#[derive(Debug, Clone, Default)]
pub struct DriftTopics {
    /// Topics between its tasks.
    pub internal: Vec<KafkaTopic>,
    /// For `topics graph`.
    pub steps: Vec<Step>,
}

/// The topics of an application's drift service; none where nothing is watched. All topics must have their schemas.
pub fn topics(app: &Application) -> Result<DriftTopics, Error> {
    if app.drift().is_none() {
        return Ok(DriftTopics::default());
    }
    let layout = layout::Layout::of(app)?;
    Ok(DriftTopics { internal: layout.internal(), steps: layout.steps() })
}

/// What is wrong with what is watched: columns that there are not, references that cannot be read. All topics must have
/// their schemas.
pub fn check(app: &Application) -> Vec<Problem> {
    let Some(drift) = app.drift() else { return Vec::new() };
    let problems = check_drift(app, drift);
    if !problems.is_empty() {
        return problems;
    }
    match layout::Layout::of(app) {
        Ok(_) => Vec::new(),
        Err(Error::Problems(problems)) => problems,
        Err(error) => vec![drift.problem("drift.reference", error.to_string())],
    }
}

fn missing(app: &Application, key: &str, what: &str) -> Error {
    Error::Problems(vec![Problem::new(&app.folder, None, Some(key), format!("needs {what}"))])
}
