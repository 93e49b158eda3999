//! A stage of a view as a task of the shell: rows of one partition in, effects out.

#[cfg(test)]
mod harness;
mod internal;
mod sampled;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow::array::BooleanArray;
use millrace_runtime::task::{Batch, Effects, Output, Phase, Progress, Rejection, Task, TaskError};

pub(crate) use internal::internal_schema;
pub use sampled::{Picks, picked};

use crate::error::Error;
use crate::exec::{Emitter, Intake, Lanes, Mode, Rejected, Rows, SourceRows, StageRunner};
use crate::plan::{Decided, Plan};
use internal::{Decoder, Encoder};
use millrace_runtime::needed::Needed;
use sampled::Sampled;

/// One stage of a view, for one partition.
pub struct StageTask {
    front: Front,
    runner: StageRunner,
    back: Back,
    lanes: Lanes,
    partition: i32,
    /// How far behind the task time rows still matter, in µs; `None`: forever.
    keep_us: Option<i64>,
    /// Per input, the rows from which the state can be rebuilt.
    needed: Vec<Needed>,
    stateful: bool,
    /// The task time of the commit that is being restored, in ms.
    restored_ms: Option<i64>,
    /// Keys that it takes rows of; `None`: all, and it is the one that serves.
    sampled: Option<Sampled>,
}

/// How rows come in.
enum Front {
    Sources(Intake),
    Internal(Decoder),
}

/// How rows leave.
enum Back {
    Internal(Encoder),
    View(Emitter),
}

/// Rows that a task takes, all of them warm or none.
struct Taken {
    rows: Rows,
    warm: bool,
}

impl StageTask {
    /// The task of a partition. Hashes of the online store are named `<prefix>:<entity>:<key>`.
    pub fn new(plan: &Plan, stage: usize, partition: i32, prefix: &str) -> Result<Self, Error> {
        let runner = StageRunner::new(plan, stage, 1, prefix)?;
        let last = stage + 1 == plan.stages.len();
        let back = if last {
            Back::View(Emitter::new(plan, runner.layout())?)
        } else {
            Back::Internal(Encoder::new(plan, stage + 1, runner.layout()))
        };
        Self::with(plan, stage, partition, (runner, back))
    }

    /// The task of a partition that computes the columns a stage decides once more, for picked keys alone: `columns` of
    /// the view, for the rows that the view emits. It takes the rows that the serving task takes, in the same order, and
    /// counts time as that does, so that equal plans give equal values bit for bit. Nothing goes to the online store.
    pub fn again(
        plan: &Plan,
        decided: &Decided,
        columns: &[String],
        partition: i32,
        picks: Picks,
    ) -> Result<Self, Error> {
        let runner = StageRunner::new(plan, decided.stage, 1, "")?;
        let back = Back::View(Emitter::partial(plan, decided.stage, runner.layout(), columns)?);
        let mut task = Self::with(plan, decided.stage, partition, (runner, back))?;
        task.sampled = Some(Sampled::new(plan, decided, picks)?);
        Ok(task)
    }

    fn with(
        plan: &Plan,
        stage: usize,
        partition: i32,
        (runner, back): (StageRunner, Back),
    ) -> Result<Self, Error> {
        let front = if stage == 0 {
            Front::Sources(Intake::new(plan)?)
        } else {
            Front::Internal(Decoder::new(plan, stage))
        };
        let inputs = if stage == 0 { plan.sources.len() } else { 1 };
        Ok(Self {
            front,
            runner,
            back,
            lanes: Lanes::new(1),
            partition,
            keep_us: plan.rebuild_us(stage),
            needed: vec![Needed::default(); inputs],
            stateful: plan.is_stateful(stage),
            restored_ms: None,
            sampled: None,
        })
    }

    fn take(&mut self, batch: &Batch, effects: &mut Effects) -> Result<(), Error> {
        if matches!(batch.phase, Phase::Live | Phase::Warm)
            && let Some(time_ms) = self.restored_ms.take()
        {
            self.lanes.advance(0, time_ms.saturating_mul(1_000));
        }
        let (mut taken, mut rejected) = self.front(batch)?;
        if let Some(sampled) = &self.sampled {
            let picked =
                taken.into_iter().map(|Taken { rows, warm }| Ok(Taken { rows: sampled.of(rows)?, warm }));
            taken = picked.collect::<Result<_, Error>>()?;
        }
        if self.stateful {
            self.note(batch, &taken);
        }
        let floor = self.floor();
        let (mut emitted, mut late) = (0, 0);
        for Taken { rows, warm } in taken {
            let warm = warm || batch.phase == Phase::Warm;
            let ran = self.runner.run(rows, self.mode(batch.phase, warm), floor)?;
            rejected.extend(ran.rejected);
            late += ran.late;
            merge_writes(effects, ran.writes);
            if matches!(batch.phase, Phase::Live | Phase::Warm) {
                emitted += self.emit(ran.rows, warm, effects, &mut rejected)?;
            }
        }
        if let Some(floor) = floor {
            self.needed.iter_mut().for_each(|needed| needed.forget(floor));
        }
        if batch.phase == Phase::Live {
            effects.late += late;
            effects.filtered += (batch.order.len() - rejected.len()).saturating_sub(emitted) as u64;
            rejected.sort_by_key(|rejected| rejected.cause);
            effects.rejected.extend(rejected.into_iter().map(rejection));
        }
        Ok(())
    }

    fn front(&mut self, batch: &Batch) -> Result<(Vec<Taken>, Vec<Rejected>), Error> {
        match &self.front {
            Front::Sources(intake) => {
                let places: Vec<Vec<i64>> = batch
                    .inputs
                    .iter()
                    .map(|input| input.meta.iter().map(|meta| place(self.partition, meta.offset)).collect())
                    .collect();
                let times: Vec<Vec<i64>> = batch
                    .inputs
                    .iter()
                    .map(|input| input.meta.iter().map(|meta| meta.time_ms.saturating_mul(1_000)).collect())
                    .collect();
                let lanes: Vec<Vec<u32>> =
                    batch.inputs.iter().map(|input| vec![0; input.meta.len()]).collect();
                let inputs: Vec<SourceRows> = batch
                    .inputs
                    .iter()
                    .enumerate()
                    .map(|(i, input)| SourceRows {
                        columns: input.rows.columns(),
                        record_time: &times[i],
                        place: &places[i],
                        lane: &lanes[i],
                    })
                    .collect();
                let order = batch.order.iter().map(|taken| (taken.input as usize, taken.row as usize));
                let taken = intake.take(&inputs, order, &mut self.lanes)?;
                Ok((vec![Taken { rows: taken.rows, warm: false }], taken.rejected))
            }
            Front::Internal(decoder) => Ok((decoder.decode(batch, &mut self.lanes)?, Vec::new())),
        }
    }

    /// Notes which rows the state is made of.
    fn note(&mut self, batch: &Batch, taken: &[Taken]) {
        for Taken { rows, .. } in taken {
            for (cause, time) in rows.cause.values().iter().zip(rows.time.values()) {
                let Some(at) = batch.order.get(*cause as usize) else { continue };
                let offset =
                    batch.inputs.get(at.input as usize).and_then(|input| input.meta.get(at.row as usize));
                if let (Some(needed), Some(meta)) = (self.needed.get_mut(at.input as usize), offset) {
                    needed.add(meta.offset, *time);
                }
            }
        }
    }

    fn mode(&self, phase: Phase, warm: bool) -> Mode {
        let results = match phase {
            Phase::Rebuild | Phase::RebuildStore => false,
            Phase::Warm | Phase::Live => !warm || matches!(self.back, Back::Internal(_)),
        };
        let serves = self.sampled.is_none() && !warm;
        Mode { results, store: serves && matches!(phase, Phase::Live | Phase::RebuildStore) }
    }

    /// Emits rows; how many. Warm rows go on to later stages, marked, since those have state to warm too.
    fn emit(
        &self,
        rows: Rows,
        warm: bool,
        effects: &mut Effects,
        rejected: &mut Vec<Rejected>,
    ) -> Result<usize, Error> {
        let (rows, cause, late) = match &self.back {
            Back::View(_) if warm => return Ok(0),
            Back::View(emitter) => {
                let emitted = emitter.emit(rows, rejected)?;
                (emitted.rows, emitted.cause, emitted.late)
            }
            Back::Internal(encoder) => (encoder.encode(&rows, warm)?, rows.cause, rows.late),
        };
        let emitted = cause.len();
        if emitted > 0 {
            effects.outputs.push(Output {
                topic: 0,
                rows,
                cause: cause.values().to_vec(),
                late: marks(&late),
            });
        }
        Ok(emitted)
    }

    /// Rows older than this, by ORDER BY time in µs, are of no more use to a rebuild.
    fn floor(&self) -> Option<i64> {
        let time = self.lanes.time(0)?.max(self.restored_ms.map_or(i64::MIN, |ms| ms.saturating_mul(1_000)));
        Some(time.saturating_sub(self.keep_us?))
    }
}

impl Task for StageTask {
    fn apply(&mut self, batch: &Batch, effects: &mut Effects) -> Result<(), TaskError> {
        self.take(batch, effects).map_err(|error| TaskError(error.to_string()))
    }

    fn progress(&self) -> Progress {
        let floor = self.floor();
        let time_ms = self.lanes.time(0).map(|us| us.div_euclid(1_000));
        Progress {
            task_time_ms: time_ms.max(self.restored_ms),
            rebuild_from: self.needed.iter().map(|needed| needed.first(floor)).collect(),
        }
    }

    /// The committed task time comes into force with the first row that is not rebuilt: until then, rows are taken as
    /// they were, so that windows over windows see what their windows said then.
    fn restore(&mut self, committed: &Progress) {
        self.restored_ms = self.restored_ms.max(committed.task_time_ms);
    }

    fn state_size(&self) -> (u64, u64) {
        self.runner.state_size()
    }
}

/// Orders rows of equal times that are of one source: by partition, then by offset. Offsets stay below 2^48.
fn place(partition: i32, offset: i64) -> i64 {
    (i64::from(partition) << 48) | (offset & 0xffff_ffff_ffff)
}

/// One mark per row, or none at all.
fn marks(late: &BooleanArray) -> Vec<bool> {
    if late.true_count() == 0 { Vec::new() } else { late.values().iter().collect() }
}

fn rejection(rejected: Rejected) -> Rejection {
    Rejection { row: rejected.cause, reason: rejected.reason, detail: rejected.detail }
}

/// A key is written once per batch: a later write replaces an earlier one.
fn merge_writes(effects: &mut Effects, writes: Vec<millrace_runtime::task::KeyWrite>) {
    if effects.writes.is_empty() {
        effects.writes = writes;
        return;
    }
    for write in writes {
        match effects.writes.iter_mut().find(|known| known.key == write.key) {
            Some(known) => *known = write,
            None => effects.writes.push(write),
        }
    }
}

/// Makes the tasks of a stage.
pub(crate) type TaskOf = Arc<dyn Fn(i32) -> Result<Box<dyn Task>, TaskError> + Send + Sync>;

/// The factory of a stage's tasks.
pub(crate) fn task_of(plan: Arc<Plan>, stage: usize, prefix: String) -> TaskOf {
    Arc::new(move |partition| match StageTask::new(&plan, stage, partition, &prefix) {
        Ok(task) => Ok(Box::new(task)),
        Err(error) => Err(TaskError(error.to_string())),
    })
}
