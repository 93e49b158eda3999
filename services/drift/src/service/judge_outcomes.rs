//! Puts together what the partitions of the join know of a window's predictions, and has it judged.
//!
//! What is known as of an instant is judged once every partition has told it: the result does not depend on which of
//! them is ahead.

use std::collections::BTreeMap;
use std::sync::Arc;

use millrace_runtime::task::{Batch, Effects, Progress, Task, TaskError};
use millrace_statistics::performance::delay::DelayCurve;

use super::Error;
use super::join::{Content, JoinPlan};
use super::message::{Assembler, Message};
use super::notes::{Entry, Maker, OutcomeNote, Span};
use super::observe::cause;
use super::outputs::Outgoing;
use super::report::Said;
use crate::window::WHOLE;

/// What is known of a window's predictions, by maker and segment.
pub type Contents = BTreeMap<(Maker, String), Content>;

/// A window of predictions, as of an instant.
#[derive(Debug)]
pub struct KnownOutcomes {
    /// Which one, by prediction time.
    pub window: Span,
    /// Whether labels are still to come.
    pub provisional: bool,
    /// Whether the window ends at the instant as of which this is known: it is told for the first time.
    pub ends_now: bool,
    /// How many windows ended since it was settled.
    pub revision: i32,
    /// What is known.
    pub contents: Contents,
    /// How labels came in since the window before ended, told with the window that ends now.
    pub arrivals: Option<Arrivals>,
    /// What detectors of errors signalled since then, told with the window that ends now.
    pub signals: Signals,
}

/// How often detectors signalled, by their name, maker and partition of the join.
pub type Signals = BTreeMap<(String, Maker, i32), u32>;

/// Labels that came in since the last window ended, against those that were to come.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrivals {
    /// How many came.
    pub observed: u64,
    /// How many were to come, by the delays of settled windows.
    pub expected: f64,
}

/// Says how good the predictions were.
pub type JudgeOutcomes = Arc<dyn Fn(&KnownOutcomes) -> Result<Said, Error> + Send + Sync>;

/// What the judge of outcomes waits for.
#[derive(Clone)]
pub struct OutcomesPlan {
    /// The topic of predictions.
    pub topic: String,
    /// How many partitions the join has.
    pub partitions: i32,
    /// What the join does.
    pub join: Arc<JoinPlan>,
    /// Says how good they were.
    pub judge: JudgeOutcomes,
}

/// A record that waits until every partition has told as much.
#[derive(Debug, Clone)]
struct Waiting {
    partition: i32,
    window: Span,
    maker: Maker,
    segment: String,
    content: Content,
    offset: i64,
}

/// What one partition knows of a window.
#[derive(Debug, Default)]
struct Part {
    contents: Contents,
    offset: i64,
}

/// The task that judges outcomes. There is one.
pub struct OutcomesJudge {
    plan: OutcomesPlan,
    assembler: Assembler<OutcomeNote>,
    /// By the instant as of which they are known.
    waiting: BTreeMap<i64, Vec<Waiting>>,
    known: BTreeMap<Span, BTreeMap<i32, Part>>,
    /// What detectors signalled, by the instant as of which it is known, and where the first was told.
    signals: BTreeMap<i64, (Signals, i64)>,
    /// Every partition's time, and where it was told.
    told: BTreeMap<i32, (i64, i64)>,
    applied_ms: Option<i64>,
    /// What was judged before the last commit is not judged again.
    committed_ms: Option<i64>,
}

impl OutcomesJudge {
    /// The task.
    pub fn new(plan: OutcomesPlan) -> Self {
        Self {
            plan,
            assembler: Assembler::default(),
            waiting: BTreeMap::new(),
            known: BTreeMap::new(),
            signals: BTreeMap::new(),
            told: BTreeMap::new(),
            applied_ms: None,
            committed_ms: None,
        }
    }

    fn take(&mut self, batch: &Batch, effects: &mut Effects) -> Result<(), Error> {
        let Some(input) = batch.inputs.first() else { return Ok(()) };
        let mut out = Outgoing::default();
        for (row, meta) in input.meta.iter().enumerate() {
            let Some((message, offset)) = self.assembler.take(&input.rows, row, meta.offset)? else {
                continue;
            };
            match message.head {
                OutcomeNote::Progress { partition, time_ms } => {
                    let told = self.told.entry(partition).or_insert((time_ms, offset));
                    *told = (told.0.max(time_ms), offset);
                    self.apply(row, &mut out)?;
                }
                OutcomeNote::Detected { partition, as_of_ms, maker, detector, signals } => {
                    let of = self.signals.entry(as_of_ms).or_insert((Signals::new(), offset));
                    of.0.insert((detector, maker, partition), signals);
                }
                OutcomeNote::Outcomes { partition, window, as_of_ms, maker, segment } => {
                    let content = Content::from_bytes(&message.body)
                        .map_err(|error| Error::Internal(error.to_string()))?;
                    let waiting = Waiting { partition, window, maker, segment, content, offset };
                    self.waiting.entry(as_of_ms).or_default().push(waiting);
                }
            }
        }
        out.finish(0, effects)
    }

    /// Applies all that every partition has told.
    fn apply(&mut self, row: usize, out: &mut Outgoing<Entry>) -> Result<(), Error> {
        let times = (0..self.plan.partitions).map(|partition| self.told.get(&partition).map(|told| told.0));
        let Some(reached_ms) = times.collect::<Option<Vec<_>>>().and_then(|all| all.into_iter().min()) else {
            return Ok(());
        };
        while let Some(as_of_ms) = self.next_told().filter(|as_of_ms| *as_of_ms <= reached_ms) {
            let records = self.waiting.remove(&as_of_ms).unwrap_or_default();
            let (mut windows, observed) = self.keep(records);
            let arrivals = self.arrivals(as_of_ms, observed);
            let signals = self.signals.remove(&as_of_ms).map(|(signals, _)| signals).unwrap_or_default();
            let start_ms = as_of_ms.saturating_sub(self.plan.join.length_ms);
            let ended = Span { end_ms: as_of_ms, start_ms, number: 0 };
            // Labels of older predictions come in while nobody predicts.
            if !signals.is_empty() && !windows.contains(&ended) {
                windows.push(ended);
            }
            for window in windows {
                let ends_now = window.end_ms == as_of_ms;
                let arrivals = arrivals.clone().filter(|_| ends_now);
                let signals = if ends_now { signals.clone() } else { Signals::new() };
                self.judge((window, as_of_ms), (arrivals, signals), row, out)?;
            }
            self.applied_ms = self.applied_ms.max(Some(as_of_ms));
            self.forget(as_of_ms);
        }
        Ok(())
    }

    /// The first instant as of which something waits.
    fn next_told(&self) -> Option<i64> {
        let waiting = self.waiting.keys().next().into_iter();
        waiting.chain(self.signals.keys().next()).min().copied()
    }

    /// Replaces what was known; the windows about which something is new, ascending, and how many labels are.
    fn keep(&mut self, records: Vec<Waiting>) -> (Vec<Span>, u64) {
        let mut windows: Vec<Span> = records.iter().map(|record| record.window).collect();
        windows.sort_unstable();
        windows.dedup();
        let before: u64 = windows.iter().map(|window| self.labelled(window)).sum();
        for record in &records {
            self.known.entry(record.window).or_default().remove(&record.partition);
        }
        for record in records {
            let parts = self.known.entry(record.window).or_default();
            let part = parts
                .entry(record.partition)
                .or_insert_with(|| Part { offset: record.offset, ..Part::default() });
            part.contents.insert((record.maker, record.segment), record.content);
        }
        let after: u64 = windows.iter().map(|window| self.labelled(window)).sum();
        (windows, after.saturating_sub(before))
    }

    /// What is known of all predictions of a window that were acted on.
    fn whole(&self, window: &Span) -> impl Iterator<Item = &Content> {
        let parts = self.known.get(window).into_iter().flat_map(BTreeMap::values);
        let whole = parts.flat_map(|part| part.contents.iter());
        whole.filter(|((maker, segment), _)| maker.serving && segment == WHOLE).map(|(_, content)| content)
    }

    /// Labels of a window; of those that overlap others none, so that none counts twice.
    fn labelled(&self, window: &Span) -> u64 {
        if window.end_ms % self.plan.join.length_ms != 0 {
            return 0;
        }
        self.whole(window).map(|content| content.labelled).sum()
    }

    /// How many labels were to come since the last window ended: by the delays of settled windows, from the predictions
    /// of all that are known. None before a window is settled.
    fn arrivals(&self, as_of_ms: i64, observed: u64) -> Option<Arrivals> {
        let join = &self.plan.join;
        if join.step_ms != join.length_ms {
            return None;
        }
        let mut curve = DelayCurve::default();
        let mut predictions = Vec::new();
        for window in self.known.keys() {
            let middle_ms = window.start_ms + join.length_ms / 2;
            predictions.push((middle_ms, self.whole(window).map(|content| content.predictions).sum()));
            if window.end_ms.saturating_add(join.settled_ms) < as_of_ms {
                self.whole(window).for_each(|content| curve.merge(&content.delays));
            }
        }
        let expected = curve.expected(&predictions, as_of_ms.saturating_sub(join.step_ms), as_of_ms)?;
        Some(Arrivals { observed, expected })
    }

    fn judge(
        &self,
        (window, as_of_ms): (Span, i64),
        (arrivals, signals): (Option<Arrivals>, Signals),
        row: usize,
        out: &mut Outgoing<Entry>,
    ) -> Result<(), Error> {
        if self.committed_ms.is_some_and(|committed| as_of_ms <= committed) {
            return Ok(());
        }
        let mut contents = Contents::new();
        for part in self.known.get(&window).into_iter().flat_map(BTreeMap::values) {
            for (key, content) in &part.contents {
                match contents.get_mut(key) {
                    Some(known) => known.merge(content),
                    None => drop(contents.insert(key.clone(), content.clone())),
                }
            }
        }
        let join = &self.plan.join;
        let since_ms = as_of_ms.saturating_sub(window.end_ms.saturating_add(join.settled_ms));
        let revision = i32::try_from(since_ms.max(0) / join.step_ms).unwrap_or(i32::MAX);
        let (provisional, ends_now) = (since_ms < 0, window.end_ms == as_of_ms);
        let known = KnownOutcomes { window, provisional, ends_now, revision, contents, arrivals, signals };
        let said = (self.plan.judge)(&known)?;
        let body = said.into_bytes()?;
        let topic = self.plan.topic.clone();
        let head = Entry::Judged { topic, window, as_of_ms, provisional: known.provisional, revision };
        out.push(cause(row), Message { key: None, time_ms: as_of_ms, head, body });
        Ok(())
    }

    /// Windows of which the join has forgotten predictions are not told any more.
    fn forget(&mut self, as_of_ms: i64) {
        let kept_ms = self.plan.join.horizon_ms.saturating_add(2 * self.plan.join.step_ms);
        self.known.retain(|window, _| window.start_ms >= as_of_ms.saturating_sub(kept_ms));
        self.signals.retain(|told_ms, _| *told_ms > as_of_ms);
    }
}

impl Task for OutcomesJudge {
    fn apply(&mut self, batch: &Batch, effects: &mut Effects) -> Result<(), TaskError> {
        Ok(self.take(batch, effects)?)
    }

    fn progress(&self) -> Progress {
        let waiting = self.waiting.values().flatten().map(|record| record.offset);
        let known = self.known.values().flat_map(BTreeMap::values).map(|part| part.offset);
        let told = self.told.values().map(|told| told.1).chain(self.signals.values().map(|told| told.1));
        let first = waiting.chain(known).chain(told).chain(self.assembler.first_open()).min();
        Progress { task_time_ms: self.applied_ms.max(self.committed_ms), rebuild_from: vec![first] }
    }

    fn restore(&mut self, committed: &Progress) {
        self.committed_ms = self.committed_ms.max(committed.task_time_ms);
    }

    fn state_size(&self) -> (u64, u64) {
        (self.known.len() as u64, self.assembler.open_bytes() as u64)
    }
}

#[cfg(test)]
mod tests;
