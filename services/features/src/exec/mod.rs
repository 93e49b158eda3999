//! A plan at work: the one executor that streams and backfills share.
//!
//! The source stage's rows come in by [`intake`]: each branch's filters and projections, checks, and the merge in the
//! order in which rows are taken. Every stage then runs its steps ([`stage`]) and hands rows on, or evaluates the view's
//! outputs ([`emit`]).

mod emit;
mod entity;
mod intake;
mod lanes;
mod memory;
mod program;
mod rows;
mod stage;
pub(crate) mod text;

pub(crate) use emit::Emitter;
pub(crate) use intake::{Intake, SourceRows, micros};
pub(crate) use lanes::Lanes;
pub(crate) use rows::Rows;
pub(crate) use stage::{Mode, StageRunner};

use crate::plan::{Plan, Slot};

/// A row that cannot be taken, or whose expressions fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rejected {
    /// The row that caused it: its index in the order of the call.
    pub cause: u32,
    /// The class of the fault.
    pub reason: &'static str,
    /// What exactly is wrong.
    pub detail: String,
}

/// The slots of these indices.
fn slots<'a>(plan: &'a Plan, indices: &'a [usize]) -> impl Iterator<Item = &'a Slot> {
    indices.iter().map(|slot| &plan.slots[*slot])
}
