//! What is written to the topics of the ranking application from outside.

use super::Request;

/// Positions that were on the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Impression {
    /// Its own id.
    pub id: String,
    /// When it was seen, in ms since 1970.
    pub time_ms: i64,
    /// Who looks.
    pub user: String,
    /// The request whose list it is.
    pub request: String,
    /// The positions, from 1.
    pub positions: Vec<i32>,
}

/// A click.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Click {
    /// Its own id.
    pub id: String,
    /// When it came, in ms since 1970.
    pub time_ms: i64,
    /// Who clicked.
    pub user: String,
    /// The request whose list it is on.
    pub request: String,
    /// The item.
    pub item: String,
}

/// One record.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A row of `requests`.
    Request(Request),
    /// A row of `impressions`.
    Impression(Impression),
    /// A row of `clicks`.
    Click(Click),
}

impl Event {
    /// Its record time, in ms since 1970.
    pub fn record_time_ms(&self) -> i64 {
        match self {
            Event::Request(request) => request.time_ms,
            Event::Impression(impression) => impression.time_ms,
            Event::Click(click) => click.time_ms,
        }
    }

    /// The user's id, which is the record's key on every topic.
    pub fn user_id(&self) -> String {
        match self {
            Event::Request(request) => request.user_id(),
            Event::Impression(impression) => impression.user.clone(),
            Event::Click(click) => click.user.clone(),
        }
    }
}
