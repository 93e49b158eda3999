//! Merges the profiles of all partitions, window by window, and has each window judged once every partition is past it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use millrace_runtime::task::{Batch, Effects, Progress, Task, TaskError};

use super::Error;
use super::grid::Grid;
use super::measures::Measures;
use super::message::{Assembler, Message};
use super::notes::{Entry, Maker, Place, RowNote, Span};
use super::observe::cause;
use super::outputs::Outgoing;
use super::report::Said;
use super::shared::Clocks;
use super::skew::SkewCounts;
use crate::profile::{Plan, Profile};

/// A change that a detector of single rows signals.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Detected {
    /// The topic's stem.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// Whose predictions it watches; of features: none.
    pub maker: Option<Maker>,
    /// The detector's name.
    pub detector: String,
    /// The row's offset.
    pub offset: i64,
    /// The partition's time with it, in ms.
    pub time_ms: i64,
}

/// Profiles by topic, maker and segment.
pub type Profiles = BTreeMap<(String, Option<Maker>, String), Profile>;

/// A window that every partition is past.
#[derive(Debug)]
pub struct ClosedRows {
    /// Which one.
    pub window: Span,
    /// Whether late rows may still come.
    pub provisional: bool,
    /// Of windows of rows: the partition that they are of.
    pub place: Option<Place>,
    /// What is kept of its rows.
    pub profiles: Profiles,
    /// What was kept of the window before, where windows are compared with that.
    pub before: Option<(Span, Profiles)>,
    /// How served rows differ from recomputed ones, once that is for good.
    pub skew: Option<SkewCounts>,
    /// What detectors of single rows signalled in it.
    pub detected: BTreeSet<Detected>,
}

/// Says what drifted in a window; findings that did not drift are among it, since they close alarms.
pub type JudgeRows = Arc<dyn Fn(ClosedRows) -> Result<Said, Error> + Send + Sync>;

/// What the judge of rows waits for.
#[derive(Clone)]
pub struct RowsPlan {
    /// The partitions that must be past a window.
    pub places: Vec<Place>,
    /// Partitions that the clock looks after besides, since others wait for them.
    pub also: Vec<Place>,
    /// What stands for the comparison with recomputed rows among the places, where there is one.
    pub joined: Option<Place>,
    /// When windows end; none: windows of rows.
    pub grid: Option<Grid>,
    /// How long a window is, in ms.
    pub length_ms: i64,
    /// The plans of profiles, by fingerprint.
    pub plans: BTreeMap<u64, Arc<Plan>>,
    /// Whether windows are compared with the one before.
    pub keeps_previous: bool,
    /// Says what drifted.
    pub judge: JudgeRows,
}

impl RowsPlan {
    /// Whether a place stands for the comparison with recomputed rows, which is behind only where what it reads is.
    fn is_joined(&self, place: &Place) -> bool {
        self.joined.as_ref() == Some(place)
    }
}

/// One window's profiles, from all partitions that told theirs.
#[derive(Debug, Clone, Default)]
struct Open {
    settled: Profiles,
    provisional: Profiles,
    skew: Option<SkewCounts>,
    detected: BTreeSet<Detected>,
    /// The first record that it is made of.
    offset: i64,
}

/// The task that judges rows. There is one.
pub struct RowsJudge {
    plan: RowsPlan,
    assembler: Assembler<RowNote>,
    open: BTreeMap<Span, Open>,
    /// Of windows of rows: those that are told and not yet full.
    filling: BTreeMap<(Place, Span), Open>,
    /// Every partition's time, and where it was told.
    told: BTreeMap<Place, (i64, i64)>,
    /// The last end of a window that every partition has reached, and by which every partition is past its lateness.
    ended_ms: Option<i64>,
    settled_ms: Option<i64>,
    /// The last window that was judged for good, where the next one is compared with it.
    previous: Option<(Span, Open)>,
    /// Whether records are taken again, so that nothing needs to be judged.
    rebuilding: bool,
    clocks: Arc<Clocks>,
    measures: Arc<Measures>,
}

impl RowsJudge {
    /// The task. `clocks` are told every partition's time, for whoever looks for silent ones.
    pub fn new(plan: RowsPlan, clocks: Arc<Clocks>, measures: Arc<Measures>) -> Self {
        clocks.join();
        // A partition that never tells its time is as silent as one that stopped.
        let all = plan.places.iter().filter(|place| !plan.is_joined(place)).chain(&plan.also);
        all.for_each(|place| clocks.expect(place));
        Self {
            plan,
            assembler: Assembler::default(),
            open: BTreeMap::new(),
            filling: BTreeMap::new(),
            told: BTreeMap::new(),
            ended_ms: None,
            settled_ms: None,
            previous: None,
            rebuilding: false,
            clocks,
            measures,
        }
    }

    fn take(&mut self, batch: &Batch, effects: &mut Effects) -> Result<(), Error> {
        let Some(input) = batch.inputs.first() else { return Ok(()) };
        self.rebuilding = !batch.phase.is_new();
        let mut out = Outgoing::default();
        for (row, meta) in input.meta.iter().enumerate() {
            let Some((message, offset)) = self.assembler.take(&input.rows, row, meta.offset)? else {
                continue;
            };
            match message.head {
                RowNote::Progress { place, time_ms, silent } => {
                    self.tell(place, time_ms, silent, offset);
                    self.close(row, &mut out)?;
                }
                RowNote::Profile { .. } => self.merge(message, offset)?,
                RowNote::Filled { place, window } => self.close_rows(place, window, row, &mut out)?,
                RowNote::Skew { window } => self.skew(window, &message.body, offset)?,
                RowNote::Detected { place, window, maker, detector, offset: at, time_ms } => {
                    let Place { topic, partition } = place;
                    let detected = Detected { topic, partition, maker, detector, offset: at, time_ms };
                    if let Some(open) = self.opened(window, offset) {
                        open.detected.insert(detected);
                    }
                }
            }
        }
        self.measures.open_windows(self.open.len());
        out.finish(0, effects)
    }

    fn tell(&mut self, place: Place, time_ms: i64, silent: bool, offset: i64) {
        let told = self.told.entry(place.clone()).or_insert((time_ms, offset));
        *told = (told.0.max(time_ms), offset);
        if !self.plan.is_joined(&place) {
            self.clocks.told(&place, told.0, silent);
        }
    }

    /// Keeps what differs in a window until it is judged.
    fn skew(&mut self, window: Span, body: &[u8], offset: i64) -> Result<(), Error> {
        let counts = serde_json::from_slice(body);
        let counts =
            counts.map_err(|error| Error::Internal(format!("what differs cannot be read: {error}")))?;
        if let Some(open) = self.opened(window, offset) {
            open.skew = Some(counts);
        }
        Ok(())
    }

    /// A window that was not judged for good.
    fn opened(&mut self, window: Span, offset: i64) -> Option<&mut Open> {
        if self.settled_ms.is_some_and(|settled| window.end_ms <= settled) {
            return None;
        }
        Some(self.open.entry(window).or_insert_with(|| Open { offset, ..Open::default() }))
    }

    /// Adds a partition's profile to its window. One that comes after the window was judged is counted, and lost: the
    /// clock had gone on without its partition.
    fn merge(&mut self, message: Message<RowNote>, offset: i64) -> Result<(), Error> {
        let RowNote::Profile { place, window, provisional, maker, segment, plan } = message.head else {
            return Ok(());
        };
        let judged = if provisional { self.ended_ms } else { self.settled_ms };
        let late = self.plan.grid.is_some() && judged.is_some_and(|judged| window.end_ms <= judged);
        let previous =
            self.rebuilding && !provisional && self.plan.keeps_previous && judged == Some(window.end_ms);
        if late && !previous {
            self.measures.late_profile(self.rebuilding);
            return Ok(());
        }
        let unknown =
            || Error::Internal(format!("a profile of plan {plan:016x}, which this process does not know"));
        let plan = self.plan.plans.get(&plan).ok_or_else(unknown)?;
        let profile = Profile::from_bytes(plan, &message.body).map_err(|e| Error::Internal(e.to_string()))?;
        self.measures.profile();
        let opened = Open { offset, ..Open::default() };
        let open = match previous {
            _ if self.plan.grid.is_none() => self.filling.entry((place.clone(), window)).or_insert(opened),
            true => &mut self.previous.get_or_insert((window, opened)).1,
            false => self.open.entry(window).or_insert(opened),
        };
        let profiles = if provisional { &mut open.provisional } else { &mut open.settled };
        add(profiles, (place.topic, maker, segment), profile)
    }

    /// A window of rows is of one partition: it is judged once it is full.
    fn close_rows(
        &mut self,
        place: Place,
        window: Span,
        row: usize,
        out: &mut Outgoing<Entry>,
    ) -> Result<(), Error> {
        let profiles = self.filling.remove(&(place.clone(), window)).unwrap_or_default().settled;
        let (place, before) = (Some(place), None);
        let (skew, detected) = (None, BTreeSet::new());
        let closed = ClosedRows { window, provisional: false, place, profiles, before, skew, detected };
        self.judge(closed, row, out)
    }

    /// Judges every window that all partitions have reached the end of, and that none can add to any more.
    fn close(&mut self, row: usize, out: &mut Outgoing<Entry>) -> Result<(), Error> {
        let (Some(grid), Some(reached_ms)) = (self.plan.grid, self.reached_ms()) else { return Ok(()) };
        let settled_ms = grid.floor(reached_ms.saturating_sub(grid.lateness_ms));
        let ended_ms = grid.floor(reached_ms);
        let first_ms = self.first_end();
        let due: Vec<i64> = ends(grid, self.settled_ms, settled_ms, first_ms).collect();
        for end_ms in &due {
            self.close_settled(*end_ms, due.len() > MOST_EMPTY, row, out)?;
        }
        // Nothing has ended before the first window with rows has.
        self.settled_ms = due.last().copied().or(self.settled_ms);
        let due: BTreeSet<i64> = ends(grid, self.ended_ms, ended_ms, first_ms).collect();
        self.ended_ms = due.last().copied().or(self.ended_ms);
        for end_ms in due.into_iter().filter(|_| grid.lateness_ms > 0) {
            self.close_provisional(end_ms, row, out)?;
        }
        Ok(())
    }

    /// Judges the window that ends then for good, with rows or without: that there are none tells something. After a
    /// gap of ages the empty ones tell nothing new.
    fn close_settled(
        &mut self,
        end_ms: i64,
        skips_empty: bool,
        row: usize,
        out: &mut Outgoing<Entry>,
    ) -> Result<(), Error> {
        let window = self.window(end_ms);
        let open = self.open.remove(&window);
        if skips_empty && open.is_none() {
            return Ok(());
        }
        let Open { settled: profiles, skew, detected, offset, .. } = open.unwrap_or_default();
        let before = self.previous.as_ref().map(|(window, open)| (*window, open.settled.clone()));
        if self.plan.keeps_previous && !profiles.is_empty() {
            self.previous = Some((window, Open { settled: profiles.clone(), offset, ..Open::default() }));
        }
        let closed = ClosedRows { window, provisional: false, place: None, profiles, before, skew, detected };
        self.judge(closed, row, out)
    }

    fn close_provisional(&mut self, end_ms: i64, row: usize, out: &mut Outgoing<Entry>) -> Result<(), Error> {
        let window = self.window(end_ms);
        let Some(open) = self.open.get_mut(&window) else { return Ok(()) };
        let profiles = std::mem::take(&mut open.provisional);
        let before = self.previous.as_ref().map(|(window, open)| (*window, open.settled.clone()));
        let (skew, detected) = (None, BTreeSet::new());
        let closed = ClosedRows { window, provisional: true, place: None, profiles, before, skew, detected };
        self.judge(closed, row, out)
    }

    fn window(&self, end_ms: i64) -> Span {
        Span { end_ms, start_ms: end_ms.saturating_sub(self.plan.length_ms), number: 0 }
    }

    /// The end of the first window with rows: before it there is nothing to say.
    fn first_end(&self) -> Option<i64> {
        self.open.keys().next().map(|window| window.end_ms)
    }

    fn judge(&self, closed: ClosedRows, row: usize, out: &mut Outgoing<Entry>) -> Result<(), Error> {
        if self.rebuilding {
            return Ok(());
        }
        let topic = closed.place.as_ref().map(|place| place.topic.clone()).unwrap_or_default();
        let (window, provisional) = (closed.window, closed.provisional);
        let said = (self.plan.judge)(closed)?;
        let head = Entry::Judged { topic, window, as_of_ms: window.end_ms, provisional, revision: 0 };
        let body = said.into_bytes()?;
        out.push(cause(row), Message { key: None, time_ms: window.end_ms, head, body });
        Ok(())
    }

    /// The time that every partition has reached; none before each has told its own.
    fn reached_ms(&self) -> Option<i64> {
        let times = self.plan.places.iter().map(|place| self.told.get(place).map(|told| told.0));
        times.collect::<Option<Vec<_>>>()?.into_iter().min()
    }
}

/// More empty windows than this at once are a gap of ages, or a wrong clock.
const MOST_EMPTY: usize = 1_000;

impl Drop for RowsJudge {
    fn drop(&mut self) {
        self.clocks.leave();
    }
}

/// The ends of windows after `from_ms` and no later than `to_ms`; without a beginning, from the first on.
fn ends(grid: Grid, from_ms: Option<i64>, to_ms: i64, first_ms: Option<i64>) -> impl Iterator<Item = i64> {
    let next = from_ms.map(|from| from.saturating_add(grid.step_ms)).or(first_ms);
    let step = usize::try_from(grid.step_ms).unwrap_or(usize::MAX);
    next.into_iter().flat_map(move |next| (next..=to_ms).step_by(step))
}

fn add(profiles: &mut Profiles, key: (String, Option<Maker>, String), profile: Profile) -> Result<(), Error> {
    match profiles.get_mut(&key) {
        Some(known) => known.merge(&profile).map_err(|error| Error::Internal(error.to_string())),
        None => {
            profiles.insert(key, profile);
            Ok(())
        }
    }
}

impl Task for RowsJudge {
    fn apply(&mut self, batch: &Batch, effects: &mut Effects) -> Result<(), TaskError> {
        Ok(self.take(batch, effects)?)
    }

    /// The task time is the end of the last window that was judged for good.
    fn progress(&self) -> Progress {
        let windows = self.open.values().chain(self.filling.values()).map(|open| open.offset);
        let previous = self.previous.iter().map(|(_, open)| open.offset);
        let told = self.told.values().map(|told| told.1);
        let first = windows.chain(previous).chain(told).chain(self.assembler.first_open()).min();
        Progress { task_time_ms: self.settled_ms, rebuild_from: vec![first] }
    }

    /// Windows that were judged before the commit are not opened again.
    fn restore(&mut self, committed: &Progress) {
        self.settled_ms = self.settled_ms.max(committed.task_time_ms);
        if let Some(settled_ms) = self.settled_ms {
            self.open.retain(|window, _| window.end_ms > settled_ms);
        }
    }

    fn state_size(&self) -> (u64, u64) {
        let profiles = |open: &Open| {
            let all = open.settled.values().chain(open.provisional.values());
            all.map(Profile::size_bytes).sum::<usize>()
        };
        let bytes: usize = self.open.values().map(profiles).sum();
        (self.open.len() as u64, (bytes + self.assembler.open_bytes()) as u64)
    }
}
