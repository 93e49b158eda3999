//! What a window is compared with: blocks of the past (days, or hours where windows are shorter), as profiles.

mod build;
mod delay;
mod quality;
mod scores;
mod season;
mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use build::{BuildOptions, build};
pub use delay::Delays;
pub use quality::{ColumnQuality, Quality, QualityError};
pub use scores::{ScoreRow, Scores};
pub use season::{NotJudged, Season};
pub use support::Support;

use crate::profile::{Plan, Profile};
use crate::window::Window;

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
#[derive(Debug, Clone)]
pub struct Block {
    /// Its first moment, ms since 1970 UTC.
    pub start_ms: i64,
    /// Its end, ms, exclusive.
    pub end_ms: i64,
    /// Profiles by segment; the whole is [`crate::window::WHOLE`].
    pub segments: BTreeMap<String, Profile>,
    /// Scores with labels by segment, where the training data has scores.
    pub scores: BTreeMap<String, Scores>,
}

/// Why a reference cannot be made, read or written. Messages name the file and, where there is one, the column.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A data file.
    #[error(transparent)]
    File(#[from] crate::files::Error),
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
    /// Of one window: the window before, or a range of a topic.
    pub fn before(window: Window, segments: BTreeMap<String, Profile>) -> Self {
        unimplemented!()
    }

    /// Reads a reference file. Also returns the SHA-256 of its bytes, in hex.
    pub fn read(path: &std::path::Path) -> Result<(Self, String), Error> {
        unimplemented!()
    }

    /// Writes a reference file (Parquet): a row per block, segment and column. Returns the SHA-256 of its bytes, in hex.
    pub fn write(&self, path: &std::path::Path) -> Result<String, Error> {
        unimplemented!()
    }

    /// All blocks merged; `None` if no block has the segment.
    pub fn total(&self, segment: &str) -> Option<Profile> {
        unimplemented!()
    }

    /// The blocks that lie in `[from_ms, to_ms)`.
    pub fn range(&self, from_ms: i64, to_ms: i64) -> Self {
        unimplemented!()
    }

    /// The blocks at the same place in the season as the window (same weekday and hour), merged.
    pub fn season(&self, season: Season, window: Window, segment: &str) -> Result<Profile, NotJudged> {
        unimplemented!()
    }

    /// What a window is compared with: everything if it is a whole number of seasons long (or there is no season), else
    /// the same place in the season.
    pub fn against(
        &self,
        season: Option<Season>,
        window: Window,
        segment: &str,
    ) -> Result<Profile, NotJudged> {
        unimplemented!()
    }

    /// All scores merged; `None` if no block has any of the segment.
    pub fn scores(&self, segment: &str) -> Option<Scores> {
        unimplemented!()
    }

    /// Segments, the whole first.
    pub fn segments(&self) -> Vec<String> {
        unimplemented!()
    }
}
