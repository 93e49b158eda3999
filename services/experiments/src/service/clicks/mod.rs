//! Brings lists and the clicks on them together: click feedback, one event per click and one per request.
//!
//! - [`book`]: the lists of a partition that are remembered, and clicks that wait for theirs: all that is decided;
//! - [`times`]: how far each input has come, and from which offsets all of it can be rebuilt;
//! - [`entry`]: one list; [`waiting`]: clicks and impressions before theirs;
//! - [`feedback`]: what is said of clicks and requests;
//! - [`rows`]: the columns that are read; [`task`]: from rows to effects;
//! - [`layout`]: topics and stage;
//! - [`ticks`], [`silence`], [`clock`]: how lists close though no row comes.
//!
//! **Time is each input's own.** A list closes when clicks (and impressions) have passed the end of its horizon, whatever
//! lists do; a click waits until lists have passed it by a horizon, whatever clicks do. So no outcome hangs on which topic
//! is read first, by how much, or which writer was down for a while.

mod book;
mod clock;
mod entry;
mod feedback;
#[cfg(test)]
mod flow_tests;
mod layout;
mod measures;
mod rows;
mod silence;
mod task;
#[cfg(test)]
mod testing;
mod ticks;
mod times;
mod waiting;

pub use layout::Layout;

/// The inputs of a task, in the order in which rows of equal times are taken: lists before clicks on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// Lists.
    Rankings,
    /// Positions shown.
    Impressions,
    /// Clicks.
    Clicks,
}

impl Source {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Rankings, Self::Impressions, Self::Clicks];

    /// Its name in ticks and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rankings => "rankings",
            Self::Impressions => "impressions",
            Self::Clicks => "clicks",
        }
    }

    /// Its place in arrays over sources.
    pub fn index(self) -> usize {
        self as usize
    }
}
