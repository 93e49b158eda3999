//! Passes on what people say to alarms: in one log with what is judged, so that a replay hears it at the same place.

use millrace_runtime::task::{Batch, Effects, Progress, Task, TaskError};
use millrace_schemas::envelope::{DriftCommand, Record as _};

use super::Error;
use super::message::Message;
use super::notes::Entry;
use super::observe::cause;
use super::outputs::Outgoing;

/// The task of the topic of commands.
#[derive(Debug, Default)]
pub struct Commands;

impl Commands {
    fn take(batch: &Batch, effects: &mut Effects) -> Result<(), Error> {
        let Some(input) = batch.inputs.first() else { return Ok(()) };
        let commands =
            DriftCommand::from_batch(&input.rows).map_err(|error| Error::Internal(error.to_string()))?;
        let mut out = Outgoing::default();
        for (row, command) in commands.into_iter().enumerate() {
            let body = serde_json::to_vec(&command).map_err(|error| Error::Internal(error.to_string()))?;
            let head = Entry::Command { id: command.id };
            out.push(cause(row), Message { key: None, time_ms: command.time_ms, head, body });
        }
        out.finish(0, effects)
    }
}

impl Task for Commands {
    fn apply(&mut self, batch: &Batch, effects: &mut Effects) -> Result<(), TaskError> {
        Ok(Self::take(batch, effects)?)
    }

    fn progress(&self) -> Progress {
        Progress { task_time_ms: None, rebuild_from: vec![None] }
    }

    fn restore(&mut self, _: &Progress) {}
}
