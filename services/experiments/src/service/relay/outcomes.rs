//! How lists ended, window by window, as long as an experiment hangs on it.

use std::cmp::Ordering;

use millrace_runtime::task::{Batch, Effects, Progress, Task, TaskError};
use millrace_schemas::envelope::{ClickFeedback, FeedbackKind, Record as _};
use millrace_topics::ExperimentKind;

use super::runs::Runs;
use crate::service::Error;
use crate::service::counted::{Won, outcomes_to_bytes};
use crate::service::note::{Message, Note, Order, Outgoing, Place, cause, head};
use crate::service::window::Windows;

/// Inputs: orders, then feedback.
const FEEDBACK: usize = 1;

/// Tells the final outcomes of lists, window by window.
pub struct Outcomes {
    place: Place,
    windows: Windows,
    runs: Runs,
    open: Vec<Won>,
    since: Option<i64>,
}

impl Outcomes {
    /// Of one partition; `topic` is the stem of the topic of rankings.
    pub fn new(topic: &str, partition: i32, windows: Windows) -> Self {
        let place = Place { topic: topic.to_owned(), partition };
        Self { place, windows, runs: Runs::default(), open: Vec::new(), since: None }
    }

    fn take(&mut self, batch: &Batch, effects: &mut Effects) -> Result<(), Error> {
        let mut out = Outgoing::default();
        let Some(feedback) = batch.inputs.get(FEEDBACK) else { return Ok(()) };
        let mut events: Vec<Option<ClickFeedback>> = ClickFeedback::from_batch(&feedback.rows)
            .map_err(Error::internal)?
            .into_iter()
            .map(Some)
            .collect();
        for (at, taken) in batch.order.iter().enumerate() {
            let (input, row) = (taken.input as usize, taken.row as usize);
            let Some(rows) = batch.inputs.get(input) else { continue };
            let meta = &rows.meta[row];
            if input != FEEDBACK {
                self.runs.take(head::<Order>(&rows.rows, row)?, meta.offset);
                continue;
            }
            for end_ms in self.windows.pass(meta.time_ms) {
                self.tell(end_ms, cause(at), &mut out);
            }
            if let Some(event) = events.get_mut(row).and_then(Option::take).filter(|_| self.is_awaited()) {
                self.ended(event, meta.offset);
            }
        }
        if batch.phase.is_new() { out.finish(0, effects) } else { Ok(()) }
    }

    /// Whether an experiment hangs on how lists end.
    fn is_awaited(&self) -> bool {
        self.runs.open().any(|one| one.topic == self.place.topic && one.kind == ExperimentKind::Interleave)
    }

    fn ended(&mut self, event: ClickFeedback, offset: i64) {
        let [first, second, ..] = event.credit[..] else { return };
        if event.kind == FeedbackKind::Outcome {
            self.since.get_or_insert(offset);
            let winner = match first.total_cmp(&second) {
                Ordering::Greater => 1,
                Ordering::Less => 2,
                Ordering::Equal => 0,
            };
            self.open.push(Won { deployment: event.deployment, user: event.unit, winner });
        }
    }

    /// Tells a window's outcomes, none too: the judge waits for every partition.
    fn tell(&mut self, end_ms: i64, cause: u32, out: &mut Outgoing<Note>) {
        self.since = None;
        let open = std::mem::take(&mut self.open);
        if self.is_awaited() {
            let head = Note::Outcomes { place: self.place.clone(), end_ms };
            out.push(cause, Message { body: outcomes_to_bytes(&open), ..Message::of(end_ms, head) });
        }
    }
}

impl Task for Outcomes {
    fn apply(&mut self, batch: &Batch, effects: &mut Effects) -> Result<(), TaskError> {
        Ok(self.take(batch, effects)?)
    }

    fn progress(&self) -> Progress {
        Progress { task_time_ms: self.windows.time_ms(), rebuild_from: vec![self.runs.since(), self.since] }
    }

    /// Rows of a rebuild pass no end that was told before: what is open came after the last one.
    fn restore(&mut self, committed: &Progress) {
        self.windows.at_least(committed.task_time_ms);
    }

    fn state_size(&self) -> (u64, u64) {
        (self.open.len() as u64, 0)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
