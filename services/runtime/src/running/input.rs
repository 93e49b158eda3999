//! One input of a task: where it stands, and what is at hand.

use std::sync::Arc;

use crate::alignment::Place;
use crate::embedded::Amount;
use crate::error::Error;
use crate::input::{Bounds, Dedupe, Outcome, PartitionBuffer};
use crate::merge::Head;
use crate::metadata::Parents;
use crate::offset_tracker::{OffsetTracker, Span};
use crate::recovery::InputStart;

/// One input partition of a task.
pub struct RunningInput {
    /// The topic.
    pub topic: Arc<str>,
    /// What was polled; `None` before the partition is consumed.
    pub buffer: Option<PartitionBuffer>,
    /// What was taken, and what of it is done.
    pub offsets: OffsetTracker,
    /// Rows below it are taken again to rebuild the state.
    pub rebuild_to: i64,
    /// Up to where the online store holds everything.
    pub store: i64,
    /// Rows below it only warm the state.
    pub warm_below: Option<i64>,
    /// Parents seen.
    pub dedupe: Dedupe,
    /// Parents seen by whoever committed last; they count once the state is rebuilt.
    pub committed_parents: Parents,
    /// Left out of the merge until something comes: waited for too long.
    pub overdue: bool,
    /// The record time of the last row taken, in ms.
    pub last_ms: Option<i64>,
    /// What was taken and not told the flow yet.
    pub unread: Amount,
    /// A row of this record time, in ms, of the same task waits to learn whether this input is still at its end.
    pub asked: Option<i64>,
    open: Vec<Span>,
}

impl RunningInput {
    /// An input that goes on where `start` says.
    pub fn new(topic: Arc<str>, start: &InputStart) -> Self {
        Self {
            topic,
            buffer: None,
            offsets: OffsetTracker::new(start.begin),
            rebuild_to: start.committed,
            store: start.store,
            warm_below: start.warm_below,
            dedupe: Dedupe::default(),
            committed_parents: start.parents.clone(),
            overdue: false,
            last_ms: None,
            unread: Amount::default(),
            asked: None,
            open: Vec::new(),
        }
    }

    /// Takes what the queue has.
    pub fn fill(&mut self, bounds: Bounds) -> Result<usize, Error> {
        let Some(buffer) = &mut self.buffer else { return Ok(0) };
        let came = buffer.fill(bounds)?;
        if came > 0 || buffer.at_end() {
            self.overdue = false;
        }
        Ok(came)
    }

    /// What lies at the front; during a rebuild only what belongs to it counts.
    pub fn head(&self, rebuilding: bool) -> Head {
        if rebuilding && self.rebuilt() {
            return Head::End;
        }
        let Some(buffer) = &self.buffer else { return Head::Pending };
        match buffer.head() {
            Some(item) => match item.outcome {
                Outcome::Row(_) => Head::Row(item.meta.time_ms),
                Outcome::Refused(_) => Head::Skipped,
            },
            None if buffer.at_end() || self.overdue => Head::End,
            None => Head::Pending,
        }
    }

    /// Up to which record time of others, in ms, this input is known to have no rows left; see [`PartitionBuffer::clear_ms`].
    pub fn clear_ms(&self) -> i64 {
        match &self.buffer {
            Some(buffer) if !self.overdue => buffer.clear_ms(),
            _ => i64::MAX,
        }
    }

    /// Whether every row that the state is rebuilt from was taken.
    pub fn rebuilt(&self) -> bool {
        self.offsets.taken() >= self.rebuild_to
            || self.buffer.as_ref().is_some_and(|buffer| match buffer.head() {
                Some(item) => item.meta.offset >= self.rebuild_to,
                None => buffer.at_end(),
            })
    }

    /// Everything below `next` is taken.
    pub fn take(&mut self, next: i64) {
        self.open.push(self.offsets.take(next));
    }

    /// Everything taken is done.
    pub fn committed(&mut self) {
        for span in self.open.drain(..) {
            self.offsets.done(span);
        }
    }

    /// Where the input stands, for the stage's alignment.
    pub fn place(&self) -> Place {
        match self.head(false) {
            Head::Row(time) => Place::At(time),
            Head::End => Place::End(self.clear_ms()),
            Head::Skipped | Head::Pending => self.last_ms.map_or(Place::Unknown, Place::At),
        }
    }
}
