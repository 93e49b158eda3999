//! Draws a task's next batch from what is at hand.

use crate::alignment::Limit;
use crate::dead_letters::Letter;
use crate::embedded::Amount;
use crate::error::Error;
use crate::input::{Cut, Outcome};
use crate::merge::{Head, Step, next};
use crate::output::{Cause, RawRef};
use crate::running::RunningTask;
use crate::running::phase::{Position, phase};
use crate::stage::RunningStage;
use crate::task::{Batch, Phase, Taken};

/// What keeps a task from taking more of what is at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hindrance {
    /// It waits for this input, whose log holds more.
    Input(usize),
    /// Other partitions lie too far behind this record time, in ms.
    Others(i64),
}

/// A batch, and what the shell keeps of it.
pub struct Drawn {
    /// The rows; all of one phase.
    pub batch: Batch,
    /// For live rows: where each comes from, in the order taken.
    pub causes: Vec<Cause>,
    /// Records that left on the way and go to the dead letters.
    pub letters: Vec<Letter>,
    /// Records that left on the way as repeats.
    pub repeats: u64,
    /// Whether any record left, whatever became of it.
    pub moved: bool,
    /// What kept the task from taking more.
    pub hindrance: Option<Hindrance>,
}

/// A batch in the making.
struct Drawing {
    cuts: Vec<Cut>,
    order: Vec<Taken>,
    phase: Option<Phase>,
    causes: Vec<Cause>,
    letters: Vec<Letter>,
    repeats: u64,
    /// For each input, the offset behind the last record that left.
    next: Vec<Option<i64>>,
}

impl RunningTask {
    /// Draws the next batch: at most `most` rows, none of which `limit` forbids, all of one phase.
    pub fn draw(&mut self, stage: &RunningStage, limit: Limit, most: usize) -> Result<Drawn, Error> {
        self.end_rebuild();
        let rebuilding = self.rebuilding();
        let mut drawing = Drawing::new(self.inputs.len());
        let mut heads: Vec<Head> = Vec::with_capacity(self.inputs.len());
        let hindrance = loop {
            if drawing.order.len() >= most {
                break None;
            }
            heads.clear();
            heads.extend(self.inputs.iter().map(|input| input.head(rebuilding)));
            match next(&heads) {
                Step::Skip(input) => self.skip(input, stage, &mut drawing),
                Step::Wait(input) => break Some(Hindrance::Input(input)),
                Step::Idle => break None,
                Step::Take(input, time_ms) => {
                    let phase = self.phase_of(input, time_ms, stage);
                    if drawing.phase.is_some_and(|p| p != phase) {
                        break None;
                    }
                    if !rebuilding && !limit.admits(time_ms) {
                        break Some(Hindrance::Others(time_ms));
                    }
                    if !rebuilding && let Some(ended) = self.ended_before(&heads, time_ms, stage) {
                        break Some(Hindrance::Input(ended));
                    }
                    self.take(input, phase, stage, &mut drawing);
                }
            }
        };
        let moved = drawing.next.iter().any(Option::is_some);
        for (input, next) in self.inputs.iter_mut().zip(&drawing.next) {
            if let Some(next) = next {
                input.take(*next);
            }
        }
        self.dirty |= moved && !rebuilding;
        drawing.finish(stage, hindrance)
    }

    /// An input whose end was met, but so long before `time_ms` that it has to be looked for again: rows may have come.
    fn ended_before(&mut self, heads: &[Head], time_ms: i64, stage: &RunningStage) -> Option<usize> {
        let skew_ms = stage.aligner.as_ref()?.max_skew_ms();
        let mut inputs = self.inputs.iter_mut().zip(heads).enumerate();
        let (index, (input, _)) = inputs.find(|(_, (input, head))| {
            **head == Head::End && time_ms > input.clear_ms().saturating_add(skew_ms)
        })?;
        input.asked = Some(time_ms);
        Some(index)
    }

    /// The state is rebuilt once every input has given all rows below its committed offset.
    fn end_rebuild(&mut self) {
        if !self.inputs.iter().all(super::RunningInput::rebuilt) {
            return;
        }
        let Some(committed) = self.rebuilding.take() else { return };
        self.task.restore(&committed);
        for input in &mut self.inputs {
            input.take(input.rebuild_to);
            let parents = std::mem::take(&mut input.committed_parents);
            input.dedupe.restore(&parents);
        }
    }

    fn phase_of(&self, input: usize, time_ms: i64, stage: &RunningStage) -> Phase {
        let at = &self.inputs[input];
        let offset = at.buffer.as_ref().and_then(|b| b.head()).map_or(0, |item| item.meta.offset);
        phase(Position {
            offset,
            time_ms,
            rebuild_to: at.rebuild_to,
            store: at.store,
            warm_below: at.warm_below,
            start: stage.stage.start,
        })
    }

    /// Takes the row at the front of an input, or lets it go where it is a repeat.
    fn take(&mut self, index: usize, phase: Phase, stage: &RunningStage, drawing: &mut Drawing) {
        let repeats = stage.inputs[index].repeats;
        let (number, partition) = self.key;
        let input = &mut self.inputs[index];
        let topic = &input.topic;
        let dedupe = &mut input.dedupe;
        let Some(buffer) = &mut input.buffer else { return };
        let popped = buffer.pop(|next| {
            let (offset, time_ms) = (next.item.meta.offset, next.item.meta.time_ms);
            let amount = next.amount();
            if repeats && next.item.parent.as_ref().is_some_and(|parent| !dedupe.admit(parent)) {
                drawing.repeats += 1;
                return (offset, time_ms, amount);
            }
            let Outcome::Row(row) = next.item.outcome else { return (offset, time_ms, amount) };
            if phase.is_new() {
                let meta = &next.item.meta;
                drawing.causes.push(Cause {
                    origin: meta.origin.clone(),
                    origin_ms: next.item.origin_ms,
                    traceparent: meta.traceparent.clone(),
                    late: meta.late,
                    stage: number,
                    topic: topic.clone(),
                    partition,
                    raw: RawRef { batch: next.raw.clone(), index: next.raw_index },
                });
            }
            let row = drawing.cuts[index].push(next.chunk, next.rows, row, next.item.meta);
            drawing.order.push(Taken { input: index_u32(index), row: index_u32(row) });
            drawing.phase = Some(phase);
            (offset, time_ms, amount)
        });
        if let Some((offset, time_ms, amount)) = popped {
            drawing.next[index] = Some(offset + 1);
            input.last_ms = Some(time_ms);
            input.unread.rows += amount.rows;
            input.unread.bytes += amount.bytes;
        }
    }

    /// Lets a refused record go: to the dead letters, unless it only warms or rebuilds, or another service writes it there.
    fn skip(&mut self, index: usize, stage: &RunningStage, drawing: &mut Drawing) {
        let told = stage.stage.inputs[index].source.is_none_or(|checks| checks.dead_letters);
        let (number, partition) = self.key;
        let input = &mut self.inputs[index];
        let topic = &input.topic;
        let counts_from = input.rebuild_to.max(input.warm_below.unwrap_or(i64::MIN));
        let Some(buffer) = &mut input.buffer else { return };
        let popped = buffer.pop(|next| {
            let offset = next.item.meta.offset;
            if let Outcome::Refused(fault) = &next.item.outcome
                && offset >= counts_from
                && told
            {
                let fault = (fault.0, fault.1.clone());
                drawing.letters.push(Letter::of_record(
                    next.raw,
                    next.raw_index,
                    (number, topic, partition),
                    &next.item.meta.origin,
                    next.item.origin_ms,
                    fault,
                ));
            }
            (offset, next.amount())
        });
        if let Some((offset, amount)) = popped {
            drawing.next[index] = Some(offset + 1);
            input.unread.rows += amount.rows;
            input.unread.bytes += amount.bytes;
        }
    }
}

impl Drawing {
    fn new(inputs: usize) -> Self {
        Self {
            cuts: std::iter::repeat_with(Cut::default).take(inputs).collect(),
            order: Vec::new(),
            phase: None,
            causes: Vec::new(),
            letters: Vec::new(),
            repeats: 0,
            next: vec![None; inputs],
        }
    }

    fn finish(self, stage: &RunningStage, hindrance: Option<Hindrance>) -> Result<Drawn, Error> {
        let inputs = self.cuts.into_iter().zip(&stage.inputs).map(|(cut, input)| {
            cut.finish(&input.schema).map_err(|source| Error::Rows { what: input.topic.to_string(), source })
        });
        let batch = Batch {
            inputs: inputs.collect::<Result<_, _>>()?,
            order: self.order,
            phase: self.phase.unwrap_or(Phase::Live),
        };
        let moved = self.next.iter().any(Option::is_some);
        let Self { causes, letters, repeats, .. } = self;
        Ok(Drawn { batch, causes, letters, repeats, moved, hindrance })
    }
}

impl crate::input::Next<'_> {
    /// What the record weighs in flight, as its writer counted it.
    fn amount(&self) -> Amount {
        Amount::of_record(self.raw.key(self.raw_index), self.raw.payload(self.raw_index))
    }
}

/// Batches are far smaller than this wraps at.
#[allow(clippy::cast_possible_truncation)]
fn index_u32(index: usize) -> u32 {
    index as u32
}
