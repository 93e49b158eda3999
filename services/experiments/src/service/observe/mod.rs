//! Counts for every run what its arms' units come to, in one partition of a topic of predictions and of the topics whose
//! rows metrics count.
//!
//! Time is that of the predictions. What is told at a window's end depends on the set of rows taken until then, so that
//! a task that is rebuilt tells the same.

mod plan;
mod read;
mod row;
mod watched;

use std::collections::BTreeMap;

use millrace_runtime::task::{Batch, Effects, Progress, Task, TaskError};

pub use plan::Sources;
pub use watched::BASELINE;

use super::Error;
use super::counted::pairs_to_bytes;
use super::note::{Message, Note, Order, Outgoing, Place, cause, head};
use super::window::Windows;
use read::Columns;
use row::Prediction;
use watched::Watched;

/// Inputs of the stage: orders, predictions, then the others.
const ORDERS: usize = 0;
const PREDICTIONS: usize = 1;

/// The task of one partition.
pub struct Observe {
    sources: Sources,
    place: Place,
    windows: Windows,
    watched: BTreeMap<String, Watched>,
    /// The greatest deployment that is known.
    deployed: i64,
    /// Predictions made under deployments that are not known yet.
    waiting: BTreeMap<i64, Vec<(String, Prediction)>>,
    /// Where the last deployment was told.
    told: Option<i64>,
    /// Per input, the first offset that the state is made of.
    since: Vec<Option<i64>>,
    committed: Option<Option<i64>>,
}

impl Observe {
    /// Nothing is watched yet.
    pub fn new(sources: Sources, partition: i32, windows: Windows) -> Self {
        let place = Place { topic: sources.predictions.clone(), partition };
        let since = vec![None; sources.others.len() + 2];
        let (watched, waiting) = (BTreeMap::new(), BTreeMap::new());
        Self { sources, place, windows, watched, deployed: -1, waiting, told: None, since, committed: None }
    }

    fn take(&mut self, batch: &Batch, effects: &mut Effects) -> Result<(), Error> {
        let mut out = Outgoing::default();
        let mut columns = None;
        for (at, taken) in batch.order.iter().enumerate() {
            let (input, row) = (taken.input as usize, taken.row as usize);
            let Some(rows) = batch.inputs.get(input) else { continue };
            let offset = rows.meta[row].offset;
            if input == ORDERS {
                self.order(head::<Order>(&rows.rows, row)?, offset, cause(at), &mut out);
                // Which columns matter hangs on what is watched.
                columns = None;
                continue;
            }
            if columns.is_none() {
                columns = Some(Columns::of(batch, &self.sources, &self.watched)?);
            }
            let Some(columns) = &columns else { continue };
            let time_ms = rows.meta[row].time_ms;
            if !self.watched.is_empty() {
                self.since[input].get_or_insert(offset);
            }
            if input == PREDICTIONS {
                self.advance(time_ms, cause(at), &mut out);
                for run in self.watched.keys().cloned().collect::<Vec<_>>() {
                    self.predicted(&run, columns.prediction(&run, row, time_ms));
                }
            } else {
                for (run, watched) in &mut self.watched {
                    if let Some((id, unit, cells)) = columns.other(run, input - 1, row) {
                        watched.seen(input - 1, &id, &unit, time_ms, &cells);
                    }
                }
            }
        }
        if batch.phase.is_new() { out.finish(0, effects) } else { Ok(()) }
    }

    fn predicted(&mut self, run: &str, prediction: Option<Prediction>) {
        let Some(prediction) = prediction else { return };
        if prediction.deployment > self.deployed {
            self.waiting.entry(prediction.deployment).or_default().push((run.to_owned(), prediction));
            return;
        }
        if let Some(watched) = self.watched.get_mut(run) {
            watched.predicted(&prediction);
        }
    }

    fn order(&mut self, order: Order, offset: i64, cause: u32, out: &mut Outgoing<Note>) {
        match order {
            Order::Start { run, definition } if definition.topic == self.place.topic => {
                self.since[ORDERS].get_or_insert(self.told.unwrap_or(offset));
                let note = Note::Known { run: run.clone(), place: self.place.clone() };
                self.watched.insert(run, Watched::new(*definition, &self.sources));
                out.push(cause, Message::of(self.windows.time_ms().unwrap_or(0), note));
            }
            Order::End { run } => {
                self.watched.remove(&run);
                if self.watched.is_empty() {
                    self.waiting.clear();
                    self.since.fill(None);
                }
            }
            Order::Deployed { offset: deployed, topic, experiment, phase } if topic == self.place.topic => {
                self.told = Some(offset);
                self.deployed(deployed, &experiment, phase);
            }
            Order::Start { .. } | Order::Deployed { .. } => {}
        }
    }

    fn deployed(&mut self, offset: i64, experiment: &str, phase: i32) {
        self.deployed = self.deployed.max(offset);
        for watched in self.watched.values_mut().filter(|one| one.definition.name == experiment) {
            watched.deployed(offset, phase);
        }
        let later = self.waiting.split_off(&(offset + 1));
        for (run, prediction) in std::mem::replace(&mut self.waiting, later).into_values().flatten() {
            if let Some(watched) = self.watched.get_mut(&run) {
                watched.predicted(&prediction);
            }
        }
    }

    /// Tells what every run's units come to at each window's end that the time passes.
    fn advance(&mut self, time_ms: i64, cause: u32, out: &mut Outgoing<Note>) {
        for end_ms in self.windows.pass(time_ms) {
            for (run, watched) in &mut self.watched {
                let (run, place, phase) = (run.clone(), self.place.clone(), watched.phase());
                let scored = watched.close(end_ms);
                if !scored.is_empty() {
                    let head = Note::Scored { run: run.clone(), place: place.clone(), end_ms };
                    out.push(cause, Message { body: pairs_to_bytes(&scored), ..Message::of(end_ms, head) });
                }
                let body = watched.counted(end_ms).to_bytes();
                let head = Note::Counted { run, place, end_ms, phase };
                out.push(cause, Message { body, ..Message::of(end_ms, head) });
            }
        }
    }
}

impl Task for Observe {
    fn apply(&mut self, batch: &Batch, effects: &mut Effects) -> Result<(), TaskError> {
        Ok(self.take(batch, effects)?)
    }

    fn progress(&self) -> Progress {
        let mut rebuild_from = self.since.clone();
        // Without the last deployment every prediction would wait for it.
        rebuild_from[ORDERS] = rebuild_from[ORDERS].or(self.told);
        Progress { task_time_ms: self.windows.time_ms(), rebuild_from }
    }

    /// Told before the rebuild and after it: only then is the time that of the commit.
    fn restore(&mut self, committed: &Progress) {
        if self.committed.is_some() {
            self.windows.at_least(committed.task_time_ms);
        }
        self.committed = Some(committed.task_time_ms);
    }

    fn state_size(&self) -> (u64, u64) {
        (self.watched.values().map(|watched| watched.open_rows() as u64).sum(), 0)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
