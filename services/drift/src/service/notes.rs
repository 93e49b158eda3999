//! What the tasks tell each other over internal topics.

use serde::{Deserialize, Serialize};

use crate::window::Window;

/// Who made a prediction.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Maker {
    /// The model.
    pub model: String,
    /// Its version.
    pub version: String,
    /// The arm of the deployment.
    pub arm: String,
    /// Whether the answer was acted on.
    pub serving: bool,
}

/// A partition of a watched topic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The topic's stem.
    pub topic: String,
    /// The partition.
    pub partition: i32,
}

/// A window, as heads tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    /// Its end, in ms: first, so that windows sort by when they close.
    pub end_ms: i64,
    /// Its first moment, in ms.
    pub start_ms: i64,
    /// Of windows of rows, the offset of the first row; else 0.
    pub number: u64,
}

impl From<Window> for Span {
    fn from(window: Window) -> Self {
        Self { end_ms: window.end_ms, start_ms: window.start_ms, number: window.number }
    }
}

impl From<Span> for Window {
    fn from(span: Span) -> Self {
        Self { start_ms: span.start_ms, end_ms: span.end_ms, number: span.number }
    }
}

/// Told to the judge of rows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RowNote {
    /// The profile of a window's rows in one partition; the body holds it.
    Profile {
        /// Where the rows lie.
        place: Place,
        /// The window.
        window: Span,
        /// Whether late rows may still come.
        provisional: bool,
        /// Whose predictions they are; of features: none.
        maker: Option<Maker>,
        /// Which rows: [`crate::window::WHOLE`] or a segment.
        segment: String,
        /// Fingerprint of the profile's plan.
        plan: u64,
    },
    /// Of windows of rows: a window is full, and the profiles of all makers and segments were told.
    Filled {
        /// Where the rows lie.
        place: Place,
        /// The window.
        window: Span,
    },
    /// A detector of single rows signals a change.
    Detected {
        /// Where the row lies.
        place: Place,
        /// The window that its time lies in.
        window: Span,
        /// Whose predictions it watches; of features: none.
        maker: Option<Maker>,
        /// The detector's name.
        detector: String,
        /// The row's offset.
        offset: i64,
        /// The partition's time with it, in ms.
        time_ms: i64,
    },
    /// How served rows of a window differ from recomputed ones; the body holds it, as JSON.
    Skew {
        /// The window.
        window: Span,
    },
    /// The partition's time: every window that it has passed was told.
    Progress {
        /// Whose.
        place: Place,
        /// The greatest record time taken, in ms.
        time_ms: i64,
        /// Whether the clock says so, since the partition is silent.
        silent: bool,
    },
}

/// Told to the tasks that join predictions with labels, by id.
#[derive(Debug, Clone, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum JoinNote {
    /// A prediction; the record's key is its id, the record's time its own.
    Prediction {
        /// The time that its partition had reached with it, in ms.
        seen_ms: i64,
        /// Who made it.
        maker: Maker,
        /// What it says; none where that is no finite number.
        score: Option<f64>,
        /// What it decides for.
        decision: String,
        /// Values of the declared segment and group columns, in their order.
        context: Vec<Option<String>>,
    },
    /// A label; the record's key is the prediction's id, the record's time when the outcome was known.
    Label {
        /// The time that its partition had reached with it, in ms.
        seen_ms: i64,
        /// What came true; none where the outcome is missing.
        outcome: Option<Outcome>,
    },
    /// A partition's time: all that it had up to then was told.
    Progress {
        /// Whose.
        place: Place,
        /// The greatest record time taken, in ms.
        time_ms: i64,
    },
}

/// What came true.
#[derive(Debug, Clone, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Outcome {
    /// Of a regression; of binary tasks 0 or 1.
    Number(f64),
    /// The class.
    Class(String),
}

/// Told to the judge of outcomes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum OutcomeNote {
    /// What is known of a window's predictions in one partition of the join; the body holds it. It replaces what was told
    /// before.
    Outcomes {
        /// The join's partition.
        partition: i32,
        /// The window, by prediction time.
        window: Span,
        /// The instant as of which it is known, in ms.
        as_of_ms: i64,
        /// Who made the predictions.
        maker: Maker,
        /// Which of them.
        segment: String,
    },
    /// A detector of errors signals changes in what became known until then.
    Detected {
        /// The join's partition.
        partition: i32,
        /// The instant as of which it is known, in ms.
        as_of_ms: i64,
        /// Whose decisions.
        maker: Maker,
        /// The detector's name.
        detector: String,
        /// How many.
        signals: u32,
    },
    /// The partition of the join has told all that is known as of then.
    Progress {
        /// The join's partition.
        partition: i32,
        /// In ms.
        time_ms: i64,
    },
}

/// Told to the task that keeps alarms and triggers; the whole history of it is its state.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Entry {
    /// A window was judged; the body holds what was said of it as JSON.
    Judged {
        /// The watched topic's stem; empty: all whose rows are judged together.
        topic: String,
        /// The window.
        window: Span,
        /// The instant as of which it is known, in ms.
        as_of_ms: i64,
        /// Whether late rows may still come.
        provisional: bool,
        /// How often it was issued since it was final.
        revision: i32,
    },
    /// What a person said to an alarm; the body holds it as JSON.
    Command {
        /// The command's id.
        id: String,
    },
    /// The clock: a trigger of time may be due.
    Tick {
        /// The moment, in ms.
        time_ms: i64,
    },
}
