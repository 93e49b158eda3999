//! Windows: their length, and which ones a moment lies in.

/// Which windows there are. Times are ms since 1970 UTC; windows by time are aligned to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowSpec {
    /// One after another: `[n * length, (n + 1) * length)`.
    Tumbling {
        /// In ms.
        length_ms: i64,
    },
    /// Overlapping: one ends at every multiple of `every_ms`.
    Sliding {
        /// In ms.
        length_ms: i64,
        /// In ms; at most the length.
        every_ms: i64,
    },
    /// Every so many rows of a partition, in its order.
    Rows {
        /// How many rows.
        count: u64,
    },
}

/// A window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    /// Its first moment, ms; of a window of rows, its earliest record time.
    pub start_ms: i64,
    /// Its end, ms, exclusive; of a window of rows, its latest record time.
    pub end_ms: i64,
    /// Of a window of rows, its place among the partition's; 0 for windows by time.
    pub number: u64,
}

/// Why a window cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("window: {0}")]
pub struct BadWindow(pub String);

impl WindowSpec {
    /// Reads `"1 day"`, `"1 day every 1 hour"`, `"10000 rows"` (units: ms, second(s), minute(s), hour(s), day(s), and their letters `s m h d`).
    pub fn parse(text: &str) -> Result<Self, BadWindow> {
        unimplemented!()
    }

    /// Back to a text that [`Self::parse`] reads.
    pub fn text(&self) -> String {
        unimplemented!()
    }

    /// The windows by time that a moment lies in, ascending; none for windows of rows.
    pub fn windows_of(&self, time_ms: i64) -> Vec<Window> {
        unimplemented!()
    }
}
