//! What a trigger is.

use millrace_schemas::envelope::{Subject, TrainMode};

use super::Schedule;

/// A declared trigger.
#[derive(Debug, Clone)]
pub struct Trigger {
    /// Its name, unique in the application.
    pub name: String,
    /// When it fires.
    pub when: When,
    /// How long it is silent after it fired, in ms of record time.
    pub cool_down_ms: i64,
    /// How to train; none: stateful where nothing forbids it.
    pub mode: Option<TrainMode>,
    /// What to train on.
    pub range: TrainRange,
}

/// When a trigger fires.
#[derive(Debug, Clone)]
pub enum When {
    /// Something drifted at least so severely in so many windows in a row.
    Drift {
        /// Which kinds of subject count; estimates never do.
        subjects: Vec<Subject>,
        /// At least 1: the effect in units of its threshold.
        severity: f64,
        /// At least 1.
        windows: u32,
    },
    /// A metric on labels is on the wrong side of a bound in so many windows in a row.
    Performance {
        /// Its name, such as `precision`.
        metric: String,
        /// Of which segment; none: of all rows.
        segment: Option<String>,
        /// Which values are good.
        better: Direction,
        /// The bound; none: only the margin counts.
        bound: Option<f64>,
        /// By how much it may be worse than the champion's own metric; none: only the bound counts.
        margin: Option<f64>,
        /// At least 1.
        windows: u32,
        /// The least share of predictions that have a label, 0 to 1.
        coverage: f64,
        /// The least share of labels that must have come by now, 0 to 1.
        maturity: f64,
    },
    /// There are so many labels more than when it fired last (or than the model was trained on).
    Volume {
        /// So many; none: only the growth counts.
        labels: Option<u64>,
        /// In percent of what there was; none: only the number counts.
        growth_percent: Option<f64>,
    },
    /// Time has passed.
    Time(Schedule),
}

/// Which values of a metric are good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// AUC, precision: it falls below its bound.
    Higher,
    /// Losses, errors: it rises above its bound.
    Lower,
}

/// What to train on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrainRange {
    /// How long, in ms.
    pub length_ms: i64,
    /// How long before the request it ends, in ms: labels take so long.
    pub delay_ms: i64,
}

impl TrainRange {
    /// The first instant and the first one after it, in ms, for a request of that moment.
    pub fn at(self, time_ms: i64) -> (i64, i64) {
        let end = time_ms.saturating_sub(self.delay_ms);
        (end.saturating_sub(self.length_ms), end)
    }
}
