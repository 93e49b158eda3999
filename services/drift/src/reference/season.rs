//! Seasons: which blocks of a reference are at the same place in the week or day.

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
    #[error("no reference: segment {0} does not occur in it")]
    Segment(String),
}
