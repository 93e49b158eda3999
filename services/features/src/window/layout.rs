//! Which word of a stored row holds what.

use super::plan::Plan;

const NONE: u32 = u32::MAX;

/// Rows are `[time, flags.., offset?, values..]`. Each branch has places for the arguments that its rows really have,
/// in the order in which they first appeared: payments need no place for a label's columns.
#[derive(Debug)]
pub(super) struct Layout {
    offset: Option<usize>,
    arguments: usize,
    slots: Vec<u32>,
    widths: Vec<usize>,
}

impl Layout {
    pub(super) fn new(plan: &Plan, arguments: usize) -> Self {
        let offset = plan.visible.map(|_| 1 + plan.flags());
        let first_value = 1 + plan.flags() + usize::from(offset.is_some());
        Self {
            offset,
            arguments,
            slots: vec![NONE; arguments * plan.branches],
            widths: vec![first_value; plan.branches],
        }
    }

    /// Where rows keep their offset, if the order of rows of equal time matters.
    pub(super) fn offset(&self) -> Option<usize> {
        self.offset
    }

    /// Per argument, the word that holds it in rows of a branch; any that a row's flags say it has lies in the row.
    #[inline]
    pub(super) fn slots(&self, branch: usize) -> &[u32] {
        &self.slots[branch * self.arguments..(branch + 1) * self.arguments]
    }

    /// The word for an argument of a branch, made if this is the first row that has it.
    pub(super) fn slot(&mut self, branch: usize, argument: usize) -> usize {
        let slot = &mut self.slots[branch * self.arguments + argument];
        if *slot == NONE {
            *slot = self.widths[branch] as u32;
            self.widths[branch] += 1;
        }
        *slot as usize
    }
}
