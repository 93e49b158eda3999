//! Seasons: which blocks of a reference are at the same place in the week or day.

use std::collections::BTreeSet;

use millrace_topics::show_duration;

use super::{Block, Reference};
use crate::profile::Profile;
use crate::window::{WHOLE, Window};

/// What repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Season {
    /// Hours of the day.
    Day,
    /// Hours of the week: weekday and hour.
    Week,
}

/// Why a window has nothing to be compared with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotJudged {
    /// The reference has no block at the window's place in the season.
    #[error("seasonal, not judged: {0}")]
    Seasonal(String),
    /// The reference has no row of that segment.
    #[error("no reference: segment `{0}` does not occur in it")]
    Segment(String),
}

impl Season {
    /// How long until it repeats, ms.
    pub fn period_ms(self) -> i64 {
        match self {
            Self::Day => 86_400_000,
            Self::Week => 7 * 86_400_000,
        }
    }
}

impl Reference {
    /// What a window is compared with: everything, if there is no season or the window spans a whole one; else the blocks
    /// at its place in the season.
    pub fn against(
        &self,
        season: Option<Season>,
        window: Window,
        segment: &str,
    ) -> Result<Profile, NotJudged> {
        match season {
            Some(season) if window.end_ms - window.start_ms < season.period_ms() => {
                self.season(season, window, segment)
            }
            _ => self.total(segment).ok_or_else(|| NotJudged::Segment(segment.to_owned())),
        }
    }

    /// The blocks at the window's place in the season (same weekday and hour, same hour), merged. They must fill it,
    /// and the window's own time does not count.
    pub fn season(&self, season: Season, window: Window, segment: &str) -> Result<Profile, NotJudged> {
        let (period, length) = (season.period_ms(), window.end_ms - window.start_ms);
        let place = |block: &Block| (block.start_ms - window.start_ms).rem_euclid(period);
        let fits = |block: &&Block| {
            let apart = block.end_ms <= window.start_ms || block.start_ms >= window.end_ms;
            apart && place(block) + (block.end_ms - block.start_ms) <= length
        };
        let blocks: Vec<&Block> = self.blocks.iter().filter(fits).collect();
        let places: BTreeSet<(i64, i64)> = blocks.iter().map(|b| (place(b), b.end_ms - b.start_ms)).collect();
        if places.iter().map(|(_, length)| length).sum::<i64>() != length {
            let block = self.blocks.first().map_or(0, |block| block.end_ms - block.start_ms);
            return Err(NotJudged::Seasonal(format!(
                "the reference has no blocks (of {}) that fill the window's {} at the same time of the {}",
                show_duration(block),
                show_duration(length),
                if season == Season::Day { "day" } else { "week" },
            )));
        }
        let merged = super::merged(blocks.into_iter().filter_map(|block| block.segments.get(segment)));
        merged.ok_or_else(|| match segment {
            WHOLE => NotJudged::Seasonal("the reference has no rows there".to_owned()),
            _ => NotJudged::Segment(segment.to_owned()),
        })
    }
}
