//! Runs a task over a batch and makes its effects ready to be written.

use crate::dead_letters::Letter;
use crate::error::Error;
use crate::output::{OutBatch, PendingBatch};
use crate::running::{Drawn, RunningTask};
use crate::stage::RunningStage;
use crate::store::{Version, VersionedWrite};
use crate::task::{Effects, Phase, TaskError};

/// What a batch caused.
pub struct Applied {
    /// To produce.
    pub pending: PendingBatch,
    /// To write to the online store.
    pub writes: Vec<VersionedWrite>,
    /// Rows that the view's own SQL filtered.
    pub filtered: u64,
    /// Rows that came too late to count.
    pub late: u64,
}

impl RunningTask {
    /// Runs the task over a batch that was drawn just now.
    pub fn apply(&mut self, stage: &mut RunningStage, drawn: Drawn) -> Result<Applied, Error> {
        let Drawn { batch, causes, mut letters, .. } = drawn;
        let mut effects = Effects::default();
        if !batch.order.is_empty() {
            self.task.apply(&batch, &mut effects).map_err(|source| Error::Task {
                stage: stage.stage.name.clone(),
                partition: self.key.1,
                source,
            })?;
        }
        let writes = match batch.phase {
            Phase::Live => self.versioned(&mut effects, self.inputs.iter().map(|i| i.offsets.taken()).sum()),
            // What was committed before is written anew: no older version may stand above it.
            Phase::RebuildStore => {
                self.versioned(&mut effects, self.inputs.iter().map(|i| i.rebuild_to).sum())
            }
            Phase::Rebuild | Phase::Warm => Vec::new(),
        };
        let mut outputs = Vec::new();
        if batch.phase == Phase::Live {
            for rejection in &effects.rejected {
                if let Some(cause) = causes.get(rejection.row as usize) {
                    letters.push(Letter::of_row(cause, rejection.reason, rejection.detail.clone()));
                }
            }
            for output in std::mem::take(&mut effects.outputs) {
                outputs.push(self.encode(stage, output)?);
            }
        }
        Ok(Applied {
            pending: PendingBatch::new(self.key, causes, outputs, letters, stage.repeats),
            writes,
            filtered: effects.filtered,
            late: effects.late,
        })
    }

    fn encode(&self, stage: &mut RunningStage, output: crate::task::Output) -> Result<OutBatch, Error> {
        let Some(topic) = stage.outputs.get_mut(output.topic) else {
            let source = TaskError(format!("output {} does not exist", output.topic));
            return Err(Error::Task { stage: stage.stage.name.clone(), partition: self.key.1, source });
        };
        let rows = topic.encode(&output.rows)?;
        Ok(OutBatch { topic: topic.name().clone(), rows, cause: output.cause, late: output.late })
    }

    fn versioned(&self, effects: &mut Effects, offsets: i64) -> Vec<VersionedWrite> {
        let version = Version { epoch_ms: self.epoch_ms, offsets };
        effects.writes.drain(..).map(|write| VersionedWrite { write, version }).collect()
    }
}
