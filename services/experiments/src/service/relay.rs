//! Passes on what people say, what is deployed, how scorers do and how lists ended to the one journal that is judged.

use millrace_runtime::task::{Batch, Effects, Progress, Task, TaskError};
use millrace_schemas::envelope::{
    ClickFeedback, Deployment, ExperimentCommand, FeedbackKind, Record as _, ScorerStats,
};

use super::Error;
use super::counted::{Won, outcomes_to_bytes};
use super::note::{Message, Note, Outgoing, Place, cause};
use super::window::Windows;

/// What a topic holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relayed {
    /// Commands.
    Commands,
    /// Deployments.
    Deployments,
    /// How scorers do.
    Stats,
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
                Relayed::Stats => ScorerStats::from_batch(&rows).map(|mut all| all.pop().map(Note::Stats)),
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

/// Tells the final outcomes of lists, window by window.
pub struct Outcomes {
    place: Place,
    windows: Windows,
    open: Vec<Won>,
    since: Option<i64>,
}

impl Outcomes {
    /// Of one partition; `topic` is the stem of the topic of rankings.
    pub fn new(topic: &str, partition: i32, windows: Windows) -> Self {
        let place = Place { topic: topic.to_owned(), partition };
        Self { place, windows, open: Vec::new(), since: None }
    }

    fn take(&mut self, batch: &Batch, effects: &mut Effects) -> Result<(), Error> {
        let Some(input) = batch.inputs.first() else { return Ok(()) };
        let feedback = ClickFeedback::from_batch(&input.rows).map_err(Error::internal)?;
        let mut out = Outgoing::default();
        for (row, (one, meta)) in feedback.into_iter().zip(&input.meta).enumerate() {
            for end_ms in self.windows.pass(meta.time_ms) {
                self.tell(end_ms, cause(row), &mut out);
            }
            if one.kind == FeedbackKind::Outcome && one.credit.len() >= 2 {
                self.since.get_or_insert(meta.offset);
                let winner = match one.credit[0].total_cmp(&one.credit[1]) {
                    std::cmp::Ordering::Greater => 1,
                    std::cmp::Ordering::Less => 2,
                    std::cmp::Ordering::Equal => 0,
                };
                self.open.push(Won { deployment: one.deployment, user: one.unit, winner });
            }
        }
        if batch.phase.is_new() { out.finish(0, effects) } else { Ok(()) }
    }

    /// Tells a window's outcomes, none too: the judge waits for the last record of every partition.
    fn tell(&mut self, end_ms: i64, cause: u32, out: &mut Outgoing<Note>) {
        self.since = None;
        let open = std::mem::take(&mut self.open);
        let mut left = open.as_slice();
        loop {
            let (now, later) = left.split_at(left.len().min(OUTCOMES_AT_ONCE));
            let head = Note::Outcomes { place: self.place.clone(), end_ms, all: later.is_empty() };
            out.push(cause, Message { body: outcomes_to_bytes(now), ..Message::of(end_ms, head) });
            if later.is_empty() {
                return;
            }
            left = later;
        }
    }
}

/// Outcomes in one record: well below a broker's bound of 1 MB.
const OUTCOMES_AT_ONCE: usize = 8_000;

impl Task for Outcomes {
    fn apply(&mut self, batch: &Batch, effects: &mut Effects) -> Result<(), TaskError> {
        Ok(self.take(batch, effects)?)
    }

    fn progress(&self) -> Progress {
        Progress { task_time_ms: self.windows.time_ms(), rebuild_from: vec![self.since] }
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
