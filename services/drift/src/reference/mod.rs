//! What a window is compared with: blocks of the past (days, or hours where windows are shorter), as profiles.

mod build;
mod delay;
mod discover;
mod edges;
mod file;
mod of_scores;
mod quality;
mod rows;
mod scored;
mod scores;
mod season;
mod support;
#[cfg(test)]
mod tests;
mod unseen;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use build::{BuildOptions, build};
pub use delay::Delays;
pub use of_scores::{SCORE, of_scores, score_plan};
pub use quality::{ColumnQuality, Quality, QualityError};
pub use scored::Scored;
pub use scores::{ScoreRow, Scores};
pub use season::{NotJudged, Season};
pub use support::Support;

use crate::profile::{Plan, Profile};
use crate::window::{WHOLE, Window};

/// A reference: the plan that it was made with, and a profile per block of time and segment.
#[derive(Debug, Clone)]
pub struct Reference {
    /// What is watched: columns, kinds, edges, categories, bounds.
    pub plan: Arc<Plan>,
    /// By ascending start; every block has the same length, except that of [`Reference::before`].
    pub blocks: Vec<Block>,
    /// How long labels took, where the training data says so.
    pub delays: Option<Delays>,
    /// What it was made of, for reports: file names, a range, a window.
    pub source: String,
}

/// The rows of one block of time.
#[derive(Debug, Clone, Default)]
pub struct Block {
    /// Its first moment, ms since 1970 UTC.
    pub start_ms: i64,
    /// Its end, ms, exclusive.
    pub end_ms: i64,
    /// Profiles by segment; the whole is [`crate::window::WHOLE`].
    pub segments: BTreeMap<String, Profile>,
    /// Scores with labels by segment, where the training data has scores.
    pub scores: BTreeMap<String, Scores>,
    /// All of these rows as counts, by segment.
    pub scored: BTreeMap<String, Scored>,
    /// By segment, per column of the plan: rows with an id that the other half of the reference does not have. Not known
    /// where it is empty.
    pub unseen: BTreeMap<String, Vec<u64>>,
}

/// Why a reference cannot be made, read or written. Messages name the file and, where there is one, the column.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A data file.
    #[error(transparent)]
    File(#[from] millrace_files::Error),
    /// The reference file.
    #[error("{file}: {message}")]
    Reference {
        /// Its path.
        file: String,
        /// What is wrong, and what to do.
        message: String,
    },
    /// What was asked for.
    #[error("{0}")]
    Options(String),
}

impl Reference {
    /// Of one window, of a plan: the window before, or a range of a topic.
    pub fn before(plan: &Arc<Plan>, window: Window, segments: BTreeMap<String, Profile>) -> Self {
        let (start_ms, end_ms) = (window.start_ms, window.end_ms);
        let block = Block { start_ms, end_ms, segments, ..Block::default() };
        let source = "the window before".to_owned();
        Self { plan: plan.clone(), blocks: vec![block], delays: None, source }
    }

    /// All blocks merged; `None` if no block has the segment.
    pub fn total(&self, segment: &str) -> Option<Profile> {
        merged(self.blocks.iter().filter_map(|block| block.segments.get(segment)))
    }

    /// How many rows all blocks have.
    pub fn rows(&self) -> u64 {
        let whole = |block: &Block| block.segments.get(WHOLE).map_or(0, Profile::rows);
        self.blocks.iter().map(whole).sum()
    }

    /// The blocks that lie in `[from_ms, to_ms)`.
    pub fn range(&self, from_ms: i64, to_ms: i64) -> Self {
        let inside = |block: &&Block| block.start_ms >= from_ms && block.end_ms <= to_ms;
        let blocks = self.blocks.iter().filter(inside).cloned().collect();
        Self { plan: self.plan.clone(), blocks, delays: self.delays.clone(), source: self.source.clone() }
    }

    /// All scores merged; `None` if no block has any of the segment.
    pub fn scores(&self, segment: &str) -> Option<Scores> {
        let mut scores = self.blocks.iter().filter_map(|block| block.scores.get(segment));
        let mut all = scores.next()?.clone();
        scores.for_each(|other| all.merge(other));
        Some(all)
    }

    /// Segments, the whole first.
    pub fn segments(&self) -> Vec<String> {
        let names: BTreeSet<&String> = self.blocks.iter().flat_map(|block| block.segments.keys()).collect();
        names.into_iter().cloned().collect()
    }
}

/// Profiles of one plan merged; `None` of none.
fn merged<'a>(mut profiles: impl Iterator<Item = &'a Profile>) -> Option<Profile> {
    let mut all = profiles.next()?.clone();
    for profile in profiles {
        // A reference's profiles are all of its plan.
        drop(all.merge(profile));
    }
    Some(all)
}
