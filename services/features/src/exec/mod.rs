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

use crate::error::Error;
use crate::plan::{Plan, Slot};
use crate::sql::Refusal;

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

/// Compiles every expression of a plan as a run would, and says why one cannot be evaluated.
pub(crate) fn compile(plan: &Plan) -> Result<(), Refusal> {
    let refused = |error: Error| match error {
        Error::Expression(error) => Refusal::from(error),
        other => Refusal::new(None, other.to_string()),
    };
    Intake::new(plan).map_err(refused)?;
    for stage in 0..plan.stages.len() {
        let runner = StageRunner::new(plan, stage, 1, "").map_err(refused)?;
        if stage + 1 == plan.stages.len() {
            Emitter::new(plan, runner.layout()).map_err(refused)?;
        }
    }
    Ok(())
}

/// The slots of these indices.
fn slots<'a>(plan: &'a Plan, indices: &'a [usize]) -> impl Iterator<Item = &'a Slot> {
    indices.iter().map(|slot| &plan.slots[*slot])
}
