//! A task at work: its inputs, where it stands, and what its next batch is.

mod batch;
mod effects;
mod input;
mod phase;

use std::time::Instant;

pub use batch::{Drawn, Hindrance};
pub use input::RunningInput;

use crate::alignment::Place;
use crate::error::Error;
use crate::input::{Bounds, DecodeError};
use crate::output::{InputCommit, TaskCommit, TaskKey};
use crate::recovery::TaskStart;
use crate::stage::RunningStage;
use crate::task::{Progress, Task};

/// A task of a stage for one partition number, with its inputs.
pub struct RunningTask {
    /// Its stage's index and its partition number.
    pub key: TaskKey,
    task: Box<dyn Task>,
    inputs: Vec<RunningInput>,
    epoch_ms: i64,
    /// What the last commit carried, while the state is rebuilt.
    rebuilding: Option<Progress>,
    /// Whether anything is to be committed.
    dirty: bool,
    /// Since when the task is held up by others or by an input.
    held_up: Option<Instant>,
}

/// A task without its partitions: it goes on if they come back at its own offsets.
pub struct ParkedTask(RunningTask);

impl RunningTask {
    /// A task that goes on where `start` says.
    pub fn new(key: TaskKey, mut task: Box<dyn Task>, stage: &RunningStage, start: &TaskStart) -> Self {
        let inputs: Vec<_> = stage
            .inputs
            .iter()
            .zip(&start.inputs)
            .map(|(input, start)| RunningInput::new(input.topic.clone(), start))
            .collect();
        let committed = Progress {
            task_time_ms: start.task_time_ms,
            rebuild_from: start.inputs.iter().map(|i| Some(i.begin)).collect(),
        };
        task.restore(&committed);
        Self {
            key,
            task,
            inputs,
            epoch_ms: start.epoch_ms,
            rebuilding: Some(committed),
            dirty: start.first,
            held_up: None,
        }
    }

    /// The offsets from which the inputs are to be consumed.
    pub fn positions(&self) -> Vec<i64> {
        self.inputs.iter().map(|input| input.offsets.taken()).collect()
    }

    /// The inputs, in the stage's order.
    pub fn inputs_mut(&mut self) -> &mut [RunningInput] {
        &mut self.inputs
    }

    /// The inputs, in the stage's order.
    pub fn inputs(&self) -> &[RunningInput] {
        &self.inputs
    }

    /// Takes what the queues have; how many records came.
    pub fn fill(&mut self, bounds: Bounds) -> Result<usize, Error> {
        self.inputs.iter_mut().map(|input| input.fill(bounds)).sum()
    }

    /// Decodes what came. `Ok(false)`: the registry does not answer yet.
    pub fn decode(&mut self, stage: &mut RunningStage) -> Result<bool, Error> {
        for ((input, topic), spec) in self.inputs.iter_mut().zip(&mut stage.inputs).zip(&stage.stage.inputs) {
            let Some(buffer) = &mut input.buffer else { continue };
            match buffer.decode(&mut topic.decoder, spec) {
                Ok(()) => {}
                Err(DecodeError::Registry(millrace_schemas::RegistryError::Unavailable(why))) => {
                    tracing::warn!(topic = %topic.topic, why, "the schema registry does not answer");
                    return Ok(false);
                }
                Err(DecodeError::Registry(source)) => {
                    return Err(Error::Registry { topic: topic.topic.to_string(), source });
                }
                Err(DecodeError::Rows(source)) => {
                    return Err(Error::Rows { what: topic.topic.to_string(), source });
                }
            }
        }
        Ok(true)
    }

    /// Whether the state is being rebuilt.
    pub fn rebuilding(&self) -> bool {
        self.rebuilding.is_some()
    }

    /// Where the inputs stand, for the stage's alignment.
    pub fn places(&self) -> impl Iterator<Item = Place> + '_ {
        let rebuilding = self.rebuilding.as_ref().map(|committed| committed.task_time_ms);
        self.inputs.iter().map(move |input| match rebuilding {
            None => input.place(),
            Some(Some(time)) => Place::At(time),
            Some(None) => Place::Unknown,
        })
    }

    /// Records that lie between the last row taken and what was polled.
    pub fn held_rows(&self) -> usize {
        self.inputs.iter().filter_map(|i| i.buffer.as_ref()).map(|b| b.held()).sum()
    }

    /// Rows and bytes of the task's state.
    pub fn state_size(&self) -> (u64, u64) {
        self.task.state_size()
    }

    /// Whether anything is to be committed.
    pub fn dirty(&self) -> bool {
        self.dirty
    }

    /// What a commit of everything taken so far says. `store_complete`: whether the store holds all of it.
    pub fn commit(&mut self, store_complete: bool) -> TaskCommit {
        let progress = self.task.progress();
        if store_complete && self.rebuilding.is_none() {
            for input in &mut self.inputs {
                input.store = input.offsets.taken();
            }
        }
        let commits = self.inputs.iter().enumerate().map(|(i, input)| InputCommit {
            topic: input.topic.clone(),
            partition: self.key.1,
            offset: input.offsets.taken(),
            metadata: crate::metadata::CommitMetadata {
                rebuild_from: progress.rebuild_from.get(i).copied().flatten(),
                task_time_ms: progress.task_time_ms,
                epoch_ms: self.epoch_ms,
                store: input.store,
                start: input.warm_below,
                parents: input.dedupe.parents(),
            },
        });
        TaskCommit { inputs: commits.collect() }
    }

    /// Everything taken so far is committed.
    pub fn committed(&mut self) {
        self.dirty = false;
        for input in &mut self.inputs {
            input.committed();
        }
    }

    /// Notes what holds the task up; what has done so for longer than `bound` is returned, and an input that has is no
    /// longer waited for.
    pub fn overdue(
        &mut self,
        hindrance: Option<Hindrance>,
        moved: bool,
        bound: std::time::Duration,
    ) -> Option<Hindrance> {
        let Some(hindrance) = hindrance.filter(|_| !self.rebuilding()) else {
            self.held_up = None;
            return None;
        };
        match self.held_up {
            Some(since) if !moved => {
                if since.elapsed() < bound {
                    return None;
                }
                self.held_up = None;
                if let Hindrance::Input(input) = hindrance
                    && let Some(input) = self.inputs.get_mut(input)
                {
                    input.overdue = true;
                }
                Some(hindrance)
            }
            _ => {
                self.held_up = Some(Instant::now());
                None
            }
        }
    }

    /// Gives the partitions up; `None` where what was taken is not committed, or the store lacks some of it.
    pub fn park(mut self, store_complete: bool) -> Option<ParkedTask> {
        if self.dirty || self.rebuilding.is_some() || !store_complete {
            return None;
        }
        for input in &mut self.inputs {
            input.buffer = None;
        }
        self.held_up = None;
        Some(ParkedTask(self))
    }
}

impl ParkedTask {
    /// Goes on, if nothing was committed since: `start` says where the partitions stand.
    pub fn resume(self, start: &TaskStart) -> Option<RunningTask> {
        let committed = start.inputs.iter().map(|i| i.committed);
        let own = self.0.positions().into_iter().eq(committed) && self.0.epoch_ms == start.epoch_ms;
        own.then_some(self.0)
    }
}
