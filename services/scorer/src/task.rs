//! Feature rows in, predictions out: the core of the scorer.

use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use millrace_runtime::task::{Batch, Effects, Input, Output, Phase, Progress, Rejection, Task, TaskError};

use crate::envelope::{Envelope, Predicted, take};
use crate::serving::Serving;
use crate::version::Version;

/// Scores one partition of a feature topic. Between two batches it takes the champion that serves then; within one, all
/// rows have the same.
pub struct ScorerTask {
    serving: Serving,
    envelope: Envelope,
    task_time_ms: Option<i64>,
}

/// Rows that are still to be predicted: each with its place in the batch's order.
struct Rows {
    columns: RecordBatch,
    order: Vec<u32>,
}

impl Rows {
    /// Leaves out the rows that `faults` names by their index here, as rejections.
    fn reject(
        self,
        faults: Vec<(u32, &'static str, String)>,
        rejected: &mut Vec<Rejection>,
    ) -> Result<Self, ArrowError> {
        if faults.is_empty() {
            return Ok(self);
        }
        let mut keep = vec![true; self.order.len()];
        for (row, reason, detail) in faults {
            keep[row as usize] = false;
            rejected.push(Rejection { row: self.order[row as usize], reason, detail });
        }
        let kept: Vec<u32> = (0..).zip(keep).filter(|(_, keep)| *keep).map(|(row, _)| row).collect();
        let order = kept.iter().map(|row| self.order[*row as usize]).collect();
        Ok(Self { columns: take(&self.columns, &kept)?, order })
    }
}

impl ScorerTask {
    /// A task that writes predictions as `envelope` makes them, with what serves.
    pub fn new(serving: Serving, envelope: Envelope) -> Self {
        Self { serving, envelope, task_time_ms: None }
    }

    fn predict(&self, batch: &Batch, input: &Input, effects: &mut Effects) -> Result<(), TaskError> {
        let deployed = self.serving.deployed().map_err(TaskError)?;
        let champion = deployed.champion();
        let taken: Vec<u32> = batch.order.iter().map(|taken| taken.row).collect();
        let failed = |error: ArrowError| TaskError(format!("feature rows cannot be scored: {error}"));
        let rows = Rows {
            columns: take(&input.rows, &taken).map_err(failed)?,
            order: (0..).take(taken.len()).collect(),
        };
        let faults = (0..).take(rows.order.len()).filter_map(|row: u32| {
            self.envelope.fault(&rows.columns, row as usize).map(|(reason, detail)| (row, reason, detail))
        });
        let faults = faults.collect();
        let rows = rows.reject(faults, &mut effects.rejected).map_err(failed)?;
        let (rows, scores) = score(champion, rows, &mut effects.rejected)?;
        if scores.is_empty() {
            return Ok(());
        }
        let file = champion.file();
        let predicted = Predicted {
            model: &champion.reference().model,
            version: &champion.reference().version,
            deployment: deployed.offset,
            decisions: scores.iter().map(|score| file.decision.of(*score)).collect(),
            scores,
        };
        let predictions = self.envelope.rows(&rows.columns, &predicted).map_err(failed)?;
        effects.outputs.push(Output {
            topic: 0,
            rows: predictions,
            late: late(input, &taken, &rows.order),
            cause: rows.order,
        });
        Ok(())
    }
}

/// Scores rows by one run of the model, and rejects those that it has no score for.
fn score(
    champion: &Version,
    rows: Rows,
    rejected: &mut Vec<Rejection>,
) -> Result<(Rows, Vec<f64>), TaskError> {
    let failed = |error: ArrowError| TaskError(format!("feature rows cannot be scored: {error}"));
    let matrix = champion.columns.matrix(&rows.columns).map_err(failed)?;
    let missing = matrix.rejected.into_iter().map(|(row, detail)| (row, "missing_input", detail)).collect();
    let rows = rows.reject(missing, rejected).map_err(failed)?;
    let scores = champion.score(&matrix.values).map_err(|error| TaskError(error.to_string()))?;
    let reference = champion.reference();
    let odd: Vec<_> = (0..)
        .zip(&scores)
        .filter(|(_, score)| !score.is_finite())
        .map(|(row, score)| (row, "score_not_finite", format!("model {reference} gives {score}")))
        .collect();
    let rows = rows.reject(odd, rejected).map_err(failed)?;
    Ok((rows, scores.into_iter().filter(|score| score.is_finite()).collect()))
}

/// The mark of the rows that are predicted; empty if none has it.
fn late(input: &Input, taken: &[u32], order: &[u32]) -> Vec<bool> {
    let marks: Vec<bool> =
        order.iter().map(|place| input.meta[taken[*place as usize] as usize].late).collect();
    if marks.contains(&true) { marks } else { Vec::new() }
}

impl Task for ScorerTask {
    fn apply(&mut self, batch: &Batch, effects: &mut Effects) -> Result<(), TaskError> {
        let [input] = batch.inputs.as_slice() else {
            return Err(TaskError(format!("the scorer reads one topic, not {}", batch.inputs.len())));
        };
        if batch.phase == Phase::Live && !batch.order.is_empty() {
            self.predict(batch, input, effects)?;
        }
        self.task_time_ms = self.task_time_ms.max(input.meta.iter().map(|meta| meta.time_ms).max());
        Ok(())
    }

    fn progress(&self) -> Progress {
        Progress { task_time_ms: self.task_time_ms, rebuild_from: vec![None] }
    }

    fn restore(&mut self, committed: &Progress) {
        self.task_time_ms = self.task_time_ms.max(committed.task_time_ms);
    }
}

#[cfg(test)]
mod tests;
