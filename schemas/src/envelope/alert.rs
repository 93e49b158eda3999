//! What a person should know of how services do.

use serde::{Deserialize, Serialize};

use super::id_of;
use super::record::Record;

/// Something that a person should know, and that stops nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// [`Alert::id_of`] what it is about and who says it.
    pub id: String,
    /// When it was seen, by the clock, in ms.
    #[serde(rename = "time")]
    pub time_ms: i64,
    /// Who says it.
    pub service: String,
    /// The class: `deployment_failed`.
    pub kind: String,
    /// What it is about.
    pub subject: String,
    /// What is wrong, and what goes on meanwhile.
    pub detail: String,
    /// The offset of the deployment event, where there is one.
    pub deployment: Option<i64>,
}

impl Alert {
    /// The id of what is said about these parts.
    pub fn id_of(parts: &[&str]) -> String {
        id_of(parts)
    }
}

impl Record for Alert {
    const AVRO: &'static str = include_str!("../../alerts.avsc");
}

/// How a model version did for about a second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScorerStats {
    /// The greatest record time of the rows, in ms.
    #[serde(rename = "time")]
    pub time_ms: i64,
    /// When it was written, by the clock, in ms.
    #[serde(rename = "wall_time")]
    pub wall_time_ms: i64,
    /// The stem of the prediction topic.
    pub topic: String,
    /// The partition of the input.
    pub partition: i32,
    /// The offset of the deployment in force.
    pub deployment: i64,
    /// The model.
    pub model: String,
    /// Its version.
    pub version: String,
    /// The arm.
    pub arm: String,
    /// `serving` or `shadow`.
    pub role: String,
    /// Rows that it was asked for.
    pub rows: i64,
    /// Rows that it gave a score.
    pub scored: i64,
    /// Rows without a score because an input is missing.
    pub missing: i64,
    /// Rows of which an input had its default.
    pub defaulted: i64,
    /// Rows without a score because the model failed or gave no finite number.
    pub errors: i64,
    /// What its rows took in the model, in seconds.
    pub seconds: f64,
    /// Rows by how long their run took: entry [`ScorerStats::latency_index`].
    pub latencies: Vec<i64>,
    /// Summed over runs, the arm's rows times all rows of the run.
    pub squares: i64,
}

impl ScorerStats {
    /// How many entries `latencies` has at most; the last one holds whatever took longer, above half a minute.
    pub const LATENCIES: usize = 101;

    /// The entry of a run's time: the least i with `seconds` <= [`Self::latency_bound`] of i.
    pub fn latency_index(seconds: f64) -> usize {
        let found = (0..Self::LATENCIES).find(|index| seconds <= Self::latency_bound(*index));
        found.unwrap_or(Self::LATENCIES - 1)
    }

    /// The longest time of an entry, in seconds: 2^(i/4) microseconds.
    pub fn latency_bound(index: usize) -> f64 {
        1e-6 * (index as f64 / 4.0).exp2()
    }
}

impl Record for ScorerStats {
    const AVRO: &'static str = include_str!("../../scorer-stats.avsc");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::record::testing::round_trip;

    #[test]
    fn alerts_and_stats_survive_the_wire() {
        round_trip(&[Alert {
            id: Alert::id_of(&["scorer", "predictions", "3"]),
            time_ms: 1,
            service: "scorer".into(),
            kind: "deployment_failed".into(),
            subject: "predictions".into(),
            detail: "model m/2 cannot be loaded; m/1 goes on serving".into(),
            deployment: Some(3),
        }]);
        round_trip(&[ScorerStats {
            time_ms: 1,
            wall_time_ms: 2,
            topic: "predictions".into(),
            partition: 0,
            deployment: 3,
            model: "m".into(),
            version: "1".into(),
            arm: "champion".into(),
            role: "serving".into(),
            rows: 10,
            scored: 8,
            missing: 1,
            defaulted: 2,
            errors: 1,
            seconds: 0.25,
            latencies: vec![0, 2, 8],
            squares: 68,
        }]);
    }

    #[test]
    fn a_runs_time_lies_between_the_bounds_of_its_entry() {
        for (seconds, index) in [(0.0, 0), (1e-6, 0), (1.1e-6, 1), (0.016, 56), (3_600.0, 100)] {
            assert_eq!(ScorerStats::latency_index(seconds), index, "{seconds}");
        }
        assert_eq!(ScorerStats::latency_bound(4), 2e-6);
    }
}
