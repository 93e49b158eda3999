//! The results of every frame of one key at one time.

use super::Bounds;
use super::extremum::Search;
use super::output::Outputs;
use super::plan::{Group, Read};
use super::positions::{Amend, Target};
use super::state::{Context, KeyState, step};

/// The current row of an evaluation.
#[derive(Clone, Copy)]
pub(super) struct At {
    pub(super) time: i64,
    /// Rows older than this do not count.
    pub(super) floor: i64,
    /// Branch and number, if it is stored; `None`: the last of the rows up to `time`.
    pub(super) row: Option<(usize, u64)>,
    /// Whether cursors may have to go back.
    pub(super) back: bool,
}

impl KeyState<'_> {
    /// Evaluates every frame at a row and writes the results to `out` at `index`.
    pub(super) fn evaluate(&mut self, context: Context<'_>, at: At, out: &mut Outputs, index: usize) {
        for (number, group) in context.plan.groups.iter().enumerate() {
            let mut amend = None;
            match group.bounds {
                Bounds::Range { start, end } => {
                    let upper = at.time.saturating_sub(end);
                    let lower = start.map_or(at.floor, |start| at.time.saturating_sub(start).max(at.floor));
                    self.seek_range(context, number, (lower, upper), at.back);
                }
                Bounds::Rows { start, end } => amend = self.seek_rows(context, number, (start, end), at.row),
            }
            if let Some(amend) = amend {
                self.amend(context, group, amend, false);
            }
            for (frame, read) in &group.reads {
                let word = self.read(context, number, *read, amend);
                out.set(*frame, index, word, context.texts);
            }
            if let Some(amend) = amend {
                self.amend(context, group, amend, true);
            }
        }
    }

    /// Moves a RANGE group's cursors to the rows of `lower ..= upper`; rows that no frame reaches yet cost nothing. Where
    /// that is no row, both cursors stand together somewhere: only going back moves the low one under the high one.
    fn seek_range(&mut self, context: Context<'_>, number: usize, (lower, upper): (i64, i64), back: bool) {
        let plan = context.plan;
        let group = &plan.groups[number];
        let cursors = &mut self.cursors[number * plan.branches..(number + 1) * plan.branches];
        let (plans, sums) = (plan.sums(group), &mut self.sums[group.sums.clone()]);
        let mut grown = 0;
        for (branch, (cursor, rows)) in cursors.iter_mut().zip(self.reservoirs.iter()).enumerate() {
            let slots = context.layout.slots(branch);
            let mut step = |at: u64, leaving| grown += step(plans, sums, slots, rows.row(at), leaving);
            if back {
                while cursor.low > rows.first() && rows.time(cursor.low - 1) >= lower {
                    cursor.low -= 1;
                    step(cursor.low, false);
                }
                while cursor.high > cursor.low && rows.time(cursor.high - 1) > upper {
                    cursor.high -= 1;
                    step(cursor.high, true);
                }
            }
            while cursor.high < rows.end() && rows.time(cursor.high) <= upper {
                step(cursor.high, false);
                cursor.high += 1;
            }
            while cursor.low < cursor.high && rows.time(cursor.low) < lower {
                step(cursor.low, true);
                cursor.low += 1;
            }
        }
        self.held.bytes = self.held.bytes.saturating_add_signed(grown);
    }

    fn seek_rows(
        &mut self,
        context: Context<'_>,
        number: usize,
        (start, end): (Option<u64>, u64),
        row: Option<(usize, u64)>,
    ) -> Option<(Amend, usize, u64)> {
        let branches = context.plan.branches;
        let group = context.plan.visible?;
        let visible = &self.cursors[group * branches..(group + 1) * branches];
        let rows =
            visible.iter().zip(self.reservoirs.iter()).map(|(cursor, rows)| cursor.high - rows.first()).sum();
        let behind = row.map_or(0, |(branch, number)| self.behind(visible, branch, number));
        let target = Target::new(start, end, rows, behind);
        self.seek_positions(context, number, target);
        row.filter(|_| target.amend != Amend::Nothing).map(|(branch, row)| (target.amend, branch, row))
    }

    /// Takes the current row into the accumulators or out of them, where the cuts of a ROWS frame differ from it.
    fn amend(
        &mut self,
        context: Context<'_>,
        group: &Group,
        (amend, branch, number): (Amend, usize, u64),
        undo: bool,
    ) {
        let row = self.reservoirs[branch].row(number);
        let leaving = (amend == Amend::Without) != undo;
        let sums = &mut self.sums[group.sums.clone()];
        let grown = step(context.plan.sums(group), sums, context.layout.slots(branch), row, leaving);
        self.held.bytes = self.held.bytes.saturating_add_signed(grown);
    }

    fn read(
        &mut self,
        context: Context<'_>,
        group: usize,
        read: Read,
        amend: Option<(Amend, usize, u64)>,
    ) -> Option<u64> {
        match read {
            Read::Count(at) => Some(self.sums[at].count()),
            Read::Sum(at) => self.sums[at].sum(),
            Read::Average(at) => self.sums[at].average(),
            Read::Extremum(at) => self.extremum(context, group, at, amend),
        }
    }

    fn extremum(
        &mut self,
        context: Context<'_>,
        group: usize,
        at: usize,
        amend: Option<(Amend, usize, u64)>,
    ) -> Option<u64> {
        let (plan, best) = (context.plan, &context.plan.extrema[at]);
        let cursors = &self.cursors[group * plan.branches..(group + 1) * plan.branches];
        let deques = &mut self.deques[at * plan.branches..(at + 1) * plan.branches];
        let mut result = None;
        for (branch, (cursor, deque)) in cursors.iter().zip(deques).enumerate() {
            let slot = context.layout.slots(branch)[best.argument] as usize;
            let search = Search { plan: best, slot, texts: context.texts };
            let rows = &self.reservoirs[branch];
            let before = deque.bytes();
            let found = match amend {
                Some((Amend::Without, own, row)) if own == branch => {
                    let later = deque.best(search, rows, row + 1, cursor.high);
                    search.better(deque.best(search, rows, cursor.low, row), later)
                }
                Some((Amend::With, own, row)) if own == branch => search
                    .better(deque.best(search, rows, cursor.low, cursor.high), search.value(rows.row(row))),
                _ => deque.best(search, rows, cursor.low, cursor.high),
            };
            self.held.bytes = self.held.bytes + deque.bytes() - before;
            result = search.better(result, found);
        }
        result
    }
}
