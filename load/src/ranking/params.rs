//! What requests and users are made from.

use super::ClickModel;

/// Parameters of the simulator.
#[derive(Debug, Clone, PartialEq)]
pub struct Params {
    /// How many items there are.
    pub items: u32,
    /// How many users there are.
    pub users: u32,
    /// How many queries there are.
    pub queries: u32,
    /// How many visits: a request each, and a second one where the user turns the page.
    pub sessions: u32,
    /// Candidates of a request.
    pub candidates: u32,
    /// How many positions a page shows.
    pub page: u32,
    /// The probability that a user turns the page.
    pub second_page: f64,
    /// The first instant, in ms since 1970.
    pub start_ms: i64,
    /// From one visit to the next on average, in ms.
    pub gap_ms: i64,
    /// The seed of all draws.
    pub seed: u64,
    /// How users click.
    pub click_model: ClickModel,
    /// How long after its list a click counts, in ms: users who click late click after it.
    pub horizon_ms: i64,
    /// How often something goes wrong with clicks.
    pub mishaps: Mishaps,
}

/// Probabilities, of each request, of clicks that must earn nothing, and of an impression that is lost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mishaps {
    /// A click is sent twice, under one id.
    pub sent_twice: f64,
    /// An item is clicked twice, under two ids.
    pub clicked_twice: f64,
    /// A click comes after the horizon.
    pub late: f64,
    /// A click on a position that was not on the screen.
    pub not_shown: f64,
    /// A click on an item that the list does not hold.
    pub not_in_list: f64,
    /// No impression comes: then all positions count as shown.
    pub no_impression: f64,
}

impl Mishaps {
    /// Nothing goes wrong.
    pub const NONE: Self = Self {
        sent_twice: 0.0,
        clicked_twice: 0.0,
        late: 0.0,
        not_shown: 0.0,
        not_in_list: 0.0,
        no_impression: 0.0,
    };
}

impl Default for Mishaps {
    fn default() -> Self {
        Self {
            sent_twice: 0.05,
            clicked_twice: 0.05,
            late: 0.03,
            not_shown: 0.03,
            not_in_list: 0.01,
            no_impression: 0.03,
        }
    }
}

impl Default for Params {
    fn default() -> Self {
        Self {
            items: 2_000,
            users: 5_000,
            queries: 200,
            sessions: 20_000,
            candidates: 20,
            page: 10,
            second_page: 0.2,
            start_ms: 1_735_689_600_000, // 2025-01-01
            gap_ms: 200,
            seed: 42,
            click_model: ClickModel::Informational,
            horizon_ms: 1_800_000,
            mishaps: Mishaps::default(),
        }
    }
}
