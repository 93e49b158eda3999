//! Windows: their length, and which ones a moment lies in.

use millrace_topics::{parse_duration, show_duration};

/// More overlap costs memory for windows that hardly differ.
const MAX_OVERLAP: i64 = 1_000;

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
    /// Reads `"1 day"`, `"1 day every 1 hour"` or `"10000 rows"`.
    pub fn parse(text: &str) -> Result<Self, BadWindow> {
        let duration = |text: &str| match parse_duration(text).map_err(BadWindow)? {
            0 => Err(BadWindow(format!("\"{text}\" is no length; a window lasts at least 1ms"))),
            ms => Ok(ms),
        };
        if let Some(count) = text.trim().strip_suffix("rows") {
            return match count.trim().replace('_', "").parse() {
                Ok(count) if count > 0 => Ok(Self::Rows { count }),
                _ => Err(BadWindow(format!(
                    "\"{text}\" is no number of rows; write for example \"10000 rows\""
                ))),
            };
        }
        let Some((length, every)) = text.split_once("every") else {
            return Ok(Self::Tumbling { length_ms: duration(text)? });
        };
        let (length_ms, every_ms) = (duration(length)?, duration(every)?);
        if every_ms > length_ms {
            let message = "a window every so often must be at least as long, or rows between two are in none";
            return Err(BadWindow(format!("\"{text}\": {message}")));
        }
        if length_ms / every_ms > MAX_OVERLAP {
            let message = format!("a row may lie in at most {MAX_OVERLAP} windows; let them end less often");
            return Err(BadWindow(format!("\"{text}\": {message}")));
        }
        Ok(Self::Sliding { length_ms, every_ms })
    }

    /// A text that [`Self::parse`] reads.
    pub fn text(&self) -> String {
        match self {
            Self::Tumbling { length_ms } => show_duration(*length_ms),
            Self::Sliding { length_ms, every_ms } => {
                format!("{} every {}", show_duration(*length_ms), show_duration(*every_ms))
            }
            Self::Rows { count } => format!("{count} rows"),
        }
    }

    /// Length and distance of windows by time, ms.
    pub(crate) fn times(&self) -> Option<(i64, i64)> {
        match self {
            Self::Tumbling { length_ms } => Some((*length_ms, *length_ms)),
            Self::Sliding { length_ms, every_ms } => Some((*length_ms, *every_ms)),
            Self::Rows { .. } => None,
        }
    }

    /// The windows by time that a moment lies in, ascending; none for windows of rows.
    pub fn windows_of(&self, time_ms: i64) -> impl DoubleEndedIterator<Item = Window> + use<> {
        let (length, every) = self.times().unwrap_or((0, 1));
        // Ends lie at multiples of `every`, in (time, time + length].
        let first = time_ms.div_euclid(every) + 1;
        let last = time_ms.saturating_add(length).div_euclid(every);
        (first..=last).map(move |n| {
            let end_ms = n.saturating_mul(every);
            Window { start_ms: end_ms.saturating_sub(length), end_ms, number: 0 }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_read_and_written_alike() {
        for (text, shown) in [
            ("1 day", "1d"),
            ("24h", "1d"),
            ("1 day every 1 hour", "1d every 1h"),
            ("90m every 20m", "90m every 20m"),
            ("10_000 rows", "10000 rows"),
        ] {
            let spec = WindowSpec::parse(text).unwrap();
            assert_eq!(spec.text(), shown);
            assert_eq!(WindowSpec::parse(shown), Ok(spec));
        }
        for text in ["", "0 rows", "x rows", "0s", "1h every 2h", "30d every 1s", "1h every"] {
            assert!(WindowSpec::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_moment_lies_in_the_windows_that_hold_it() {
        for (length_ms, every_ms) in [(10, 10), (10, 5), (10, 3), (7, 7), (12, 1)] {
            let spec = WindowSpec::Sliding { length_ms, every_ms };
            for time in -40..40 {
                let all = (-100..100).map(|n| (n * every_ms - length_ms, n * every_ms));
                let wanted: Vec<_> = all.filter(|(start, end)| *start <= time && time < *end).collect();
                let found: Vec<_> = spec.windows_of(time).map(|w| (w.start_ms, w.end_ms)).collect();
                assert_eq!(found, wanted, "{time}");
            }
        }
    }
}
