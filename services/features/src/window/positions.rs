//! ROWS frames: cursors that count rows of all branches, merged by (time, branch, offset).
//!
//! A cut through the merged order is one position per branch. Moving it by one row takes the branch whose next row is
//! least, or whose last is greatest, so a frame's two cuts cost as many steps as rows passed.

use super::reservoir::Reservoir;
use super::state::{Context, Cursor, KeyState, step};

/// One of a frame's two cuts.
#[derive(Clone, Copy)]
enum Cut {
    Low,
    High,
}

impl Cut {
    fn of(self, cursor: &Cursor) -> u64 {
        match self {
            Self::Low => cursor.low,
            Self::High => cursor.high,
        }
    }

    fn of_mut(self, cursor: &mut Cursor) -> &mut u64 {
        match self {
            Self::Low => &mut cursor.low,
            Self::High => &mut cursor.high,
        }
    }

    /// How many rows lie below.
    fn rank(self, reservoirs: &[Reservoir], cursors: &[Cursor]) -> u64 {
        cursors.iter().zip(reservoirs).map(|(cursor, rows)| self.of(cursor) - rows.first()).sum()
    }

    /// The branch of the greatest row below, with that row's time.
    fn below(self, reservoirs: &[Reservoir], cursors: &[Cursor]) -> Option<(i64, usize)> {
        let ends = reservoirs.iter().zip(cursors).enumerate();
        ends.filter(|(_, (rows, cursor))| self.of(cursor) > rows.first())
            .map(|(branch, (rows, cursor))| (rows.time(self.of(cursor) - 1), branch))
            .max()
    }

    /// The branch of the least row above.
    fn above(self, reservoirs: &[Reservoir], cursors: &[Cursor]) -> Option<usize> {
        let ends = reservoirs.iter().zip(cursors).enumerate();
        ends.filter(|(_, (rows, cursor))| self.of(cursor) < rows.end())
            .map(|(branch, (rows, cursor))| (rows.time(self.of(cursor)), branch))
            .min()
            .map(|(_, branch)| branch)
    }

    /// Whether a row that was placed at `number` of `branch` lies below. Beside rows of its own branch that is plain;
    /// right at the cut, the rows of the others decide.
    fn has_below(self, reservoirs: &[Reservoir], cursors: &[Cursor], branch: usize, number: u64) -> bool {
        let cut = self.of(&cursors[branch]);
        if number != cut {
            return number < cut;
        }
        let place = (reservoirs[branch].time(number), branch);
        let others = reservoirs.iter().zip(cursors).enumerate().filter(|(other, _)| *other != branch);
        others
            .filter(|(_, (rows, cursor))| self.of(cursor) > rows.first())
            .any(|(other, (rows, cursor))| (rows.time(self.of(cursor) - 1), other) > place)
    }
}

/// Whether a row that was just placed lies below a frame's low cut, and below its high one.
pub(super) fn sides(
    reservoirs: &[Reservoir],
    cursors: &[Cursor],
    branch: usize,
    number: u64,
) -> (bool, bool) {
    (
        Cut::Low.has_below(reservoirs, cursors, branch, number),
        Cut::High.has_below(reservoirs, cursors, branch, number),
    )
}

/// What has to be put right where the current row is not the last of the rows of its time: it counts as if it were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Amend {
    Nothing,
    /// The current row belongs to the frame, but the cuts do not take it in.
    With,
    /// The cuts take in the current row, which does not belong to the frame.
    Without,
}

/// Where a frame's cuts belong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Target {
    low: u64,
    high: u64,
    pub(super) amend: Amend,
}

impl Target {
    /// For positions `end ..= start` counted back from the current row, among `visible` rows up to its time, `behind`
    /// of which come after it in the merged order.
    pub(super) fn new(start: Option<u64>, end: u64, visible: u64, behind: u64) -> Self {
        let high = visible.saturating_sub(end);
        let low = start.map_or(0, |start| visible.saturating_sub(start.saturating_add(1))).min(high);
        // Ranks as if the current row were last, and its true rank: rows behind it stand one further than it seems.
        let own = visible.saturating_sub(behind + 1);
        let shifted = |cut: u64| if cut > own && cut < visible { cut + 1 } else { cut };
        let amend = match (behind, end) {
            (0, _) => Amend::Nothing,
            (_, 0) if low > own => Amend::With,
            (_, 0) => Amend::Nothing,
            _ if low <= own && own < high => Amend::Without,
            _ => Amend::Nothing,
        };
        Self { low: shifted(low), high: shifted(high), amend }
    }
}

impl KeyState<'_> {
    /// How many rows come after row `number` of `branch` in the merged order, among those that `visible` cursors cover:
    /// all of them have its time.
    pub(super) fn behind(&self, visible: &[Cursor], branch: usize, number: u64) -> u64 {
        let time = self.reservoirs[branch].time(number);
        let own = visible[branch].high.saturating_sub(number + 1);
        let later = self.reservoirs.iter().zip(visible).skip(branch + 1);
        own + later
            .map(|(rows, cursor)| {
                let peers = (rows.first()..cursor.high).rev().take_while(|at| rows.time(*at) == time);
                peers.count() as u64
            })
            .sum::<u64>()
    }

    /// Moves a ROWS group's cuts.
    pub(super) fn seek_positions(&mut self, context: Context<'_>, group: usize, target: Target) {
        // Each step below keeps the low cut at or under the high one.
        self.move_cut(context, group, Cut::Low, target.low, true);
        self.move_cut(context, group, Cut::High, target.high, true);
        self.move_cut(context, group, Cut::High, target.high, false);
        self.move_cut(context, group, Cut::Low, target.low, false);
    }

    /// Moves a cut down to a rank, or up to it.
    fn move_cut(&mut self, context: Context<'_>, group: usize, cut: Cut, to: u64, down: bool) {
        let plan = context.plan;
        let cursors = &mut self.cursors[group * plan.branches..(group + 1) * plan.branches];
        let rank = cut.rank(self.reservoirs, cursors);
        let steps = if down { rank.saturating_sub(to) } else { to.saturating_sub(rank) };
        // Rows that the low cut sinks below enter the frame; rows that the high cut sinks below leave it.
        let leaving = down == matches!(cut, Cut::High);
        for _ in 0..steps {
            let branch = if down {
                cut.below(self.reservoirs, cursors).map(|(_, branch)| branch)
            } else {
                cut.above(self.reservoirs, cursors)
            };
            let Some(branch) = branch else { return };
            let at = cut.of_mut(&mut cursors[branch]);
            let number = if down { *at - 1 } else { *at };
            *at = if down { *at - 1 } else { *at + 1 };
            let row = self.reservoirs[branch].row(number);
            let group = &plan.groups[group];
            let sums = &mut self.sums[group.sums.clone()];
            let grown = step(plan.sums(group), sums, context.layout.slots(branch), row, leaving);
            self.held.bytes = self.held.bytes.saturating_add_signed(grown);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The ranks that positions `end ..= start` select, by walking the definition: the row itself, then the others.
    fn by_hand(start: Option<u64>, end: u64, visible: u64, behind: u64) -> Vec<u64> {
        let own = visible - 1 - behind;
        let mut order = vec![own];
        order.extend((0..visible).rev().filter(|rank| *rank != own));
        let mut ranks: Vec<u64> = (0..visible)
            .filter(|position| *position >= end && start.is_none_or(|start| *position <= start))
            .map(|position| order[position as usize])
            .collect();
        ranks.sort_unstable();
        ranks
    }

    #[test]
    fn cuts_and_amendment_select_exactly_the_positions() {
        for visible in 1..7u64 {
            for behind in 0..visible {
                for end in 0..8 {
                    for start in (0..9).map(Some).chain([None]) {
                        let target = Target::new(start, end, visible, behind);
                        let own = visible - 1 - behind;
                        let mut ranks: Vec<u64> = (target.low..target.high).collect();
                        match target.amend {
                            Amend::Nothing => {}
                            Amend::With => {
                                assert!(!ranks.contains(&own));
                                ranks.push(own);
                            }
                            Amend::Without => {
                                assert!(ranks.contains(&own));
                                ranks.retain(|rank| *rank != own);
                            }
                        }
                        ranks.sort_unstable();
                        let expected = by_hand(start, end, visible, behind);
                        assert_eq!(ranks, expected, "{start:?} {end} of {visible}, {behind} behind");
                    }
                }
            }
        }
    }
}
