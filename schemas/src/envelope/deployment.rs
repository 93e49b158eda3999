//! Which model versions serve, and how.

use serde::{Deserialize, Serialize};

use super::record::Record;

/// The deployment of one prediction topic, from its event on until the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// The stem of the prediction topic.
    pub topic: String,
    /// When it was decided, in ms.
    #[serde(rename = "time")]
    pub time_ms: i64,
    /// How arms share the traffic: [`Deployment::CHAMPION`], ... Others may come, so that it is a text: a scorer that
    /// does not know one keeps what it serves.
    pub mode: String,
    /// The champion's name in the model repository.
    pub model: String,
    /// The champion's version.
    pub version: String,
    /// The arms. Units of none are served by the champion.
    #[serde(with = "as_json")]
    pub arms: Vec<Arm>,
    /// Hashed with the unit into its bucket.
    pub salt: String,
    /// Who decided it: a person or a service.
    pub set_by: String,
    /// Why.
    pub reason: String,
    /// The experiment that it belongs to; empty: none.
    pub experiment: String,
    /// Counts on within an experiment whenever its shares change other than by growth.
    pub phase: i32,
    /// Of [`Deployment::INTERLEAVE`]: how lists are made; else empty.
    pub method: String,
    /// What arms are drawn by.
    pub draw: Draw,
    /// Experiments that share one have no unit in common; empty: none.
    pub namespace: String,
    /// The first bucket of the namespace that is this experiment's.
    pub namespace_from: i32,
    /// The bucket after the last one.
    pub namespace_to: i32,
    /// The id of the decision that asked for it; empty: a command.
    pub cause: String,
    /// Of a rollback: the offset of the deployment that it puts into force again.
    pub restores: Option<i64>,
}

/// A model version that takes part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arm {
    /// The arm's name.
    pub arm: String,
    /// The model's name.
    pub model: String,
    /// The model's version.
    pub version: String,
    /// Whether it answers.
    pub role: ArmRole,
    /// The buckets of 0 to 9999 whose units it serves, as `[from, to)`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buckets: Vec<(u16, u16)>,
}

/// Whether an arm's prediction is acted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ArmRole {
    /// It answers for its units.
    Serving,
    /// It predicts for every unit, to compare alone.
    Shadow,
}

/// What arms are drawn by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Draw {
    /// A unit always meets the same arm.
    #[default]
    Unit,
    /// Each event is drawn anew.
    Event,
}

impl Deployment {
    /// The mode in which one version serves all units; others may be its shadows.
    pub const CHAMPION: &str = "champion";
    /// The mode in which arms share the units by weights.
    pub const AB: &str = "ab";
    /// The mode in which a new version has a share that grows.
    pub const CANARY: &str = "canary";
    /// The mode in which shares follow what arms earn.
    pub const BANDIT: &str = "bandit";
    /// The mode in which every list is made of all arms' rankings.
    pub const INTERLEAVE: &str = "interleave";

    /// One version for all units of a prediction topic.
    pub fn champion(topic: &str, model: &str, version: &str, time_ms: i64) -> Self {
        Self {
            topic: topic.to_owned(),
            time_ms,
            mode: Self::CHAMPION.to_owned(),
            model: model.to_owned(),
            version: version.to_owned(),
            arms: Vec::new(),
            salt: String::new(),
            set_by: String::new(),
            reason: String::new(),
            experiment: String::new(),
            phase: 0,
            method: String::new(),
            draw: Draw::Unit,
            namespace: String::new(),
            namespace_from: 0,
            namespace_to: 10_000,
            cause: String::new(),
            restores: None,
        }
    }
}

impl Record for Deployment {
    const AVRO: &'static str = include_str!("../../deployments.avsc");
}

mod as_json {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    use super::Arm;

    pub fn serialize<S: Serializer>(arms: &[Arm], to: S) -> Result<S::Ok, S::Error> {
        let text = serde_json::to_string(arms).map_err(serde::ser::Error::custom)?;
        to.serialize_str(&text)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Arm>, D::Error> {
        let text = String::deserialize(from)?;
        serde_json::from_str(&text).map_err(|e| D::Error::custom(format!("arms: {e}")))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{RecordBatch, StringArray};

    use super::*;
    use crate::envelope::record::testing::round_trip;

    #[test]
    fn deployments_are_read_as_they_were_written() {
        let arm = Arm {
            arm: "b".into(),
            model: "m".into(),
            version: "2".into(),
            role: ArmRole::Serving,
            buckets: vec![(0, 5_000), (7_000, 7_001)],
        };
        let shadow = Arm { arm: "s".into(), role: ArmRole::Shadow, buckets: Vec::new(), ..arm.clone() };
        let champion = Deployment::champion("predictions", "fraud-gbt", "1", 7);
        let tested = Deployment {
            mode: Deployment::AB.into(),
            arms: vec![arm, shadow],
            salt: "x".into(),
            draw: Draw::Event,
            restores: Some(3),
            ..champion.clone()
        };
        round_trip(&[champion, tested]);
    }

    #[test]
    fn arms_that_are_none_are_an_error() {
        let rows = Deployment::to_batch(&[Deployment::champion("predictions", "m", "1", 7)]).unwrap();
        let mut columns = rows.columns().to_vec();
        columns[5] = Arc::new(StringArray::from(vec!["[{\"arm\":1}]"]));
        let rows = RecordBatch::try_new(rows.schema(), columns).unwrap();
        assert!(Deployment::from_batch(&rows).unwrap_err().to_string().contains("arms"));
    }
}
