//! Joins predictions with labels by id, and says what is known of each window's predictions.
//!
//! Either side may come first. What a partition of the join says is a function of what its sources held, not of how
//! they met in the log: records are applied an epoch at a time, once every source partition has told that it is past
//! it, in the order of their time and origin. The state is bounded by the horizon.

mod content;
mod state;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use millrace_runtime::needed::Needed;
use millrace_runtime::task::{Batch, Effects, Progress, RowMeta, Task, TaskError};

pub use content::{Content, Counts};
pub use state::{JoinPlan, State, Threshold};

use super::Error;
use super::detect::{Declared, RowDetectors};
use super::measures::Measures;
use super::message::{Message, decode};
use super::notes::{JoinNote, Maker, OutcomeNote, Place};
use super::observe::cause;
use super::outputs::Outgoing;

/// A record that waits for its epoch, with what orders it among the others.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// The record time, in ms.
    pub time_ms: i64,
    /// Where the event at its root lies: `topic/partition`, and the offset.
    pub origin: (String, i64),
    /// The prediction's id.
    pub id: String,
    /// What it says.
    pub note: JoinNote,
}

/// The task of one partition of the join.
pub struct Join {
    plan: Arc<JoinPlan>,
    partition: i32,
    /// The time of every source partition; none has told yet: the least there is.
    sources: BTreeMap<Place, i64>,
    /// By epoch: what comes into force at its end.
    waiting: BTreeMap<i64, Vec<Waiting>>,
    state: State,
    /// The end of the last epoch that was applied, in ms.
    applied_ms: Option<i64>,
    needed: Needed,
    /// Detectors of errors.
    detectors: RowDetectors,
    measures: Arc<Measures>,
}

impl Join {
    /// The task of a partition.
    pub fn new(plan: Arc<JoinPlan>, partition: i32, measures: Arc<Measures>) -> Self {
        Self {
            sources: plan.sources.iter().map(|place| (place.clone(), i64::MIN)).collect(),
            state: State::new(plan.clone()),
            plan,
            partition,
            waiting: BTreeMap::new(),
            applied_ms: None,
            needed: Needed::default(),
            detectors: RowDetectors::new(Vec::new()),
            measures,
        }
    }

    /// Has detectors watch whether decisions were right.
    #[must_use]
    pub fn watched(mut self, declared: Vec<Declared>) -> Self {
        self.detectors = RowDetectors::new(declared);
        self
    }

    fn take(&mut self, batch: &Batch, effects: &mut Effects) -> Result<(), Error> {
        let Some(input) = batch.inputs.first() else { return Ok(()) };
        let mut out = Outgoing::default();
        for (row, (message, meta)) in decode(&input.rows)?.into_iter().zip(&input.meta).enumerate() {
            self.needed.add(meta.offset, message.time_ms);
            if self.take_one(message, meta) {
                self.apply_epochs(row, &mut out);
            }
        }
        if let Some(floor_ms) = self.floor_ms() {
            self.needed.forget(floor_ms);
        }
        if batch.phase.is_new() {
            self.measures.join(self.partition, &self.state, self.waiting.values().map(Vec::len).sum());
        }
        out.finish(0, effects)
    }

    /// Takes a record; whether a source's time has moved.
    fn take_one(&mut self, message: Message<JoinNote>, meta: &RowMeta) -> bool {
        let seen_ms = match message.head {
            JoinNote::Progress { place, time_ms } => {
                let known = self.sources.entry(place).or_insert(i64::MIN);
                let moved = time_ms > *known;
                *known = time_ms.max(*known);
                return moved;
            }
            JoinNote::Prediction { seen_ms, .. } | JoinNote::Label { seen_ms, .. } => seen_ms,
        };
        let epoch = self.plan.epoch(seen_ms);
        if self.applied_ms.is_some_and(|applied| self.plan.epoch_end(epoch) <= applied) {
            // Its partition was silent, and the clock went on without it: it counts from now on.
            self.state.late();
            let next = self.applied_ms.map_or(epoch, |applied| self.plan.epoch(applied));
            self.wait(next, message, meta);
        } else {
            self.wait(epoch, message, meta);
        }
        false
    }

    fn wait(&mut self, epoch: i64, message: Message<JoinNote>, meta: &RowMeta) {
        let origin = (format!("{}/{:06}", meta.origin.topic, meta.origin.partition), meta.origin.offset);
        let id = message.key.unwrap_or_default();
        let waiting = Waiting { time_ms: message.time_ms, origin, id, note: message.head };
        self.waiting.entry(epoch).or_default().push(waiting);
    }

    /// The time that every source has reached.
    fn reached_ms(&self) -> i64 {
        self.sources.values().copied().min().unwrap_or(i64::MIN)
    }

    /// Applies every epoch that all sources are past, and tells what it changed.
    fn apply_epochs(&mut self, row: usize, out: &mut Outgoing<OutcomeNote>) {
        let reached_ms = self.reached_ms();
        if reached_ms == i64::MIN {
            return;
        }
        let last = self.plan.epoch(reached_ms).saturating_sub(1);
        let next = self.applied_ms.map(|applied| self.plan.epoch(applied));
        // Before the first record there is nothing to say.
        let Some(mut epoch) = next.or_else(|| self.waiting.keys().next().copied()) else { return };
        while epoch <= last {
            let mut records = self.waiting.remove(&epoch).unwrap_or_default();
            records.sort_by(|a, b| (a.time_ms, &a.origin).cmp(&(b.time_ms, &b.origin)));
            let end_ms = self.plan.epoch_end(epoch);
            self.applied_ms = Some(end_ms);
            for (note, content) in self.state.apply(records, end_ms, self.partition) {
                let body = content.to_bytes();
                out.push(cause(row), Message { key: None, time_ms: end_ms, head: note, body });
            }
            self.detect(end_ms, row, out);
            let head = OutcomeNote::Progress { partition: self.partition, time_ms: end_ms };
            out.push(cause(row), Message { key: None, time_ms: end_ms, head, body: Vec::new() });
            epoch += 1;
        }
    }

    /// Has detectors take what became known of decisions in an epoch.
    fn detect(&mut self, as_of_ms: i64, row: usize, out: &mut Outgoing<OutcomeNote>) {
        let errors = self.state.take_errors();
        let mut signals: BTreeMap<(String, Maker), u32> = BTreeMap::new();
        for key in self.detectors.take_values(&errors, as_of_ms) {
            *signals.entry(key).or_default() += 1;
        }
        for ((detector, maker), signals) in signals {
            let head =
                OutcomeNote::Detected { partition: self.partition, as_of_ms, maker, detector, signals };
            out.push(cause(row), Message { key: None, time_ms: as_of_ms, head, body: Vec::new() });
        }
    }

    /// Records before it can no longer touch what is kept: a label waits for its prediction as long as a prediction for
    /// its label.
    fn floor_ms(&self) -> Option<i64> {
        let kept_ms = self.plan.horizon_ms.saturating_add(self.plan.step_ms).saturating_mul(2);
        Some(self.applied_ms?.saturating_sub(kept_ms))
    }
}

impl Task for Join {
    fn apply(&mut self, batch: &Batch, effects: &mut Effects) -> Result<(), TaskError> {
        Ok(self.take(batch, effects)?)
    }

    fn progress(&self) -> Progress {
        let from = self.needed.first(Some(self.floor_ms().unwrap_or(i64::MIN)));
        Progress { task_time_ms: self.applied_ms, rebuild_from: vec![from] }
    }

    /// What was applied is applied again from the records themselves, at the same records.
    fn restore(&mut self, _: &Progress) {}

    fn state_size(&self) -> (u64, u64) {
        let waiting: usize = self.waiting.values().map(Vec::len).sum();
        (self.state.len() as u64 + waiting as u64, self.state.size_bytes() as u64)
    }
}
