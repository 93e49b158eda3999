//! Windows held out of a reference, and what each is compared with.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::{Error, Options};
use crate::judge::{Against, against};
use crate::profile::Profile;
use crate::reference::{Block, Reference, Scored, Season};
use crate::window::{WHOLE, Window, WindowSpec};

/// A reference in two halves, each the other's judge.
pub(super) struct Folds {
    pub(super) halves: [Reference; 2],
    pub(super) windows: Vec<HeldOut>,
    /// The length of a held-out window, in ms.
    pub(super) length_ms: i64,
    /// How often a live window ends, in ms.
    pub(super) step_ms: f64,
    /// From the first block's start to the last one's end, in ms.
    pub(super) range_ms: i64,
    season: Option<Season>,
    totals: [Rc<Against>; 2],
    /// What windows are compared with within a season, by half and place in it: many windows share it.
    within: RefCell<BTreeMap<(usize, Season, i64), Rc<Against>>>,
}

/// A window held out.
pub(super) struct HeldOut {
    pub(super) window: Window,
    pub(super) segments: BTreeMap<String, Profile>,
    /// By segment, per column: rows with an id that the half it is compared with does not have; none where not counted.
    pub(super) unseen: Option<BTreeMap<String, Vec<u64>>>,
    /// Its scores with labels.
    pub(super) scored: Scored,
    /// The half that it is compared with.
    pub(super) other: usize,
}

impl Folds {
    pub(super) fn of(reference: &Reference, options: &Options) -> Result<Self, Error> {
        let blocks = &reference.blocks;
        let (Some(first), Some(last)) = (blocks.first(), blocks.last()) else {
            return Err(Error::Options("the reference has no block".into()));
        };
        let (start_ms, end_ms) = (first.start_ms, last.end_ms);
        let block_ms = (first.end_ms - first.start_ms).max(1);
        let rows: u64 = blocks.iter().filter_map(|b| b.segments.get(WHOLE)).map(Profile::rows).sum();
        let (length_ms, step_ms) = lengths(options.window, block_ms, (end_ms - start_ms, rows))?;
        let middle_ms = start_ms + (end_ms - start_ms) / 2;
        let groups = groups(blocks, (length_ms / block_ms) as usize);
        let split_ms = groups.iter().map(|g| g[0].start_ms).find(|s| *s >= middle_ms).unwrap_or(end_ms);
        let halves = [reference.range(start_ms, split_ms), reference.range(split_ms, end_ms)];
        let held_out = |group: &&[Block]| {
            let window =
                Window { start_ms: group[0].start_ms, end_ms: group[group.len() - 1].end_ms, number: 0 };
            let other = usize::from(window.start_ms < split_ms);
            HeldOut { window, segments: merged(group), unseen: unseen(group), scored: scored(group), other }
        };
        let windows = groups.iter().map(held_out).collect();
        let whole = Window { start_ms, end_ms, number: 0 };
        let totals = [0, 1].map(|half| Rc::new(against(&halves[half], None, whole)));
        Ok(Self {
            halves,
            windows,
            length_ms,
            step_ms,
            range_ms: end_ms - start_ms,
            season: options.season,
            totals,
            within: RefCell::default(),
        })
    }

    /// The false alarms that a share of them leaves per live window.
    pub(super) fn rate(&self, options: &Options, share: f64) -> f64 {
        self.step_ms / options.expected_time_between_alarms_ms as f64 * share
    }

    /// What a held-out window is compared with, by segment. Without a season that is the whole other half.
    pub(super) fn against(&self, held_out: &HeldOut) -> Rc<Against> {
        match self.season {
            None => self.totals[held_out.other].clone(),
            Some(season) => self.within(season, held_out),
        }
    }

    /// The first window of the second half.
    pub(super) fn split(&self) -> usize {
        self.windows.iter().position(|held_out| held_out.other == 0).unwrap_or(self.windows.len())
    }

    /// The two halves, each as a whole.
    pub(super) fn totals(&self) -> &[Rc<Against>; 2] {
        &self.totals
    }

    /// What it would be compared with within a season. Of windows at one place in it that is the same, as they lie in
    /// the other half.
    pub(super) fn within(&self, season: Season, held_out: &HeldOut) -> Rc<Against> {
        let place = held_out.window.start_ms.rem_euclid(season.period_ms());
        let mut within = self.within.borrow_mut();
        let made = within
            .entry((held_out.other, season, place))
            .or_insert_with(|| Rc::new(against(&self.halves[held_out.other], Some(season), held_out.window)));
        made.clone()
    }
}

/// The length of a held-out window, and how often a live one ends, in ms.
fn lengths(spec: WindowSpec, block_ms: i64, (range_ms, rows): (i64, u64)) -> Result<(i64, f64), Error> {
    let (length_ms, step_ms) = match spec {
        WindowSpec::Tumbling { length_ms } => (length_ms, length_ms as f64),
        WindowSpec::Sliding { length_ms, every_ms } => (length_ms, every_ms as f64),
        // Windows of rows are held out as blocks, of any number of rows: thresholds know how effects shrink with it.
        WindowSpec::Rows { count } => (block_ms, range_ms as f64 * count as f64 / rows.max(1) as f64),
    };
    if length_ms >= block_ms && length_ms % block_ms == 0 {
        return Ok((length_ms, step_ms));
    }
    let show = millrace_topics::show_duration;
    Err(Error::Blocks {
        window: spec.text(),
        block: show(block_ms),
        hint: format!("build it with blocks of {}", show(length_ms)),
    })
}

/// Runs of so many blocks without a gap, one after another.
fn groups(blocks: &[Block], size: usize) -> Vec<&[Block]> {
    let mut groups = Vec::new();
    let mut at = 0;
    while at + size <= blocks.len() {
        let group = &blocks[at..at + size];
        match group.windows(2).position(|pair| pair[0].end_ms != pair[1].start_ms) {
            None => {
                groups.push(group);
                at += size;
            }
            Some(gap) => at += gap + 1,
        }
    }
    groups
}

/// What was counted of a run of blocks, added up; none where a block was not counted.
fn unseen(group: &[Block]) -> Option<BTreeMap<String, Vec<u64>>> {
    let mut all: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for block in group {
        if block.unseen.is_empty() {
            return None;
        }
        for (segment, counts) in &block.unseen {
            let so_far = all.entry(segment.clone()).or_insert_with(|| vec![0; counts.len()]);
            so_far.iter_mut().zip(counts).for_each(|(mine, theirs)| *mine += theirs);
        }
    }
    Some(all)
}

fn scored(group: &[Block]) -> Scored {
    let mut all = Scored::default();
    group.iter().filter_map(|block| block.scored.get(WHOLE)).for_each(|scored| all.merge(scored));
    all
}

fn merged(group: &[Block]) -> BTreeMap<String, Profile> {
    let mut merged: BTreeMap<String, Profile> = BTreeMap::new();
    for (segment, profile) in group.iter().flat_map(|block| &block.segments) {
        match merged.get_mut(segment) {
            // Blocks of one reference have one plan.
            Some(so_far) => drop(so_far.merge(profile)),
            None => drop(merged.insert(segment.clone(), profile.clone())),
        }
    }
    merged
}
