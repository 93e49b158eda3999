//! Passes on what people say and what is deployed to the one journal that is judged; where an experiment runs that needs
//! it, how scorers do ([`stats`]) and how lists ended ([`outcomes`]), too.

mod outcomes;
mod runs;
mod stats;

use millrace_runtime::task::{Batch, Effects, Progress, Task, TaskError};
use millrace_schemas::envelope::{Deployment, ExperimentCommand, Record as _};

pub use outcomes::Outcomes;
pub use stats::Stats;

use super::Error;
use super::note::{Message, Note, Outgoing, cause};

/// What a topic holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relayed {
    /// Commands.
    Commands,
    /// Deployments.
    Deployments,
}

/// The task of one partition; it has no state.
pub struct Relay(pub Relayed);

impl Relay {
    fn take(&self, batch: &Batch, effects: &mut Effects) -> Result<(), Error> {
        let Some(input) = batch.inputs.first() else { return Ok(()) };
        let mut out = Outgoing::default();
        for (row, meta) in input.meta.iter().enumerate() {
            // One by one: one that cannot be read must not hide the others.
            let rows = input.rows.slice(row, 1);
            let note = match self.0 {
                Relayed::Commands => {
                    ExperimentCommand::from_batch(&rows).map(|mut all| all.pop().map(Note::Command))
                }
                Relayed::Deployments => Deployment::from_batch(&rows).map(|mut all| {
                    let deployment = all.pop().map(Box::new);
                    deployment.map(|deployment| Note::Deployed { offset: meta.offset, deployment })
                }),
            };
            match note {
                Ok(Some(note)) => out.push(cause(row), Message::of(meta.time_ms, note)),
                Ok(None) => {}
                Err(error) => tracing::warn!(what = ?self.0, offset = meta.offset, %error, "passed over"),
            }
        }
        out.finish(0, effects)
    }
}

impl Task for Relay {
    fn apply(&mut self, batch: &Batch, effects: &mut Effects) -> Result<(), TaskError> {
        Ok(self.take(batch, effects)?)
    }

    fn progress(&self) -> Progress {
        Progress { task_time_ms: None, rebuild_from: vec![None] }
    }

    fn restore(&mut self, _: &Progress) {}
}
