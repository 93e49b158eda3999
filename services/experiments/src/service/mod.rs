//! The service: which tasks read which topics.
//!
//! [`clicks`] brings lists and clicks together. Commands, deployments, how scorers do and what observers count
//! ([`observe`]) stand in one log, the journal, in the order of which one task judges ([`judge`]). Its decisions become
//! deployments by a thread that follows the results ([`deployer`]). What stages need besides the topics of topic files,
//! and their part of the dataflow, they say in [`topics`].

mod book;
mod clicks;
mod columns;
mod counted;
mod deployer;
mod error;
mod judge;
mod judge_task;
mod layout;
mod note;
mod observe;
mod relay;
mod silence;
mod silence_clock;
mod stages;
mod tasks;
mod window;

use millrace_runtime::service::MakeTask;
use millrace_topics::graph::Step;
use millrace_topics::{Application, KafkaTopic};

pub use book::{commands, first_deployment, is_answered, results, say};
pub use error::Error;
pub use stages::services;

/// The topics that the service needs besides those that topic files name, and its part of the dataflow.
#[derive(Debug, Clone, Default)]
pub struct ExperimentTopics {
    /// Topics between its tasks.
    pub internal: Vec<KafkaTopic>,
    /// For `topics graph`.
    pub steps: Vec<Step>,
}

/// The topics of an application's experiments service; none where nothing asks for it.
///
/// # Errors
/// If topic files do not fit each other, which `check` says too.
pub fn topics(app: &Application) -> Result<ExperimentTopics, Error> {
    let mut topics = ExperimentTopics::default();
    if let Some(clicks) = clicks::Layout::of(app)? {
        topics.internal.push(clicks.ticks().clone());
        topics.steps.push(clicks.step());
    }
    if let Some(judged) = layout::Layout::of(app)? {
        topics.internal.extend(judged.internal());
        topics.steps.extend(judged.steps());
    }
    Ok(topics)
}

/// Makes the tasks that bring lists and clicks together, without a clock: for whoever feeds them by hand. None where
/// nothing asks for click feedback. Inputs: lists, impressions (where there are any), clicks, and the ticks of
/// [`topics`]' first internal topic.
///
/// # Errors
/// As [`topics`].
pub fn click_tasks(app: &Application) -> Result<Option<MakeTask>, Error> {
    let Some(clicks) = clicks::Layout::of(app)? else { return Ok(None) };
    Ok(Some(clicks.tasks(Default::default())?))
}
