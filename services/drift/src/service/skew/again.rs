//! A stage of the view, run once more for sampled keys.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimeUnit};
use arrow::record_batch::RecordBatch;
use millrace_features::StageTask;
use millrace_runtime::task::{Batch, Effects, Output, Progress, Task, TaskError};

use super::{SkewNote, SkewPlan};
use crate::service::Error;
use crate::service::grid::reached;
use crate::service::message::Message;
use crate::service::notes::Place;
use crate::service::observe::passes;
use crate::service::outputs::Outgoing;
use crate::service::stream::{column, text};

/// The task of one partition of the stage's input.
pub struct Again {
    plan: Arc<SkewPlan>,
    check: usize,
    place: Place,
    stage: StageTask,
    time_ms: Option<i64>,
    /// Per input whether a row of it was taken; nothing to tell of a task that goes on where it was.
    begun: Option<Vec<bool>>,
}

impl Again {
    /// The task of a partition, for one of the plan's checks.
    pub fn new(plan: Arc<SkewPlan>, check: usize, partition: i32) -> Result<Self, Error> {
        let of = &plan.checks[check];
        let picks = plan.picks.clone();
        let stage = StageTask::again(&plan.plan, &of.decided, &plan.needs(of), partition, picks);
        let stage = stage.map_err(|error| Error::Internal(error.to_string()))?;
        let place = Place { topic: plan.topic(of), partition };
        let begun = Some(vec![false; of.stage.inputs.len()]);
        Ok(Self { check, place, stage, time_ms: None, begun, plan })
    }

    fn tell(&mut self, batch: &Batch, computed: Effects, effects: &mut Effects) -> Result<(), Error> {
        let refused: BTreeSet<u32> = computed.rejected.iter().map(|rejected| rejected.row).collect();
        let reached = reached(self.time_ms, &times(batch, &refused));
        let mut out = Outgoing::default();
        self.tell_beginnings(batch, &reached, &mut out);
        for output in &computed.outputs {
            self.tell_rows(output, &reached, &mut out)?;
        }
        for (row, time_ms) in passes(self.plan.grid, self.time_ms, &reached) {
            let head = SkewNote::Progress { place: self.place.clone(), time_ms, silent: false };
            out.push(
                crate::service::observe::cause(row),
                Message { key: None, time_ms, head, body: Vec::new() },
            );
        }
        self.time_ms = reached.last().copied().filter(|time| *time > i64::MIN).max(self.time_ms);
        if batch.phase.is_new() { out.finish(0, effects) } else { Ok(()) }
    }

    /// Where the first row that is ever taken of an input is not the log's first, the state lacks rows until as much time
    /// has passed as it reaches back.
    fn tell_beginnings(&mut self, batch: &Batch, reached: &[i64], out: &mut Outgoing<SkewNote>) {
        let Some(begun) = self.begun.as_mut().filter(|_| batch.phase.is_new()) else { return };
        for ((row, taken), reached_ms) in (0..).zip(&batch.order).zip(reached) {
            let Some(begun) = begun.get_mut(taken.input as usize).filter(|begun| !**begun) else { continue };
            *begun = true;
            let offset = batch.inputs[taken.input as usize].meta[taken.row as usize].offset;
            if offset > 0 && *reached_ms > i64::MIN {
                let until_ms = reached_ms.saturating_add(self.plan.checks[self.check].keep_ms);
                let check = u32::try_from(self.check).unwrap_or(u32::MAX);
                let head = SkewNote::Warm { place: self.place.clone(), check, until_ms };
                out.push(row, Message { key: None, time_ms: *reached_ms, head, body: Vec::new() });
            }
        }
    }

    fn tell_rows(&self, output: &Output, reached: &[i64], out: &mut Outgoing<SkewNote>) -> Result<(), Error> {
        let ids = text(&output.rows, &self.plan.id)?;
        let times = millis(&output.rows, &self.plan.time)?;
        let counts = |row: &usize| {
            let reached_ms = reached[output.cause[*row] as usize];
            ids.is_valid(*row) && times[*row].is_some_and(|time_ms| !self.plan.is_late(time_ms, reached_ms))
        };
        let rows: Vec<usize> = (0..output.rows.num_rows()).filter(counts).collect();
        let bodies = self.plan.checks[self.check].bodies(&output.rows, rows.iter().copied())?;
        for (row, body) in rows.into_iter().zip(bodies) {
            let head = SkewNote::Recomputed { check: u32::try_from(self.check).unwrap_or(u32::MAX) };
            let (key, time_ms) = (Some(ids.value(row).to_owned()), times[row].unwrap_or_default());
            out.push(output.cause[row], Message { key, time_ms, head, body });
        }
        Ok(())
    }
}

impl Task for Again {
    fn apply(&mut self, batch: &Batch, effects: &mut Effects) -> Result<(), TaskError> {
        let mut computed = Effects::default();
        self.stage.apply(batch, &mut computed)?;
        Ok(self.tell(batch, computed, effects)?)
    }

    fn progress(&self) -> Progress {
        self.stage.progress()
    }

    fn restore(&mut self, committed: &Progress) {
        self.stage.restore(committed);
        self.time_ms = self.time_ms.max(committed.task_time_ms);
        if committed.task_time_ms.is_some() {
            self.begun = None;
        }
    }

    fn state_size(&self) -> (u64, u64) {
        self.stage.state_size()
    }
}

/// The record times of a batch, in its order; rows that were refused move no time.
fn times(batch: &Batch, refused: &BTreeSet<u32>) -> Vec<i64> {
    let time = |(row, taken): (u32, &millrace_runtime::task::Taken)| {
        let meta = &batch.inputs[taken.input as usize].meta[taken.row as usize];
        if refused.contains(&row) { i64::MIN } else { meta.time_ms }
    };
    (0..).zip(&batch.order).map(time).collect()
}

fn millis(rows: &RecordBatch, name: &str) -> Result<Vec<Option<i64>>, Error> {
    let internal = |error: arrow::error::ArrowError| Error::Internal(error.to_string());
    let times = column(rows, name)?;
    let zone = match times.data_type() {
        DataType::Timestamp(_, zone) => zone.clone(),
        _ => None,
    };
    let times = cast(times, &DataType::Timestamp(TimeUnit::Millisecond, zone)).map_err(internal)?;
    let times = cast(&times, &DataType::Int64).map_err(internal)?;
    Ok(times.as_primitive::<Int64Type>().iter().collect())
}
