//! What clicks on lists earn the rankers.

mod rows;

use std::collections::BTreeMap;

use arrow::record_batch::RecordBatch;

use serde::{Deserialize, Serialize};

use super::id_of;
use super::record::Record;
use crate::Error;

/// What a click earned, or all clicks of a request together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClickFeedback {
    /// [`ClickFeedback::id_of`] what it is about.
    pub id: String,
    /// The click's record time; of an outcome the end of the horizon; in ms.
    #[serde(rename = "time")]
    pub time_ms: i64,
    /// Whether it is about a click or a request.
    pub kind: FeedbackKind,
    /// The request's id.
    pub request: String,
    /// Whom arms are assigned to.
    pub unit: String,
    /// The offset of the deployment event under which the list was made; -1: no list is known.
    pub deployment: i64,
    /// The list's arm.
    pub arm: String,
    /// How the list was made.
    pub method: String,
    /// The model versions that ranked.
    pub rankers: Vec<String>,
    /// Over rankers: what they earned.
    pub credit: Vec<f64>,
    /// What became of the click, or who won the request.
    pub verdict: String,
    /// The click's id.
    pub click: Option<String>,
    /// The item clicked.
    pub item: Option<String>,
    /// Where it stood, from 1.
    pub position: Option<i32>,
    /// The ranker whose pick it was.
    pub team: Option<String>,
    /// From the list to the click, in ms.
    pub delay: Option<i64>,
    /// The list's record time, in ms.
    #[serde(rename = "list_time")]
    pub list_time_ms: i64,
    /// Of an outcome: clicks by verdict.
    pub counts: BTreeMap<String, Option<i64>>,
}

/// What feedback is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FeedbackKind {
    /// A click; provisional.
    Click,
    /// A request whose horizon has closed; final.
    Outcome,
}

impl ClickFeedback {
    /// The id of what is said about these parts: a hash, so that a replay says it under the same one.
    pub fn id_of(parts: &[&str]) -> String {
        id_of(parts)
    }
}

impl Record for ClickFeedback {
    const AVRO: &'static str = include_str!("../../click-feedback.avsc");

    /// Column by column: there is a row per click and per request.
    fn to_batch(events: &[Self]) -> Result<RecordBatch, Error> {
        rows::to_batch(events)
    }

    fn from_batch(rows: &RecordBatch) -> Result<Vec<Self>, Error> {
        rows::from_batch(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::record::{testing::round_trip, through_json};

    #[test]
    fn feedback_survives_the_wire() {
        let click = ClickFeedback {
            id: ClickFeedback::id_of(&["click", "r", "c"]),
            time_ms: 9,
            kind: FeedbackKind::Click,
            request: "r".into(),
            unit: "u".into(),
            deployment: 0,
            arm: "interleave".into(),
            method: "team_draft".into(),
            rankers: vec!["m/1".into(), "m/2".into()],
            credit: vec![1.0, 0.0],
            verdict: "credited".into(),
            click: Some("c".into()),
            item: Some("i".into()),
            position: Some(1),
            team: Some("m/1".into()),
            delay: Some(4),
            list_time_ms: 5,
            counts: BTreeMap::new(),
        };
        let outcome = ClickFeedback {
            kind: FeedbackKind::Outcome,
            click: None,
            counts: BTreeMap::from([("credited".into(), Some(1))]),
            ..click.clone()
        };
        let all = [click, outcome];
        round_trip(&all);
        assert_eq!(ClickFeedback::to_batch(&all).unwrap(), through_json(&all).unwrap());
        assert_eq!(ClickFeedback::to_batch(&[]).unwrap().num_rows(), 0);
    }
}
