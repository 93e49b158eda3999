//! What triggers look at.

use millrace_schemas::envelope::DriftEvent;
use serde::{Deserialize, Serialize};

/// A final window of one model version.
#[derive(Debug, Clone, Copy, Default)]
pub struct Window<'a> {
    /// Its first instant, in ms.
    pub start_ms: i64,
    /// The first instant after it, in ms.
    pub end_ms: i64,
    /// What it says of every subject that drifted, causes ranked.
    pub events: &'a [DriftEvent],
    /// What was measured on labels.
    pub measurements: &'a [Measurement],
    /// How many labels there are, where it is known.
    pub labels: Option<LabelCount>,
}

/// A metric of a window, on labels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// Its name.
    pub metric: String,
    /// The segment; none for all rows.
    pub segment: Option<String>,
    /// Its value.
    pub value: f64,
    /// The interval of 95 %.
    pub interval: (f64, f64),
    /// Labelled rows.
    pub rows: i64,
    /// The share of the window's predictions that have a label.
    pub coverage: f64,
    /// The share of its labels that must have come by now, by the learnt delay curve.
    pub maturity: f64,
    /// The metric of the champion's own evaluation.
    pub champion: Option<f64>,
    /// The drift event that says so.
    pub event: String,
}

/// How many labels there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LabelCount {
    /// All labels so far.
    pub total: u64,
    /// Those that the model that serves was trained on.
    pub trained: u64,
}

/// A moment that came as a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tick {
    /// In ms.
    pub time_ms: i64,
}
