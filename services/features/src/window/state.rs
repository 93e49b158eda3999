//! The state of all keys, side by side per kind: a key's part is a stretch of each vector.

use super::Bounds;
use super::accumulator::Accumulator;
use super::extremum::{Deque, Search};
use super::layout::Layout;
use super::plan::{Kind, Plan, SumPlan};
use super::positions;
use super::reservoir::Reservoir;
use super::text::Texts;

/// The stretch of a reservoir that a frame covers: rows `low..high`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cursor {
    pub(super) low: u64,
    pub(super) high: u64,
}

/// What evaluations read besides a key's own state.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) plan: &'a Plan,
    pub(super) layout: &'a Layout,
    pub(super) texts: &'a Texts,
}

/// What the state of all keys holds on the heap.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) rows: usize,
    pub(super) bytes: usize,
}

impl Held {
    fn change(&mut self, before: usize, after: usize) {
        self.bytes = self.bytes + after - before;
    }
}

/// Vectors of every key's parts.
#[derive(Debug)]
pub(super) struct State {
    /// Per branch.
    reservoirs: Vec<Reservoir>,
    /// Per group and branch.
    cursors: Vec<Cursor>,
    /// Per accumulator of the plan.
    sums: Vec<Accumulator>,
    /// Per extremum of the plan and branch.
    deques: Vec<Deque>,
    fresh: Vec<Accumulator>,
    branches: usize,
    groups: usize,
    extrema: usize,
    pub(super) held: Held,
}

/// The parts of one key.
pub(super) struct KeyState<'a> {
    pub(super) reservoirs: &'a mut [Reservoir],
    pub(super) cursors: &'a mut [Cursor],
    pub(super) sums: &'a mut [Accumulator],
    pub(super) deques: &'a mut [Deque],
    pub(super) held: &'a mut Held,
}

impl State {
    pub(super) fn new(plan: &Plan) -> Self {
        Self {
            reservoirs: Vec::new(),
            cursors: Vec::new(),
            sums: Vec::new(),
            deques: Vec::new(),
            fresh: plan.sums.iter().map(|sum| Accumulator::new(sum.kind)).collect(),
            branches: plan.branches,
            groups: plan.groups.len(),
            extrema: plan.extrema.len(),
            held: Held::default(),
        }
    }

    /// Makes room for one more key.
    pub(super) fn push(&mut self) {
        self.reservoirs.extend((0..self.branches).map(|_| Reservoir::default()));
        self.cursors.resize(self.cursors.len() + self.groups * self.branches, Cursor::default());
        self.sums.extend_from_slice(&self.fresh);
        self.deques.resize(self.deques.len() + self.extrema * self.branches, Deque::default());
    }

    pub(super) fn key(&mut self, slot: usize) -> KeyState<'_> {
        KeyState {
            reservoirs: part(&mut self.reservoirs, slot, self.branches),
            cursors: part(&mut self.cursors, slot, self.groups * self.branches),
            sums: part(&mut self.sums, slot, self.fresh.len()),
            deques: part(&mut self.deques, slot, self.extrema * self.branches),
            held: &mut self.held,
        }
    }

    /// Reads a key's parts, so that they are in the cache when its row is taken. What comes back is of no use.
    pub(super) fn warm(&self, slot: usize) -> u64 {
        let cursors = &self.cursors[slot * self.groups * self.branches..][..self.groups * self.branches];
        let sums = &self.sums[slot * self.fresh.len()..][..self.fresh.len()];
        let rows = &self.reservoirs[slot * self.branches..][..self.branches];
        let cursors: u64 = cursors.iter().step_by(4).map(|cursor| cursor.low).fold(0, u64::wrapping_add);
        let sums = sums.iter().step_by(2).map(Accumulator::count).fold(cursors, u64::wrapping_add);
        rows.iter().map(Reservoir::first).fold(sums, u64::wrapping_add)
    }

    /// As [`Self::warm`], for the place of a branch's next row and, if frames are `wanted`, the rows at the cursors.
    pub(super) fn warm_rows(&self, slot: usize, branch: usize, wanted: bool) -> u64 {
        let rows = &self.reservoirs[slot * self.branches..][..self.branches];
        let next = rows[branch].peek(rows[branch].end());
        if !wanted {
            return next;
        }
        let cursors = &self.cursors[slot * self.groups * self.branches..][..self.groups * self.branches];
        let ends = cursors.chunks_exact(self.branches).flat_map(|cursors| cursors.iter().zip(rows));
        ends.map(|(cursor, rows)| rows.peek(cursor.low) ^ rows.peek(cursor.high))
            .fold(next, u64::wrapping_add)
    }

    /// Drops a key's state, whose rows have been drained; the last key's takes its place.
    pub(super) fn remove(&mut self, slot: usize) {
        let key = self.key(slot);
        let sums: usize = key.sums.iter().map(Accumulator::heap_bytes).sum();
        let deques: usize = key.deques.iter().map(Deque::bytes).sum();
        let rows: usize = key.reservoirs.iter().map(Reservoir::bytes).sum();
        key.held.change(sums + deques + rows, 0);
        swap_remove(&mut self.reservoirs, slot, self.branches);
        swap_remove(&mut self.cursors, slot, self.groups * self.branches);
        swap_remove(&mut self.sums, slot, self.fresh.len());
        swap_remove(&mut self.deques, slot, self.extrema * self.branches);
    }

    /// Bytes on the heap.
    pub(super) fn bytes(&self) -> usize {
        self.held.bytes
            + self.reservoirs.capacity() * size_of::<Reservoir>()
            + self.cursors.capacity() * size_of::<Cursor>()
            + self.sums.capacity() * size_of::<Accumulator>()
            + self.deques.capacity() * size_of::<Deque>()
    }
}

fn part<T>(all: &mut [T], slot: usize, each: usize) -> &mut [T] {
    &mut all[slot * each..(slot + 1) * each]
}

fn swap_remove<T>(all: &mut Vec<T>, slot: usize, each: usize) {
    let last = all.len().saturating_sub(each);
    (0..each).for_each(|at| all.swap(slot * each + at, last + at));
    all.truncate(last);
    if all.capacity() > 4 * last + 64 * each {
        all.shrink_to(2 * last);
    }
}

/// Takes a stored row into the accumulators that `plans` describe, or out of them. Returns by how many bytes the heap
/// grew.
#[inline]
pub(super) fn step(
    plans: &[SumPlan],
    sums: &mut [Accumulator],
    slots: &[u32],
    row: &[u64],
    leaving: bool,
) -> isize {
    let mut grown = 0;
    for (plan, sum) in plans.iter().zip(sums) {
        if plan.bit.is_set(row) {
            grown += sum.step(|| row[slots[plan.argument] as usize], leaving);
        }
    }
    grown
}

impl KeyState<'_> {
    /// Stores a row of a branch; `row` is laid out by `context.layout`. Returns its number, and whether rows of the
    /// branch come after it.
    pub(super) fn store(&mut self, context: Context<'_>, branch: usize, row: &[u64]) -> (u64, bool) {
        let time = row[0] as i64;
        let offset = context.layout.offset().map(|word| (word, row[word] as i64));
        let reservoir = &mut self.reservoirs[branch];
        let number = reservoir.place(time, offset);
        let before = reservoir.bytes();
        let among = number < reservoir.end();
        reservoir.insert(number, row);
        self.held.rows += 1;
        self.held.change(before, reservoir.bytes());
        if among || context.plan.visible.is_some() {
            self.follow(context, branch, number, among);
        }
        (number, among)
    }

    /// Lets cursors and deques follow a row that was placed at `number`.
    fn follow(&mut self, context: Context<'_>, branch: usize, number: u64, among: bool) {
        let (plan, slots) = (context.plan, context.layout.slots(branch));
        let row = self.reservoirs[branch].row(number);
        let mut grown = 0;
        for (group, cursors) in plan.groups.iter().zip(self.cursors.chunks_exact_mut(plan.branches)) {
            let (below_low, below_high) = match group.bounds {
                // Where the cursors then stand wrongly, the next evaluation moves them.
                Bounds::Range { .. } if !among => continue,
                Bounds::Range { .. } => (number <= cursors[branch].low, number < cursors[branch].high),
                Bounds::Rows { .. } => positions::sides(self.reservoirs, cursors, branch, number),
            };
            let cursor = &mut cursors[branch];
            let below_high = below_high || below_low;
            cursor.low += u64::from(below_low);
            cursor.high += u64::from(below_high);
            if below_high && !below_low {
                grown += step(plan.sums(group), &mut self.sums[group.sums.clone()], slots, row, false);
            }
        }
        self.held.bytes = self.held.bytes.saturating_add_signed(grown);
        if !among {
            return;
        }
        for (best, deques) in plan.extrema.iter().zip(self.deques.chunks_exact_mut(plan.branches)) {
            let search = Search { plan: best, slot: slots[best.argument] as usize, texts: context.texts };
            let deque = &mut deques[branch];
            let before = deque.bytes();
            deque.inserted(search, row, number);
            self.held.change(before, deque.bytes());
        }
    }

    /// Drops the rows older than `floor`, also from the accumulators. Returns the least time left.
    pub(super) fn evict(&mut self, plan: &Plan, layout: &Layout, texts: &mut Texts, floor: i64) -> i64 {
        let mut oldest = i64::MAX;
        for branch in 0..self.reservoirs.len() {
            while self.reservoirs[branch].len() > 0 {
                let time = self.reservoirs[branch].time(self.reservoirs[branch].first());
                if time >= floor {
                    oldest = oldest.min(time);
                    break;
                }
                self.drop_first(plan, layout, texts, branch);
            }
        }
        oldest
    }

    /// Drops every row, but not from the accumulators: the key is to go.
    pub(super) fn drain(&mut self, plan: &Plan, layout: &Layout, texts: &mut Texts) {
        for (branch, reservoir) in self.reservoirs.iter().enumerate() {
            for number in reservoir.first()..reservoir.end() {
                release(plan, layout.slots(branch), texts, reservoir.row(number));
            }
            self.held.rows -= reservoir.len();
        }
    }

    fn drop_first(&mut self, plan: &Plan, layout: &Layout, texts: &mut Texts, branch: usize) {
        let (reservoir, slots) = (&mut self.reservoirs[branch], layout.slots(branch));
        let first = reservoir.first();
        let row = reservoir.row(first);
        for (group, cursors) in plan.groups.iter().zip(self.cursors.chunks_exact_mut(plan.branches)) {
            let cursor = &mut cursors[branch];
            if cursor.low > first {
                continue;
            }
            if cursor.high > first {
                let grown = step(plan.sums(group), &mut self.sums[group.sums.clone()], slots, row, true);
                self.held.bytes = self.held.bytes.saturating_add_signed(grown);
            }
            cursor.low = first + 1;
            cursor.high = cursor.high.max(first + 1);
        }
        release(plan, slots, texts, row);
        let before = reservoir.bytes();
        reservoir.pop();
        self.held.rows -= 1;
        self.held.change(before, reservoir.bytes());
    }
}

/// Lets go of the texts that a row holds.
fn release(plan: &Plan, slots: &[u32], texts: &mut Texts, row: &[u64]) {
    for value in plan.values.iter().filter(|value| value.kind == Kind::Text) {
        if value.is_in(&row[1..]) {
            texts.release(row[slots[value.argument] as usize]);
        }
    }
}
