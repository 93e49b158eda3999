//! Watches one partition of a topic: its rows become profiles of windows, its predictions go to the join as well.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, StringArray};
use arrow::record_batch::RecordBatch;
use millrace_runtime::task::{Batch, Effects, Input, Progress, Task, TaskError};

use super::Error;
use super::by_id::Router;
use super::detect::{Declared, RowDetectors, Signalled};
use super::grid::{Grid, reached, row_of};
use super::measures::Measures;
use super::message::Message;
use super::notes::{JoinNote, Maker, Place, RowNote, Span};
use super::outputs::Outgoing;
use super::skew::{Served, ServedRows, SkewPlan};
use super::stream::{Predictions, Stream};
use crate::window::{Batch as Rows, Closed, OpenWindows, Status, WindowSpec};

/// The output topic of profiles, among those of the stage.
pub const PROFILES: usize = 0;
/// The output topic of the join, of predictions.
pub const BY_ID: usize = 1;
/// The output topic of rows that are compared with recomputed ones, of features.
pub const COMPARED: usize = 1;

/// The task of one partition of a watched topic.
pub struct Observe {
    stream: Arc<Stream>,
    place: Place,
    grid: Option<Grid>,
    /// The windows of the rows of each maker; features have one, of no maker.
    open: BTreeMap<Option<Maker>, OpenWindows>,
    /// Of windows of rows: the one that is filling.
    filling: Option<Filling>,
    time_ms: Option<i64>,
    router: Option<Router>,
    /// Of a view whose rows are recomputed.
    served: Option<Served>,
    detectors: RowDetectors,
    measures: Arc<Measures>,
}

/// A window of rows that is not full yet.
#[derive(Debug, Clone, Copy)]
struct Filling {
    /// The offset of its first row.
    first: i64,
    /// How many rows it has.
    rows: u64,
    /// Its bounds so far.
    window: Span,
}

/// Rows of one call, prepared once.
struct Taken {
    watched: RecordBatch,
    times: Vec<i64>,
    reached: Vec<i64>,
    offsets: Vec<i64>,
    ids: Vec<u64>,
    names: StringArray,
    predictions: Option<Predictions>,
}

impl Observe {
    /// The task of a partition. `router`: where the join's rows go, for predictions that are joined.
    pub fn new(stream: Arc<Stream>, partition: i32, router: Option<Router>, measures: Arc<Measures>) -> Self {
        let place = Place { topic: stream.stem.clone(), partition };
        let grid = Grid::of(stream.windows, stream.lateness_ms);
        let (open, filling, time_ms, served) = (BTreeMap::new(), None, None, None);
        let detectors = RowDetectors::new(Vec::new());
        Self { stream, place, grid, open, filling, time_ms, router, served, detectors, measures }
    }

    /// Has detectors watch single rows.
    #[must_use]
    pub fn watched(mut self, declared: Vec<Declared>) -> Self {
        self.detectors = RowDetectors::new(declared);
        self
    }

    /// Has the rows of sampled keys compared with recomputed ones.
    #[must_use]
    pub fn compared(mut self, plan: Option<Arc<SkewPlan>>) -> Self {
        self.served = plan.map(|plan| Served::new(plan, self.place.clone()));
        self
    }

    fn take(&mut self, batch: &Batch, effects: &mut Effects) -> Result<(), Error> {
        let Some(input) = batch.inputs.first().filter(|input| !input.meta.is_empty()) else { return Ok(()) };
        let taken = self.prepare(input)?;
        let mut profiles = Outgoing::default();
        let before = self.filling;
        let filled = self.fill(&taken);
        for maker in self.makers(&taken) {
            self.add(maker, &taken, (before, &filled), &mut profiles);
        }
        for (row, window) in filled {
            let (head, time_ms) = (RowNote::Filled { place: self.place.clone(), window }, taken.reached[row]);
            profiles.push(cause(row), Message { key: None, time_ms, head, body: Vec::new() });
        }
        self.detect(&taken, &mut profiles)?;
        self.tell_progress(&taken, &mut profiles);
        if let Some(served) = &self.served {
            let (rows, ids) = (&taken.watched, &taken.names);
            let (times_ms, reached_ms, before_ms) = (&taken.times, &taken.reached, self.time_ms);
            let mut out = Outgoing::default();
            served.tell(&ServedRows { rows, ids, times_ms, reached_ms, before_ms }, &mut out)?;
            out.finish(COMPARED, effects)?;
        }
        if let Some(router) = &self.router {
            let mut out = Outgoing::default();
            tell_join(router, &self.place, self.grid, self.time_ms, &taken, &mut out);
            out.finish(BY_ID, effects)?;
        }
        self.time_ms = taken.reached.last().copied().max(self.time_ms);
        profiles.finish(PROFILES, effects)
    }

    fn prepare(&self, input: &Input) -> Result<Taken, Error> {
        let times: Vec<i64> = input.meta.iter().map(|meta| meta.time_ms).collect();
        let offsets: Vec<i64> = input.meta.iter().map(|meta| meta.offset).collect();
        let (ids, names) = self.stream.ids(&input.rows, self.place.partition, &offsets)?;
        let context = self.stream.predictions.as_ref();
        let predictions = context.map(|context| Predictions::read(&input.rows, context)).transpose()?;
        let watched = match (&predictions, context) {
            (Some(predictions), Some(context)) => predictions.watched(context)?,
            _ => input.rows.clone(),
        };
        let reached = reached(self.time_ms, &times);
        Ok(Taken { watched, times, reached, offsets, ids, names, predictions })
    }

    /// Those who made rows of the batch, and those whose windows are open.
    fn makers(&self, taken: &Taken) -> Vec<Option<Maker>> {
        let Some(predictions) = &taken.predictions else { return vec![None] };
        let mut makers: Vec<_> = self.open.keys().cloned().collect();
        makers.extend(predictions.makers.iter().cloned().map(Some));
        makers.sort();
        makers.dedup();
        makers
    }

    /// Adds the rows of one maker to its windows; all rows move its time, and fill windows of rows.
    fn add(
        &mut self,
        maker: Option<Maker>,
        taken: &Taken,
        (before, filled): (Option<Filling>, &[(usize, Span)]),
        out: &mut Outgoing<RowNote>,
    ) {
        let mine: Option<Vec<bool>> = taken
            .predictions
            .as_ref()
            .map(|predictions| predictions.makers.iter().map(|one| Some(one) == maker.as_ref()).collect());
        let windows = self.open.entry(maker.clone()).or_insert_with(|| {
            let new = OpenWindows::new(&self.stream.plan, self.stream.windows, self.stream.lateness_ms);
            let new = new.resume(self.time_ms, 0);
            match before {
                Some(Filling { first, rows, window }) => new.join(window.into(), first, rows),
                None => new,
            }
        });
        let rows = Rows {
            rows: &taken.watched,
            times_ms: &taken.times,
            ids: &taken.ids,
            offsets: &taken.offsets,
            mine: mine.as_deref(),
        };
        let closed = windows.add(rows);
        let mut filled = filled.iter();
        for closed in closed {
            let (row, window) = match filled.next() {
                Some(filled) => *filled,
                None => (row_of(&taken.reached, closed.at_ms), Span::from(closed.window)),
            };
            self.measures.passed(closed.status == Status::Provisional);
            self.tell(maker.as_ref(), window, closed, row, taken, out);
        }
        let idle = self.open.get(&maker).is_some_and(|windows| windows.needed_from_offset().is_none());
        if idle && maker.is_some() {
            self.open.remove(&maker);
        }
    }

    /// Of windows of rows: the rows with which windows are full, and these. Rows of all makers fill them together, so
    /// that they begin and end at the same rows whoever answers.
    fn fill(&mut self, taken: &Taken) -> Vec<(usize, Span)> {
        let WindowSpec::Rows { count } = self.stream.windows else { return Vec::new() };
        let mut filled = Vec::new();
        for (row, (offset, time_ms)) in taken.offsets.iter().zip(&taken.times).enumerate() {
            let number = offset.cast_unsigned();
            let begun = Filling {
                first: *offset,
                rows: 0,
                window: Span { end_ms: *time_ms, start_ms: *time_ms, number },
            };
            let filling = self.filling.get_or_insert(begun);
            filling.rows += 1;
            filling.window.start_ms = filling.window.start_ms.min(*time_ms);
            filling.window.end_ms = filling.window.end_ms.max(*time_ms);
            if filling.rows >= count {
                filled.push((row, filling.window));
                self.filling = None;
            }
        }
        filled
    }

    fn tell(
        &self,
        maker: Option<&Maker>,
        window: Span,
        closed: Closed,
        row: usize,
        taken: &Taken,
        out: &mut Outgoing<RowNote>,
    ) {
        let provisional = closed.status == Status::Provisional;
        for (segment, profile) in closed.segments {
            let head = RowNote::Profile {
                place: self.place.clone(),
                window,
                provisional,
                maker: maker.cloned(),
                segment,
                plan: self.stream.plan.fingerprint(),
            };
            let time_ms = taken.reached[row];
            out.push(cause(row), Message { key: None, time_ms, head, body: profile.to_bytes() });
        }
    }

    /// Has detectors take the rows, and tells where one signals a change.
    fn detect(&mut self, taken: &Taken, out: &mut Outgoing<RowNote>) -> Result<(), Error> {
        let makers = taken.predictions.as_ref().map(|predictions| predictions.makers.as_slice());
        let signalled = self.detectors.take(&taken.watched, &taken.times, &taken.offsets, makers)?;
        let (Some(grid), Some((length_ms, _))) = (self.grid, self.stream.windows.times()) else {
            return Ok(());
        };
        for Signalled { row, maker, detector } in signalled {
            let (time_ms, offset) = (taken.reached[row], taken.offsets[row]);
            let end_ms = grid.floor(time_ms).saturating_add(grid.step_ms);
            let window = Span { end_ms, start_ms: end_ms.saturating_sub(length_ms), number: 0 };
            let head =
                RowNote::Detected { place: self.place.clone(), window, maker, detector, offset, time_ms };
            out.push(cause(row), Message { key: None, time_ms, head, body: Vec::new() });
        }
        Ok(())
    }

    /// Tells the partition's time where it passes the end of a window.
    fn tell_progress(&self, taken: &Taken, out: &mut Outgoing<RowNote>) {
        let Some(grid) = self.grid else { return };
        for (row, time_ms) in passes(grid, self.time_ms, &taken.reached) {
            let head = RowNote::Progress { place: self.place.clone(), time_ms, silent: false };
            out.push(cause(row), Message { key: None, time_ms, head, body: Vec::new() });
        }
    }
}

impl Task for Observe {
    fn apply(&mut self, batch: &Batch, effects: &mut Effects) -> Result<(), TaskError> {
        Ok(self.take(batch, effects)?)
    }

    fn progress(&self) -> Progress {
        let windows = self.open.values().filter_map(OpenWindows::needed_from_offset);
        let first = windows.chain(self.detectors.needed_from_offset()).min();
        Progress { task_time_ms: self.time_ms, rebuild_from: vec![first] }
    }

    /// Windows go on from the committed time: rows that are taken again count in open ones alone.
    fn restore(&mut self, committed: &Progress) {
        self.time_ms = self.time_ms.max(committed.task_time_ms);
    }

    fn state_size(&self) -> (u64, u64) {
        let bytes: usize = self.open.values().map(OpenWindows::size_bytes).sum();
        (self.open.len() as u64, bytes as u64)
    }
}

/// The rows with which a window ends, or can take no more, with the time then.
pub fn passes(grid: Grid, before: Option<i64>, reached: &[i64]) -> Vec<(usize, i64)> {
    let mut told = before;
    let mut passes = Vec::new();
    for (row, time_ms) in reached.iter().enumerate() {
        if told != Some(*time_ms) && grid.passes(told, *time_ms) {
            passes.push((row, *time_ms));
        }
        told = Some(*time_ms);
    }
    passes
}

/// Sends predictions to the tasks that join them, and the partition's time to all of these.
fn tell_join(
    router: &Router,
    place: &Place,
    grid: Option<Grid>,
    before: Option<i64>,
    taken: &Taken,
    out: &mut Outgoing<JoinNote>,
) {
    let Some(predictions) = &taken.predictions else { return };
    for row in 0..taken.times.len() {
        if !taken.names.is_valid(row) {
            continue;
        }
        let value = |column: &StringArray| column.is_valid(row).then(|| column.value(row).to_owned());
        let head = JoinNote::Prediction {
            seen_ms: taken.reached[row],
            maker: predictions.makers[row].clone(),
            score: predictions.scores[row],
            decision: value(&predictions.decisions).unwrap_or_default(),
            context: predictions.context.iter().map(value).collect(),
        };
        let key = Some(taken.names.value(row).to_owned());
        out.push(cause(row), Message { key, time_ms: taken.times[row], head, body: Vec::new() });
    }
    if let Some(grid) = grid {
        router.tell_progress(place, &passes(grid, before, &taken.reached), out);
    }
}

/// Batches are far smaller than this wraps at.
#[allow(clippy::cast_possible_truncation)]
pub fn cause(row: usize) -> u32 {
    row as u32
}
