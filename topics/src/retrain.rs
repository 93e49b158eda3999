//! What `[retrain]` of a topic file says: when a model is to be trained again.

/// `[retrain]` of a topic file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RetrainTable {
    /// The triggers, by ascending name.
    pub triggers: Vec<TriggerTable>,
}

/// One trigger: `[retrain.triggers.<name>]`.
#[derive(Debug, Clone, PartialEq)]
pub struct TriggerTable {
    /// Its name.
    pub name: String,
    /// What fires it.
    pub on: TriggerOn,
    /// How long after a request it stays silent, in ms of the stream's time.
    pub cool_down_ms: i64,
    /// Whether the suggestion is to go on from the model that serves; new columns force a fresh start.
    pub stateful: bool,
    /// How far back the suggested training range reaches, in ms.
    pub training_ms: i64,
}

/// What fires a trigger.
#[derive(Debug, Clone, PartialEq)]
pub enum TriggerOn {
    /// A subject that drifts.
    Drift {
        /// The least severity: the effect in units of its threshold.
        severity: f64,
        /// For how many windows in a row.
        windows: u32,
    },
    /// A metric on labels.
    Performance {
        /// The metric's name: `average_precision`.
        metric: String,
        /// The bound that it falls below, or for an error rises above.
        bound: Option<f64>,
        /// By how much it is worse than what the version that serves was deployed with.
        margin: Option<f64>,
        /// For how many windows in a row.
        windows: u32,
    },
    /// Labels since the last request.
    Volume {
        /// So many.
        labels: Option<u64>,
        /// So many percent of the rows that the model was trained on.
        growth_percent: Option<f64>,
    },
    /// The clock.
    Time {
        /// The interval, in ms, counted from 1970.
        every_ms: Option<i64>,
        /// Minutes, hours, days, months and weekdays at which it fires, UTC.
        cron: Option<crate::Cron>,
    },
}
