//! [`Windows`]: takes rows one after another and answers with every frame's result.

use std::ops::Range;

use arrow::array::{BooleanArray, BooleanBufferBuilder, UInt32Array};
use arrow::compute::take;

use super::batch::Batch;
use super::evaluate::At;
use super::keys::{Keys, Namer, Place};
use super::late;
use super::layout::Layout;
use super::output::Outputs;
use super::plan::Plan;
use super::state::{Context, State};
use super::text::Texts;
use super::{Error, Rows, Spec, Taken, Touched};

/// Exact window aggregates of one `PARTITION BY`, kept up to date row by row.
///
/// What it answers is a function of the order in which it took its rows: cutting them into other calls changes nothing.
#[derive(Debug)]
pub struct Windows {
    spec: Spec,
    plan: Plan,
    namer: Namer,
    layout: Layout,
    keys: Keys,
    state: State,
    texts: Texts,
    /// Per lane, the greatest record time taken.
    task_time: Vec<i64>,
    /// The next slot to be looked at for state that is of no more use.
    hand: usize,
    /// The row being stored.
    row: Vec<u64>,
}

/// Rows looked at ahead.
const BLOCK: usize = 32;

/// A key touched by a call: its slot, its first row, and its greatest wanted one.
struct Touch {
    slot: usize,
    first: u32,
    last: Option<u32>,
}

/// What a call gathers.
struct Call {
    out: Outputs,
    late: BooleanBufferBuilder,
    touched: Option<Vec<Touch>>,
}

impl Windows {
    /// Windows without rows. Fails if a frame's function, type or bounds are not supported.
    pub fn new(spec: Spec) -> Result<Self, Error> {
        let plan = Plan::new(&spec)?;
        if let Some(keep) = spec.keep.filter(|keep| *keep < 0) {
            return Err(Error::Keep(keep));
        }
        Ok(Self {
            namer: Namer::new(&spec.keys)?,
            layout: Layout::new(&plan, spec.arguments.len()),
            keys: Keys::default(),
            state: State::new(&plan),
            texts: Texts::default(),
            task_time: vec![i64::MIN; spec.lanes],
            hand: 0,
            row: Vec::new(),
            plan,
            spec,
        })
    }

    /// Takes rows in order. An error says that the columns do not fit the spec; then nothing was taken.
    pub fn take(&mut self, rows: &Rows<'_>) -> Result<Taken, Error> {
        let batch = Batch::new(&self.spec, &self.plan, &self.namer, rows)?;
        let mut late = BooleanBufferBuilder::new(batch.rows);
        late.append_n(batch.rows, false);
        let out = Outputs::new(&self.plan, batch.rows);
        let mut call = Call { out, late, touched: rows.touched.then(Vec::new) };
        let mut slots = [None; BLOCK];
        for first in (0..batch.rows).step_by(BLOCK) {
            let block = first..batch.rows.min(first + BLOCK);
            self.look_ahead(rows, &batch, block.clone(), &mut slots);
            for (row, slot) in block.zip(slots) {
                self.take_row(rows, &batch, (row, slot), &mut call);
            }
        }
        let Call { out, mut late, touched } = call;
        let taken = Taken {
            results: out.finish(&self.plan)?,
            late: BooleanArray::new(late.finish(), None),
            touched: touched.map(|touched| self.touched(rows, &touched)).transpose()?,
        };
        self.sweep(batch.rows);
        Ok(taken)
    }

    /// The greatest record time taken in a lane, in microseconds; `None` before the first row.
    pub fn task_time(&self, lane: usize) -> Option<i64> {
        self.task_time.get(lane).copied().filter(|time| *time != i64::MIN)
    }

    /// Moves a lane's task time forward to what a commit carried: a state rebuilt from fewer rows than it was made of
    /// has not seen the greatest.
    pub fn advance(&mut self, lane: usize, task_time: i64) {
        if let Some(time) = self.task_time.get_mut(lane) {
            *time = task_time.max(*time);
        }
    }

    /// Rows stored and bytes on the heap.
    pub fn state_size(&self) -> (usize, usize) {
        let bytes = self.keys.bytes() + self.state.bytes() + self.texts.bytes();
        (self.state.held.rows, bytes)
    }

    /// Keys that have state.
    pub fn keys(&self) -> usize {
        self.keys.len()
    }

    /// Rows older than this do not count.
    fn floor(&self, lane: u32) -> i64 {
        self.spec.keep.map_or(i64::MIN, |keep| self.task_time[lane as usize].saturating_sub(keep))
    }

    /// Finds the slots of the keys of a few rows and reads what the rows will need. Keys are scattered over memory: one
    /// after another, each row would wait for it alone; together, the waits overlap.
    fn look_ahead(
        &self,
        rows: &Rows<'_>,
        batch: &Batch,
        block: Range<usize>,
        slots: &mut [Option<usize>; BLOCK],
    ) {
        for (row, slot) in block.clone().zip(slots.iter_mut()) {
            let (lane, name) = (rows.lane[row], batch.names.get(row));
            *slot = self.keys.find(self.keys.hash(lane, name), lane, name);
        }
        let found = block.zip(slots.iter()).filter_map(|(row, slot)| Some((row, (*slot)?)));
        self.warm(found.map(|(row, slot)| (slot, rows.branch[row] as usize, batch.is_wanted(row))));
    }

    /// Reads the state of a few keys: what all of them will need next, for a row of that branch.
    fn warm(&self, keys: impl Iterator<Item = (usize, usize, bool)> + Clone) {
        let mut read = keys.clone().map(|(slot, ..)| self.state.warm(slot)).fold(0, u64::wrapping_add);
        for (slot, branch, wanted) in keys {
            read = read.wrapping_add(self.state.warm_rows(slot, branch, wanted));
        }
        std::hint::black_box(read);
    }

    /// The slot of a key that had none when the call looked ahead.
    fn slot(&mut self, lane: u32, name: Option<&[u8]>) -> usize {
        let hash = self.keys.hash(lane, name);
        self.keys.find(hash, lane, name).unwrap_or_else(|| {
            self.state.push();
            self.keys.insert(hash, lane, name)
        })
    }

    /// Rows older than this are dropped, some at a time. Positions count what is stored: they want it at once.
    fn stale(&self, floor: i64) -> i64 {
        match self.spec.keep {
            Some(keep) if self.plan.visible.is_none() => floor.saturating_sub(keep / 16),
            _ => floor,
        }
    }

    fn take_row(
        &mut self,
        rows: &Rows<'_>,
        batch: &Batch,
        (row, slot): (usize, Option<usize>),
        call: &mut Call,
    ) {
        let (lane, time, wanted) = (rows.lane[row], rows.time[row], batch.is_wanted(row));
        let task_time = &mut self.task_time[lane as usize];
        *task_time = rows.record_time[row].max(*task_time);
        let floor = self.floor(lane);
        if time < floor {
            call.late.set_bit(row, true);
            if wanted {
                late::evaluate(&self.plan, batch, row, &mut self.texts, &mut call.out);
            }
            return;
        }
        let slot = slot.unwrap_or_else(|| self.slot(lane, batch.names.get(row)));
        // What a touched key is yet to be shown with stays until then. (Positions: any row that is stored shows.)
        let kept = match self.keys.head(slot) {
            head if head.touched.is_some() && self.plan.visible.is_none() => head.floor,
            _ => floor,
        };
        let stale = self.stale(kept);
        let mut key = self.state.key(slot);
        let head = self.keys.head(slot);
        if head.oldest < stale {
            head.oldest = key.evict(&self.plan, &self.layout, &mut self.texts, kept);
        }
        let moved = head.greatest < time;
        head.greatest = head.greatest.max(time);
        let place = (time, rows.branch[row], rows.offset[row]);
        let greatest = wanted && head.last.is_none_or(|last| last <= place);
        if greatest {
            head.last = Some(place);
        }
        let flags = batch.flags(row);
        let mut stored = None;
        if self.plan.visible.is_some() || flags.iter().any(|flags| *flags != 0) {
            let branch = rows.branch[row] as usize;
            encode(&mut self.row, &self.plan, &mut self.layout, &mut self.texts, (batch, row), place);
            let context = Context { plan: &self.plan, layout: &self.layout, texts: &self.texts };
            let (number, among) = key.store(context, branch, &self.row);
            head.oldest = head.oldest.min(time);
            head.disordered |= among;
            stored = Some((branch, number));
        }
        // A row that changes nothing that is shown leaves it as it was: seen again from now, less of it would be kept.
        let shows = moved || greatest || stored.is_some() && self.plan.reaches(head.greatest, floor, time);
        if let Some(touched) = call.touched.as_mut().filter(|_| shows) {
            let at = *head.touched.get_or_insert_with(|| {
                touched.push(Touch { slot, first: row as u32, last: None });
                (touched.len() - 1) as u32
            });
            head.floor = floor;
            if greatest {
                touched[at as usize].last = Some(row as u32);
            }
        }
        if wanted {
            let context = Context { plan: &self.plan, layout: &self.layout, texts: &self.texts };
            let at = At { time, floor, row: stored, back: head.disordered || time < head.at };
            key.evaluate(context, at, &mut call.out, row);
            (head.at, head.disordered) = (time, head.touched.is_some() && head.floor < floor);
        }
    }

    /// The keys touched by the call, at their greatest row time.
    fn touched(&mut self, rows: &Rows<'_>, touched: &[Touch]) -> Result<Touched, Error> {
        let first = UInt32Array::from_iter_values(touched.iter().map(|touch| touch.first));
        let keys = rows.keys.iter().map(|column| take(column, &first, None)).collect::<Result<_, _>>()?;
        let mut out = Outputs::new(&self.plan, touched.len());
        let mut time = Vec::with_capacity(touched.len());
        for (block, touched) in touched.chunks(BLOCK).enumerate() {
            self.warm(touched.iter().map(|touch| (touch.slot, 0, true)));
            let context = Context { plan: &self.plan, layout: &self.layout, texts: &self.texts };
            for (index, touch) in touched.iter().enumerate() {
                let head = self.keys.head(touch.slot);
                let at = At { time: head.greatest, floor: head.floor, row: None, back: head.disordered };
                self.state.key(touch.slot).evaluate(context, at, &mut out, block * BLOCK + index);
                (head.at, head.disordered, head.touched) = (head.greatest, false, None);
                time.push(head.greatest);
            }
        }
        let last_row = touched.iter().map(|touch| touch.last).collect();
        Ok(Touched { keys, time, results: out.finish(&self.plan)?, last_row })
    }

    /// Looks at as many keys as rows were taken: drops those whose last row has left, and what others hold of no more
    /// use. All of it lies beyond every frame, so when that happens shows in no result.
    fn sweep(&mut self, rows: usize) {
        if self.spec.keep.is_none() {
            return;
        }
        for _ in 0..rows.min(self.keys.len()) {
            if self.hand >= self.keys.len() {
                self.hand = 0;
            }
            let Some(head) = self.keys.heads().get(self.hand) else { return };
            let floor = self.floor(head.lane);
            let (gone, stale) = (head.greatest < floor, head.oldest < self.stale(floor));
            if gone {
                self.state.key(self.hand).drain(&self.plan, &self.layout, &mut self.texts);
                self.state.remove(self.hand);
                self.keys.remove(self.hand);
                continue;
            }
            if stale {
                let mut key = self.state.key(self.hand);
                self.keys.head(self.hand).oldest =
                    key.evict(&self.plan, &self.layout, &mut self.texts, floor);
            }
            self.hand += 1;
        }
    }
}

/// Lays a row out to be stored: its values are those that some frame may read.
fn encode(
    words: &mut Vec<u64>,
    plan: &Plan,
    layout: &mut Layout,
    texts: &mut Texts,
    (batch, row): (&Batch, usize),
    (time, branch, offset): Place,
) {
    let flags = batch.flags(row);
    words.clear();
    words.push(time as u64);
    words.extend_from_slice(flags);
    if layout.offset().is_some() {
        words.push(offset as u64);
    }
    for (index, value) in plan.values.iter().enumerate().filter(|(_, value)| value.is_in(flags)) {
        let slot = layout.slot(branch as usize, value.argument);
        if slot >= words.len() {
            words.resize(slot + 1, 0);
        }
        words[slot] = batch.word(index, row, texts);
    }
}
