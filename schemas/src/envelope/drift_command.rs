//! What people say to alarms.

use std::sync::Arc;

use arrow::array::{Array, RecordBatch, StringArray, TimestampMillisecondArray};
use serde::{Deserialize, Serialize};

use super::column;
use crate::{Error, TopicSchema};

/// What a person says to an alarm of the drift service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriftCommand {
    /// The command's own id.
    pub id: String,
    /// When it was said, in ms.
    pub time_ms: i64,
    /// The alarm's id.
    pub alarm: String,
    /// What is to become of it: [`DriftCommand::ACK`], [`DriftCommand::MUTE`], [`DriftCommand::UNMUTE`] or
    /// [`DriftCommand::CLOSE`]; others are ignored.
    pub action: String,
    /// For mute: the record time from which the alarm speaks again, in ms.
    pub until_ms: Option<i64>,
    /// Who says it.
    pub by: String,
    /// Why.
    pub reason: String,
}

impl DriftCommand {
    /// The Avro schema of every topic of commands, `schemas/drift-commands.avsc`.
    pub const AVRO: &str = include_str!("../../drift-commands.avsc");
    /// The alarm has been seen.
    pub const ACK: &str = "ack";
    /// The alarm is to be silent until a time.
    pub const MUTE: &str = "mute";
    /// The alarm is to be heard again.
    pub const UNMUTE: &str = "unmute";
    /// The alarm is over.
    pub const CLOSE: &str = "close";

    /// One row per command, with the schema of [`DriftCommand::AVRO`].
    pub fn to_batch(commands: &[Self]) -> Result<RecordBatch, Error> {
        let schema = TopicSchema::parse(Self::AVRO)?;
        let text = |of: fn(&Self) -> &str| Arc::new(StringArray::from_iter_values(commands.iter().map(of)));
        let times = TimestampMillisecondArray::from_iter_values(commands.iter().map(|c| c.time_ms));
        let until = TimestampMillisecondArray::from_iter(commands.iter().map(|c| c.until_ms));
        let columns: Vec<Arc<dyn Array>> = vec![
            text(|c| &c.id),
            Arc::new(times.with_timezone("+00:00")),
            text(|c| &c.alarm),
            text(|c| &c.action),
            Arc::new(until.with_timezone("+00:00")),
            text(|c| &c.by),
            text(|c| &c.reason),
        ];
        RecordBatch::try_new(Arc::clone(schema.arrow()), columns).map_err(|e| Error::Envelope(e.to_string()))
    }

    /// The commands of decoded rows.
    pub fn from_batch(rows: &RecordBatch) -> Result<Vec<Self>, Error> {
        let text = |name| column::<StringArray>(rows, name);
        let time = |name| column::<TimestampMillisecondArray>(rows, name);
        let (id, alarm, action) = (text("id")?, text("alarm")?, text("action")?);
        let (by, reason) = (text("by")?, text("reason")?);
        let (at, until) = (time("time")?, time("until")?);
        let command = |i| Self {
            id: id.value(i).to_owned(),
            time_ms: at.value(i),
            alarm: alarm.value(i).to_owned(),
            action: action.value(i).to_owned(),
            until_ms: until.is_valid(i).then(|| until.value(i)),
            by: by.value(i).to_owned(),
            reason: reason.value(i).to_owned(),
        };
        Ok((0..rows.num_rows()).map(command).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_as_they_were_written() {
        let mute = DriftCommand {
            id: "c1".into(),
            time_ms: 7,
            alarm: "a1".into(),
            action: DriftCommand::MUTE.into(),
            until_ms: Some(9),
            by: "ada".into(),
            reason: "a known campaign".into(),
        };
        let all = vec![mute.clone(), DriftCommand { action: "ack".into(), until_ms: None, ..mute }];
        assert_eq!(DriftCommand::from_batch(&DriftCommand::to_batch(&all).unwrap()).unwrap(), all);
    }
}
