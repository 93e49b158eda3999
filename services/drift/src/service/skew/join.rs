//! Where served and recomputed rows meet: by id, window by window, until every partition is past the window.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use millrace_runtime::task::{Batch, Effects, Progress, Task, TaskError};

use super::{SkewCounts, SkewNote, SkewPlan};
use crate::service::Error;
use crate::service::message::{Message, decode};
use crate::service::notes::{Place, RowNote, Span};
use crate::service::observe::cause;
use crate::service::outputs::Outgoing;

/// Values of a row that waits for its other side.
type Values = Vec<Option<String>>;

/// Rows of one check and id that wait, all of one side: a repeated row meets its own repetition.
#[derive(Debug, Clone, PartialEq)]
struct Waiting {
    served: bool,
    rows: VecDeque<(i64, Values)>,
}

/// First and last record time, in ms.
type Times = (i64, i64);

/// Rows that no window's start or end divides.
#[derive(Debug, Clone)]
struct Cell {
    waiting: HashMap<(u32, String), Waiting>,
    counts: SkewCounts,
    /// By check, and whether served, when there were rows.
    times: BTreeMap<(u32, bool), Times>,
    /// The first record that it is made of.
    offset: i64,
}

impl Cell {
    /// The other side of a row, which leaves; none: the row waits for it.
    fn other(
        &mut self,
        check: u32,
        served: bool,
        (id, time_ms): (&str, i64),
        values: &Values,
    ) -> Option<Values> {
        let times = self.times.entry((check, served)).or_insert((time_ms, time_ms));
        *times = widest(*times, (time_ms, time_ms));
        let key = (check, id.to_owned());
        let waiting =
            self.waiting.entry(key.clone()).or_insert_with(|| Waiting { served, rows: VecDeque::new() });
        if waiting.served == served {
            waiting.rows.push_back((time_ms, values.clone()));
            return None;
        }
        let other = waiting.rows.pop_front();
        if waiting.rows.is_empty() {
            self.waiting.remove(&key);
        }
        other.map(|(_, values)| values)
    }
}

fn widest(a: Times, b: Times) -> Times {
    (a.0.min(b.0), a.1.max(b.1))
}

/// The task; there is one. It tells the judge of rows what differs in each window, and the time that all partitions have
/// reached.
pub struct SkewJoin {
    plan: Arc<SkewPlan>,
    /// By the end of the first window that holds them, in ms.
    cells: BTreeMap<i64, Cell>,
    /// The time of every partition, and where it was told.
    told: BTreeMap<Place, (i64, i64)>,
    /// Until when what a check recomputes lacks rows, by partition, and where it was told.
    warm: BTreeMap<(u32, Place), (i64, i64)>,
    places: Vec<Place>,
    /// The end of the last window that was told, in ms.
    settled_ms: Option<i64>,
    /// The time that was told last, in ms.
    reached_ms: Option<i64>,
}

impl SkewJoin {
    /// The task; `served` are the partitions of the served topic.
    pub fn new(plan: Arc<SkewPlan>, served: impl Iterator<Item = Place>) -> Self {
        let again = plan.checks.iter().flat_map(|check| plan.places(check));
        let places = served.chain(again).collect();
        let (cells, told, warm) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { plan, cells, told, warm, places, settled_ms: None, reached_ms: None }
    }

    fn take(&mut self, batch: &Batch, effects: &mut Effects) -> Result<(), Error> {
        let Some(input) = batch.inputs.first() else { return Ok(()) };
        let mut out = Outgoing::default();
        for (row, (message, meta)) in decode(&input.rows)?.into_iter().zip(&input.meta).enumerate() {
            match message.head {
                SkewNote::Progress { place, time_ms, silent } => {
                    self.tell(&place, time_ms, meta.offset);
                    // Whoever looks for silent partitions hears of those that are not.
                    if !silent && place.topic != self.plan.stem {
                        let head = RowNote::Progress { place, time_ms, silent };
                        out.push(cause(row), Message { key: None, time_ms, head, body: Vec::new() });
                    }
                    self.close(row, &mut out)?;
                }
                SkewNote::Warm { place, check, until_ms } => {
                    let warm = self.warm.entry((check, place)).or_insert((until_ms, meta.offset));
                    *warm = (warm.0.max(until_ms), meta.offset);
                }
                SkewNote::Served { check } => self.meet(check, true, &message, meta.offset)?,
                SkewNote::Recomputed { check } => self.meet(check, false, &message, meta.offset)?,
            }
        }
        out.finish(0, effects)
    }

    /// Notes a partition's time.
    fn tell(&mut self, place: &Place, time_ms: i64, offset: i64) {
        let told = self.told.entry(place.clone()).or_insert((time_ms, offset));
        *told = (told.0.max(time_ms), offset);
    }

    /// Puts a row beside its other side, or has it wait. One that comes after its windows were told is left aside: the
    /// clock had gone on without its partition.
    fn meet(
        &mut self,
        check: u32,
        served: bool,
        message: &Message<SkewNote>,
        offset: i64,
    ) -> Result<(), Error> {
        let (Some(id), Some(of)) = (&message.key, self.plan.checks.get(check as usize)) else {
            return Ok(());
        };
        let end_ms = self.plan.cell_end(message.time_ms);
        let reach_ms = self.plan.length_ms.saturating_sub(self.plan.grid.step_ms);
        if self.settled_ms.is_some_and(|settled| end_ms.saturating_add(reach_ms) <= settled) {
            return Ok(());
        }
        let values: Values = serde_json::from_slice(&message.body)
            .map_err(|error| Error::Internal(format!("a row to compare cannot be read: {error}")))?;
        let cell = self.cells.entry(end_ms).or_insert_with(|| Cell {
            waiting: HashMap::new(),
            counts: SkewCounts::default(),
            times: BTreeMap::new(),
            offset,
        });
        let Some(other) = cell.other(check, served, (id, message.time_ms), &values) else { return Ok(()) };
        let (served, recomputed) = if served { (values, other) } else { (other, values) };
        for (at, (name, float)) in of.columns.iter().enumerate() {
            let value = |values: &Values| values.get(at).cloned().flatten();
            let counts = cell.counts.columns.entry(name.clone()).or_default();
            counts.add(value(&served).as_deref(), value(&recomputed).as_deref(), *float);
        }
        cell.counts.rows.entry(of.decided.key.clone()).or_default().both += 1;
        Ok(())
    }

    /// Tells what differs in every window that no row can be added to any more, and how far everybody is.
    fn close(&mut self, row: usize, out: &mut Outgoing<RowNote>) -> Result<(), Error> {
        let times = self.places.iter().map(|place| self.told.get(place).map(|told| told.0));
        let Some(reached_ms) = times.collect::<Option<Vec<_>>>().and_then(|all| all.into_iter().min()) else {
            return Ok(());
        };
        let grid = self.plan.grid;
        let settled_ms = grid.floor(reached_ms.saturating_sub(grid.lateness_ms));
        let due: Vec<i64> = self.ends(settled_ms);
        for end_ms in due {
            let window = Span { end_ms, start_ms: end_ms.saturating_sub(self.plan.length_ms), number: 0 };
            let counts = self.counts(window);
            let body = serde_json::to_vec(&counts).map_err(|error| Error::Internal(error.to_string()))?;
            let head = RowNote::Skew { window };
            out.push(cause(row), Message { key: None, time_ms: end_ms, head, body });
        }
        self.settled_ms = self.settled_ms.max(Some(settled_ms));
        self.forget(settled_ms);
        if grid.passes(self.reached_ms, reached_ms) || self.reached_ms.is_none() {
            let head = RowNote::Progress { place: self.plan.joined(), time_ms: reached_ms, silent: false };
            out.push(cause(row), Message { key: None, time_ms: reached_ms, head, body: Vec::new() });
        }
        self.reached_ms = self.reached_ms.max(Some(reached_ms));
        Ok(())
    }

    /// The ends of windows with rows that were not told before.
    fn ends(&self, settled_ms: i64) -> Vec<i64> {
        let (length_ms, step_ms) = (self.plan.length_ms, self.plan.grid.step_ms);
        let mut ends: Vec<i64> = self
            .cells
            .keys()
            .flat_map(|end| (0..length_ms / step_ms).map(move |later| end.saturating_add(later * step_ms)))
            .collect();
        ends.sort_unstable();
        ends.dedup();
        ends.retain(|end| *end <= settled_ms && self.settled_ms.is_none_or(|settled| *end > settled));
        ends
    }

    /// What differs in a window, without what was recomputed before the log held all that it needs.
    ///
    /// A row of one side alone counts where the other side has rows before and after it. Where serving or recomputing
    /// begins or ends within the window, or stands still, its rows have nothing to meet: that is no skew, and the volume
    /// of the topic tells it.
    fn counts(&self, window: Span) -> SkewCounts {
        let mut counts = SkewCounts::default();
        let cells =
            || self.cells.range(window.start_ms.saturating_add(1)..=window.end_ms).map(|(_, cell)| cell);
        let mut times: BTreeMap<(u32, bool), Times> = BTreeMap::new();
        for (key, own) in cells().flat_map(|cell| &cell.times) {
            let all = times.entry(*key).or_insert(*own);
            *all = widest(*all, *own);
        }
        for cell in cells() {
            counts.merge(&cell.counts);
            for ((number, _), waiting) in &cell.waiting {
                let Some(check) = self.plan.checks.get(*number as usize) else { continue };
                let Some((first, last)) = times.get(&(*number, !waiting.served)) else { continue };
                let within = waiting.rows.iter().filter(|(time, _)| first < time && time < last).count();
                let rows = counts.rows.entry(check.decided.key.clone()).or_default();
                let side = if waiting.served { &mut rows.only_served } else { &mut rows.only_recomputed };
                *side += within as u64;
            }
        }
        for ((check, _), (until_ms, _)) in &self.warm {
            let Some(check) = self.plan.checks.get(*check as usize).filter(|_| *until_ms > window.start_ms)
            else {
                continue;
            };
            counts.rows.remove(&check.decided.key);
            for (name, _) in &check.columns {
                counts.columns.remove(name);
            }
        }
        counts
    }

    /// Cells of which every window was told, and beginnings that are past.
    fn forget(&mut self, settled_ms: i64) {
        let reach_ms = self.plan.length_ms.saturating_sub(self.plan.grid.step_ms);
        self.cells.retain(|end, _| end.saturating_add(reach_ms) > settled_ms);
        self.warm.retain(|_, (until_ms, _)| *until_ms > settled_ms);
    }
}

impl Task for SkewJoin {
    fn apply(&mut self, batch: &Batch, effects: &mut Effects) -> Result<(), TaskError> {
        Ok(self.take(batch, effects)?)
    }

    /// The task time is the end of the last window that was told.
    fn progress(&self) -> Progress {
        let cells = self.cells.values().map(|cell| cell.offset);
        let told = self.told.values().chain(self.warm.values()).map(|told| told.1);
        Progress { task_time_ms: self.settled_ms, rebuild_from: vec![cells.chain(told).min()] }
    }

    /// What was told before the commit is not told again.
    fn restore(&mut self, committed: &Progress) {
        self.settled_ms = self.settled_ms.max(committed.task_time_ms);
        if let Some(settled_ms) = self.settled_ms {
            self.forget(settled_ms);
        }
    }

    fn state_size(&self) -> (u64, u64) {
        let waiting: usize = self.cells.values().map(|cell| cell.waiting.len()).sum();
        (waiting as u64, 0)
    }
}
