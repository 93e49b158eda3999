//! What a generated stream is made from.

use super::{Change, DAY_MS};

/// Parameters of the generator; the default is the published run, with seed 42.
#[derive(Debug, Clone, PartialEq)]
pub struct Params {
    /// How many customers there are.
    pub customers: u32,
    /// How many terminals there are.
    pub terminals: u32,
    /// How many days of payments.
    pub days: u32,
    /// Midnight (UTC) of the first day, in ms since 1970.
    pub start_ms: i64,
    /// A customer uses the terminals strictly nearer than this; the map is 100 wide and high.
    pub radius: f64,
    /// The seed of all draws.
    pub seed: u64,
    /// How long after a payment its label is known, in ms.
    pub label_delay_ms: i64,
    /// What changes on the way; `None`: the world stays as it is.
    pub change: Option<Change>,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            customers: 5_000,
            terminals: 10_000,
            days: 183,
            start_ms: 17_622 * DAY_MS, // 2018-04-01
            radius: 5.0,
            seed: 42,
            label_delay_ms: 6 * DAY_MS,
            change: None,
        }
    }
}
