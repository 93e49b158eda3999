//! Requests to train a model again.

use serde::{Deserialize, Serialize};

use super::id_of;
use super::record::Record;

/// One row of a topic of retrain requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetrainRequest {
    /// [`RetrainRequest::id_of`] what it is about.
    pub id: String,
    /// The end of the window, or the tick, that fired the trigger, in ms.
    #[serde(rename = "time")]
    pub time_ms: i64,
    /// The trigger's name.
    pub trigger: String,
    /// What kind of trigger it is.
    pub kind: TriggerKind,
    /// The model.
    pub model: String,
    /// The version that serves.
    pub version: String,
    /// How to train.
    pub mode: TrainMode,
    /// The first instant of the suggested training range, in ms.
    #[serde(rename = "train_from")]
    pub train_from_ms: i64,
    /// The first instant after it, in ms.
    #[serde(rename = "train_to")]
    pub train_to_ms: i64,
    /// One sentence that quotes the evidence.
    pub reason: String,
    /// The ids of the drift events that it rests on.
    pub evidence: Vec<String>,
    /// The first instant of the window that fired the trigger, in ms.
    #[serde(rename = "window_start")]
    pub window_start_ms: i64,
    /// The first instant after it, in ms.
    #[serde(rename = "window_end")]
    pub window_end_ms: i64,
}

/// What fires a trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TriggerKind {
    /// What is watched has drifted.
    Drift,
    /// A metric on labels has fallen.
    Performance,
    /// There are new labels.
    Volume,
    /// Time has passed.
    Time,
}

/// How a model is trained again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TrainMode {
    /// From the version that serves.
    Stateful,
    /// Afresh.
    Stateless,
}

impl RetrainRequest {
    /// The id of the request that this trigger makes for this model version about this window: a hash, so that a
    /// replay makes no other.
    pub fn id_of(
        trigger: &str,
        model: &str,
        version: &str,
        window_start_ms: i64,
        window_end_ms: i64,
    ) -> String {
        id_of(&[trigger, model, version, &window_start_ms.to_string(), &window_end_ms.to_string()])
    }
}

impl Record for RetrainRequest {
    const AVRO: &'static str = include_str!("../../retrain-requests.avsc");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::record::testing::round_trip;

    #[test]
    fn requests_survive_the_wire_in_both_formats() {
        let full = RetrainRequest {
            id: RetrainRequest::id_of("precision", "fraud-gbt", "1", 2, 3),
            time_ms: 3,
            trigger: "precision".into(),
            kind: TriggerKind::Performance,
            model: "fraud-gbt".into(),
            version: "1".into(),
            mode: TrainMode::Stateless,
            train_from_ms: -5,
            train_to_ms: 1,
            reason: "precision at the threshold 0.41 < 0.60".into(),
            evidence: vec!["a".into(), "b".into()],
            window_start_ms: 2,
            window_end_ms: 3,
        };
        let bare = RetrainRequest {
            kind: TriggerKind::Time,
            mode: TrainMode::Stateful,
            evidence: Vec::new(),
            ..full.clone()
        };
        let requests = vec![full.clone(), bare, full];
        round_trip(&requests);
    }

    #[test]
    fn the_id_is_of_trigger_version_and_window() {
        let id = RetrainRequest::id_of("a", "bc", "1", 2, 3);
        assert_eq!(id, RetrainRequest::id_of("a", "bc", "1", 2, 3));
        for other in [("ab", "c", "1", 3), ("a", "bc", "2", 3), ("a", "bc", "1", 4)] {
            assert_ne!(id, RetrainRequest::id_of(other.0, other.1, other.2, 2, other.3));
        }
    }
}
