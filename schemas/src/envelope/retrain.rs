//! Requests to train a model again.

use std::sync::Arc;

use arrow::array::{Array, AsArray, ListArray, RecordBatch, StringArray, TimestampMillisecondArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::DataType;
use serde::{Deserialize, Serialize};

use super::{column, id_of, of_text, text_of};
use crate::{Error, TopicSchema};

/// One row of a topic of retrain requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetrainRequest {
    /// [`RetrainRequest::id_of`] what it is about.
    pub id: String,
    /// The end of the window, or the tick, that fired the trigger, in ms.
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
    pub train_from_ms: i64,
    /// The first instant after it, in ms.
    pub train_to_ms: i64,
    /// One sentence that quotes the evidence.
    pub reason: String,
    /// The ids of the drift events that it rests on.
    pub evidence: Vec<String>,
    /// The first instant of the window that fired the trigger, in ms.
    pub window_start_ms: i64,
    /// The first instant after it, in ms.
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
    /// The Avro schema of every topic of retrain requests, `schemas/retrain-requests.avsc`.
    pub const AVRO: &str = include_str!("../../retrain-requests.avsc");

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

    /// One row per request, with the schema of [`RetrainRequest::AVRO`].
    pub fn to_batch(requests: &[Self]) -> Result<RecordBatch, Error> {
        let schema = TopicSchema::parse(Self::AVRO)?;
        let text = |of: fn(&Self) -> &str| Arc::new(StringArray::from_iter_values(requests.iter().map(of)));
        let word = |of: fn(&Self) -> String| Arc::new(StringArray::from_iter_values(requests.iter().map(of)));
        let time = |of: fn(&Self) -> i64| {
            let times = TimestampMillisecondArray::from_iter_values(requests.iter().map(of));
            Arc::new(times.with_timezone("+00:00"))
        };
        let columns: Vec<Arc<dyn Array>> = vec![
            text(|r| &r.id),
            time(|r| r.time_ms),
            text(|r| &r.trigger),
            word(|r| text_of(&r.kind)),
            text(|r| &r.model),
            text(|r| &r.version),
            word(|r| text_of(&r.mode)),
            time(|r| r.train_from_ms),
            time(|r| r.train_to_ms),
            text(|r| &r.reason),
            evidence(&schema, requests)?,
            time(|r| r.window_start_ms),
            time(|r| r.window_end_ms),
        ];
        RecordBatch::try_new(Arc::clone(schema.arrow()), columns).map_err(|e| Error::Envelope(e.to_string()))
    }

    /// The requests of decoded rows; a kind or a mode that there is not is an error.
    pub fn from_batch(rows: &RecordBatch) -> Result<Vec<Self>, Error> {
        let text = |name| column::<StringArray>(rows, name);
        let time = |name| column::<TimestampMillisecondArray>(rows, name);
        let (id, trigger, kind, mode) = (text("id")?, text("trigger")?, text("kind")?, text("mode")?);
        let (model, version, reason) = (text("model")?, text("version")?, text("reason")?);
        let (at, from, to) = (time("time")?, time("train_from")?, time("train_to")?);
        let (start, end) = (time("window_start")?, time("window_end")?);
        let evidence = column::<ListArray>(rows, "evidence")?;
        let request = |i| {
            let wrong = || Error::Envelope("column `evidence` is no list of texts".into());
            let ids = evidence.value(i);
            let ids = ids.as_string_opt::<i32>().ok_or_else(wrong)?;
            Ok(Self {
                id: id.value(i).to_owned(),
                time_ms: at.value(i),
                trigger: trigger.value(i).to_owned(),
                kind: of_text("kind", kind.value(i))?,
                model: model.value(i).to_owned(),
                version: version.value(i).to_owned(),
                mode: of_text("mode", mode.value(i))?,
                train_from_ms: from.value(i),
                train_to_ms: to.value(i),
                reason: reason.value(i).to_owned(),
                evidence: (0..ids.len()).map(|k| ids.value(k).to_owned()).collect(),
                window_start_ms: start.value(i),
                window_end_ms: end.value(i),
            })
        };
        (0..rows.num_rows()).map(request).collect()
    }
}

fn evidence(schema: &TopicSchema, requests: &[RetrainRequest]) -> Result<Arc<dyn Array>, Error> {
    let field = schema.arrow().field_with_name("evidence").map_err(|e| Error::Envelope(e.to_string()))?;
    let DataType::List(item) = field.data_type() else {
        return Err(Error::Envelope("`evidence` is no list".into()));
    };
    let ids: StringArray = requests.iter().flat_map(|r| &r.evidence).map(Some).collect();
    let offsets = OffsetBuffer::from_lengths(requests.iter().map(|r| r.evidence.len()));
    let list = ListArray::try_new(Arc::clone(item), offsets, Arc::new(ids), None);
    Ok(Arc::new(list.map_err(|e| Error::Envelope(e.to_string()))?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Decoder, Encoder, Format, InProcessRegistry, SchemaRegistry};

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
        let rows = RetrainRequest::to_batch(&requests).unwrap();
        let schema = Arc::new(TopicSchema::parse(RetrainRequest::AVRO).unwrap());
        let registry = Arc::new(InProcessRegistry::default());
        let id = registry.register("x", RetrainRequest::AVRO).unwrap();
        for format in [Format::Avro, Format::Json] {
            let encoded = Encoder::new(format, Arc::clone(&schema), id).unwrap().encode(&rows).unwrap();
            let records: Vec<_> = (0..requests.len()).map(|i| encoded.get(i)).collect();
            let decoded = Decoder::new(format, Arc::clone(&schema), registry.clone()).decode(&records);
            assert_eq!(RetrainRequest::from_batch(&decoded.unwrap().rows).unwrap(), requests);
        }
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
