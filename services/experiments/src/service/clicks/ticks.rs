//! Ticks: records that say up to which time an input of a partition is silent. Lists close by them, so that a replay reads
//! the decision instead of taking it again.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{StringArray, TimestampMillisecondArray};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use arrow::record_batch::RecordBatch;
use millrace_schemas::{Format, TopicSchema};
use millrace_topics::{KafkaTopic, Partitioner};

use super::Source;
use super::rows::{text, times};
use crate::service::Error;

/// The column of the record time.
pub const TIME: &str = "time";
const INPUT: &str = "input";

/// A tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tick {
    /// The input that is silent.
    pub source: Source,
    /// Up to when, in ms.
    pub time_ms: i64,
}

fn arrow_schema() -> Arc<Schema> {
    let time = DataType::Timestamp(TimeUnit::Millisecond, Some("+00:00".into()));
    Arc::new(Schema::new(vec![Field::new(TIME, time, false), Field::new(INPUT, DataType::Utf8, false)]))
}

/// The topic of the ticks of a feedback topic, with the partitions of its lists.
pub fn topic(
    app: &str,
    feedback: &KafkaTopic,
    partitions: u32,
    retention_ms: i64,
) -> Result<KafkaTopic, Error> {
    let schema =
        TopicSchema::derive(app, "click-feedback-ticks", &arrow_schema()).map_err(Error::internal)?;
    Ok(KafkaTopic {
        name: format!("{}.ticks", feedback.name),
        format: Format::Avro,
        schema: Some(Arc::new(schema)),
        key: None,
        partitioner: Partitioner::Murmur2,
        partitions,
        retention_ms: Some(retention_ms),
        settings: BTreeMap::new(),
    })
}

/// Rows of ticks.
pub fn encode(ticks: &[Tick]) -> Result<RecordBatch, Error> {
    let times = TimestampMillisecondArray::from_iter_values(ticks.iter().map(|tick| tick.time_ms));
    let inputs = StringArray::from_iter_values(ticks.iter().map(|tick| tick.source.name()));
    let columns: Vec<Arc<dyn arrow::array::Array>> =
        vec![Arc::new(times.with_timezone("+00:00")), Arc::new(inputs)];
    RecordBatch::try_new(arrow_schema(), columns).map_err(Error::internal)
}

/// Ticks of rows; an input that there is not is an error.
pub fn decode(rows: &RecordBatch) -> Result<Vec<Tick>, Error> {
    let (times, inputs) = (times(rows, TIME)?, text(rows, INPUT)?);
    let tick = |row: usize| {
        let name = inputs.value(row);
        let source = Source::ALL.into_iter().find(|source| source.name() == name);
        let source = source.ok_or_else(|| Error::Internal(format!("a tick of no input: `{name}`")))?;
        Ok(Tick { source, time_ms: times.value(row) })
    };
    (0..rows.num_rows()).map(tick).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_read_as_they_are_written() {
        let ticks: Vec<Tick> = Source::ALL.map(|source| Tick { source, time_ms: 7 }).to_vec();
        assert_eq!(decode(&encode(&ticks).unwrap()).unwrap(), ticks);
    }
}
