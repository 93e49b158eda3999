//! What is told to the task in which served and recomputed rows meet.

use serde::{Deserialize, Serialize};

use crate::service::notes::Place;

/// One record; the values of a row are in its body, as a JSON list of texts, in the order of the check's columns.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SkewNote {
    /// A row as it was served; the record's key is its id, the record's time its own.
    Served {
        /// Which check it is of.
        check: u32,
    },
    /// A row as the log gives it.
    Recomputed {
        /// Which check it is of.
        check: u32,
    },
    /// The log of a partition does not reach back to its beginning: what is recomputed before this moment lacks rows.
    Warm {
        /// Whose.
        place: Place,
        /// Which check it concerns.
        check: u32,
        /// The moment, in ms.
        until_ms: i64,
    },
    /// A partition's time: all rows that it had up to then were told.
    Progress {
        /// Whose.
        place: Place,
        /// In ms.
        time_ms: i64,
        /// Whether the clock says so, since the partition is silent.
        silent: bool,
    },
}
