//! The results of a row that came too late to be stored: it sees itself alone, where a frame reaches the current row.

use super::Bounds;
use super::accumulator::Accumulator;
use super::batch::Batch;
use super::output::Outputs;
use super::plan::{Bit, Kind, Plan, Read};
use super::text::Texts;

/// Evaluates every frame over the row alone.
pub(super) fn evaluate(plan: &Plan, batch: &Batch, row: usize, texts: &mut Texts, out: &mut Outputs) {
    for group in &plan.groups {
        let reached = matches!(group.bounds, Bounds::Range { end: 0, .. } | Bounds::Rows { end: 0, .. });
        for (frame, read) in &group.reads {
            let word = if reached { alone(plan, batch, row, texts, *read) } else { empty(*read) };
            out.set(*frame, row, word, texts);
            if let (Read::Extremum(at), Some(word)) = (read, word)
                && plan.extrema[*at].kind == Kind::Text
            {
                texts.release(word);
            }
        }
    }
}

/// The result over no row.
fn empty(read: Read) -> Option<u64> {
    matches!(read, Read::Count(_)).then_some(0)
}

fn alone(plan: &Plan, batch: &Batch, row: usize, texts: &mut Texts, read: Read) -> Option<u64> {
    let belongs = |bit: Bit| bit.is_in(batch.flags(row));
    let mut word = |argument| {
        let value = plan.values.iter().position(|value| value.argument == argument)?;
        Some(batch.word(value, row, texts))
    };
    match read {
        Read::Count(at) => Some(u64::from(belongs(plan.sums[at].bit))),
        Read::Extremum(at) if belongs(plan.extrema[at].bit) => word(plan.extrema[at].argument),
        Read::Sum(at) | Read::Average(at) if belongs(plan.sums[at].bit) => {
            let value = word(plan.sums[at].argument)?;
            let mut sum = Accumulator::new(plan.sums[at].kind);
            sum.step(|| value, false);
            if matches!(read, Read::Average(_)) { sum.average() } else { sum.sum() }
        }
        _ => None,
    }
}
