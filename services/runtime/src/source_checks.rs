//! What is checked of a row besides its schema: its key, its partition, its record time.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimeUnit};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use millrace_topics::KafkaTopic;

use crate::service::InputTopic;

/// A row's fault: the reason of its dead letter, and what exactly is wrong.
pub type Fault = (&'static str, String);

/// What is known of a row from outside its columns.
#[derive(Debug, Clone, Copy)]
pub struct Outside<'a> {
    /// The record's key.
    pub key: Option<&'a [u8]>,
    /// Kafka's own timestamp of the record, in ms.
    pub timestamp_ms: i64,
    /// The partition it lies in.
    pub partition: i32,
}

/// Checks the rows of one batch of one input topic.
pub struct RowChecks<'a> {
    input: &'a InputTopic,
    keys: Option<StringArray>,
    times: ArrayRef,
}

impl<'a> RowChecks<'a> {
    /// Looks up the key and the time column of `rows`, which have the topic's schema.
    pub fn new(input: &'a InputTopic, rows: &RecordBatch) -> Result<Self, ArrowError> {
        let keys = match &input.source {
            Some(_) => key_text(&input.topic, rows)?,
            None => None,
        };
        Ok(Self { input, keys, times: times(column(rows, &input.time)?)? })
    }

    /// The record time of row `i` in ms, or what is wrong with the row.
    pub fn check(&self, i: usize, outside: Outside<'_>) -> Result<i64, Fault> {
        if let Some(keys) = &self.keys {
            self.check_key(keys.is_valid(i).then(|| keys.value(i)), outside)?;
        }
        if self.times.is_null(i) {
            return Err(("null_time", format!("the record time {} is NULL", self.input.time)));
        }
        let time_ms = self.times.as_primitive::<Int64Type>().value(i);
        if let Some(source) = self.input.source {
            if time_ms < 0 {
                return Err(("time_before_1970", format!("{} is {time_ms} ms", self.input.time)));
            }
            let ahead = time_ms.saturating_sub(outside.timestamp_ms);
            if ahead > source.max_ahead_ms {
                let detail = format!("{} is {ahead} ms past the record's timestamp", self.input.time);
                return Err(("time_ahead", detail));
            }
        }
        Ok(time_ms)
    }

    fn check_key(&self, column: Option<&str>, outside: Outside<'_>) -> Result<(), Fault> {
        let topic = &self.input.topic;
        let name = topic.key.as_deref().unwrap_or_default();
        let Some(text) = column else { return Err(("null_key", format!("{name} is NULL"))) };
        if outside.key != Some(text.as_bytes()) {
            let key = outside.key.map_or("none".into(), |k| format!("{:?}", String::from_utf8_lossy(k)));
            return Err(("wrong_key", format!("{name} is {text:?}, the record's key is {key}")));
        }
        let partition = topic.partitioner.partition(outside.key, topic.partitions);
        if u32::try_from(outside.partition) != Ok(partition) {
            let detail = format!("key {text:?} belongs to partition {partition}, not {}", outside.partition);
            return Err(("wrong_partition", detail));
        }
        Ok(())
    }
}

/// The text of a topic's key column; `None` where its records have no key.
pub fn key_text(topic: &KafkaTopic, rows: &RecordBatch) -> Result<Option<StringArray>, ArrowError> {
    let Some(name) = &topic.key else { return Ok(None) };
    let keys = cast(column(rows, name)?, &DataType::Utf8)?;
    Ok(Some(keys.as_string::<i32>().clone()))
}

fn column<'a>(rows: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, ArrowError> {
    rows.column_by_name(name).ok_or_else(|| ArrowError::SchemaError(format!("there is no column {name}")))
}

/// A time column in ms; integers are taken as ms.
fn times(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let column = match column.data_type() {
        DataType::Timestamp(_, zone) => {
            cast(column, &DataType::Timestamp(TimeUnit::Millisecond, zone.clone()))?
        }
        _ => Arc::clone(column),
    };
    cast(&column, &DataType::Int64)
}

#[cfg(test)]
mod tests {
    use arrow::array::TimestampMillisecondArray;
    use arrow::datatypes::{Field, Schema};
    use millrace_schemas::Format;
    use millrace_topics::Partitioner;

    use super::*;
    use crate::service::SourceChecks;

    fn input() -> InputTopic {
        let topic = KafkaTopic {
            name: "shop.clicks".into(),
            format: Format::Json,
            schema: None,
            key: Some("user".into()),
            partitioner: Partitioner::Murmur2,
            partitions: 4,
            retention_ms: None,
            settings: Default::default(),
        };
        InputTopic {
            topic,
            time: "at".into(),
            source: Some(SourceChecks { max_ahead_ms: 1000, dead_letters: true }),
        }
    }

    fn rows(user: Option<&str>, at: Option<i64>) -> RecordBatch {
        let time = DataType::Timestamp(TimeUnit::Millisecond, Some("+00:00".into()));
        let schema =
            Schema::new(vec![Field::new("user", DataType::Utf8, true), Field::new("at", time, true)]);
        let at = TimestampMillisecondArray::from(vec![at]).with_timezone("+00:00");
        let columns: Vec<ArrayRef> = vec![Arc::new(StringArray::from(vec![user])), Arc::new(at)];
        RecordBatch::try_new(Arc::new(schema), columns).unwrap()
    }

    fn check(user: Option<&str>, at: Option<i64>, outside: Outside<'_>) -> Result<i64, &'static str> {
        let input = input();
        let rows = rows(user, at);
        RowChecks::new(&input, &rows).unwrap().check(0, outside).map_err(|(reason, _)| reason)
    }

    #[test]
    fn each_fault_of_a_source_row_has_its_reason() {
        let home = i32::try_from(Partitioner::Murmur2.partition(Some(b"ann"), 4)).unwrap();
        let good = Outside { key: Some(b"ann"), timestamp_ms: 5000, partition: home };
        assert_eq!(check(Some("ann"), Some(6000), good), Ok(6000));
        assert_eq!(check(None, Some(6000), good), Err("null_key"));
        assert_eq!(check(Some("bob"), Some(6000), good), Err("wrong_key"));
        assert_eq!(check(Some("ann"), Some(6000), Outside { key: None, ..good }), Err("wrong_key"));
        let elsewhere = Outside { partition: (home + 1) % 4, ..good };
        assert_eq!(check(Some("ann"), Some(6000), elsewhere), Err("wrong_partition"));
        assert_eq!(check(Some("ann"), None, good), Err("null_time"));
        assert_eq!(check(Some("ann"), Some(-1), good), Err("time_before_1970"));
        assert_eq!(check(Some("ann"), Some(6001), good), Err("time_ahead"));
    }
}
