//! Which model versions serve, and how.

use std::sync::Arc;

use arrow::array::{Array, RecordBatch, StringArray, TimestampMillisecondArray};
use serde::{Deserialize, Serialize};

use super::column;
use crate::{Error, TopicSchema};

/// The deployment of one prediction topic, from its event on until the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// The stem of the prediction topic.
    pub topic: String,
    /// When it was decided, in ms.
    pub time_ms: i64,
    /// How arms share the traffic: [`Deployment::CHAMPION`]. Others will come, so that it is a text: a scorer that does
    /// not know one keeps what it serves.
    pub mode: String,
    /// The champion's name in the model repository.
    pub model: String,
    /// The champion's version.
    pub version: String,
    /// The arms besides the champion.
    pub arms: Vec<Arm>,
    /// Hashed with the unit into its bucket.
    pub salt: String,
    /// Who decided it: a person or a service.
    pub set_by: String,
    /// Why.
    pub reason: String,
}

/// A model version beside the champion.
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
    /// The first bucket of 0 to 9999 whose units it serves.
    #[serde(default)]
    pub from: u16,
    /// The bucket after the last one.
    #[serde(default)]
    pub to: u16,
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

impl Deployment {
    /// The Avro schema of every deployment topic, `schemas/deployments.avsc`.
    pub const AVRO: &str = include_str!("../../deployments.avsc");
    /// The mode in which one version serves all units.
    pub const CHAMPION: &str = "champion";

    /// One row per deployment, with the schema of [`Deployment::AVRO`].
    pub fn to_batch(deployments: &[Self]) -> Result<RecordBatch, Error> {
        let schema = TopicSchema::parse(Self::AVRO)?;
        let text =
            |of: fn(&Self) -> &str| Arc::new(StringArray::from_iter_values(deployments.iter().map(of)));
        let times = TimestampMillisecondArray::from_iter_values(deployments.iter().map(|d| d.time_ms));
        let arms: Vec<String> = deployments
            .iter()
            .map(|d| serde_json::to_string(&d.arms))
            .collect::<Result<_, _>>()
            .map_err(|e| Error::Envelope(e.to_string()))?;
        let columns: Vec<Arc<dyn Array>> = vec![
            text(|d| &d.topic),
            Arc::new(times.with_timezone("+00:00")),
            text(|d| &d.mode),
            text(|d| &d.model),
            text(|d| &d.version),
            Arc::new(StringArray::from(arms)),
            text(|d| &d.salt),
            text(|d| &d.set_by),
            text(|d| &d.reason),
        ];
        RecordBatch::try_new(Arc::clone(schema.arrow()), columns).map_err(|e| Error::Envelope(e.to_string()))
    }

    /// The deployments of decoded rows; `arms` that are no JSON of [`Arm`]s are an error.
    pub fn from_batch(rows: &RecordBatch) -> Result<Vec<Self>, Error> {
        let text = |name| column::<StringArray>(rows, name);
        let (topic, mode, model) = (text("topic")?, text("mode")?, text("model")?);
        let (version, arms, salt) = (text("version")?, text("arms")?, text("salt")?);
        let (set_by, reason) = (text("set_by")?, text("reason")?);
        let time = column::<TimestampMillisecondArray>(rows, "time")?;
        let deployment = |i| {
            Ok(Self {
                topic: topic.value(i).to_owned(),
                time_ms: time.value(i),
                mode: mode.value(i).to_owned(),
                model: model.value(i).to_owned(),
                version: version.value(i).to_owned(),
                arms: serde_json::from_str(arms.value(i))
                    .map_err(|e| Error::Envelope(format!("arms: {e}")))?,
                salt: salt.value(i).to_owned(),
                set_by: set_by.value(i).to_owned(),
                reason: reason.value(i).to_owned(),
            })
        };
        (0..rows.num_rows()).map(deployment).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn champion() -> Deployment {
        Deployment {
            topic: "predictions".into(),
            time_ms: 7,
            mode: Deployment::CHAMPION.into(),
            model: "fraud-gbt".into(),
            version: "1".into(),
            arms: Vec::new(),
            salt: String::new(),
            set_by: "topics apply".into(),
            reason: "the first deployment".into(),
        }
    }

    #[test]
    fn deployments_are_read_as_they_were_written() {
        let arm = Arm {
            arm: "b".into(),
            model: "m".into(),
            version: "2".into(),
            role: ArmRole::Serving,
            from: 0,
            to: 5_000,
        };
        let shadow = Arm { arm: "s".into(), role: ArmRole::Shadow, to: 0, ..arm.clone() };
        let tested =
            Deployment { mode: "ab".into(), arms: vec![arm, shadow], salt: "x".into(), ..champion() };
        let all = vec![champion(), tested];
        let rows = Deployment::to_batch(&all).unwrap();
        assert_eq!(rows.column(5).as_any().downcast_ref::<StringArray>().unwrap().value(0), "[]");
        assert_eq!(Deployment::from_batch(&rows).unwrap(), all);
    }

    #[test]
    fn arms_that_are_none_are_an_error() {
        let rows = Deployment::to_batch(&[champion()]).unwrap();
        let mut columns = rows.columns().to_vec();
        columns[5] = Arc::new(StringArray::from(vec!["[{\"arm\":1}]"]));
        let rows = RecordBatch::try_new(rows.schema(), columns).unwrap();
        assert!(Deployment::from_batch(&rows).unwrap_err().to_string().contains("arms"));
    }
}
