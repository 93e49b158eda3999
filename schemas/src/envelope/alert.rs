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

/// How a model version did in one batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScorerStats {
    /// The greatest record time of the batch, in ms.
    #[serde(rename = "time")]
    pub time_ms: i64,
    /// When the batch was scored, by the clock, in ms.
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
    /// What the batch took in the model, in seconds.
    pub seconds: f64,
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
        }]);
    }
}
