//! What people say to alarms.

use serde::{Deserialize, Serialize};

use super::record::Record;

/// What a person says to an alarm of the drift service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriftCommand {
    /// The command's own id.
    pub id: String,
    /// When it was said, in ms.
    #[serde(rename = "time", alias = "time_ms")]
    pub time_ms: i64,
    /// The alarm's id.
    pub alarm: String,
    /// What is to become of it: [`DriftCommand::ACK`], [`DriftCommand::MUTE`], [`DriftCommand::UNMUTE`] or
    /// [`DriftCommand::CLOSE`]; others are ignored.
    pub action: String,
    /// For mute: the record time from which the alarm speaks again, in ms.
    #[serde(rename = "until", alias = "until_ms")]
    pub until_ms: Option<i64>,
    /// Who says it.
    pub by: String,
    /// Why.
    pub reason: String,
}

impl DriftCommand {
    /// The alarm has been seen.
    pub const ACK: &str = "ack";
    /// The alarm is to be silent until a time.
    pub const MUTE: &str = "mute";
    /// The alarm is to be heard again.
    pub const UNMUTE: &str = "unmute";
    /// The alarm is over.
    pub const CLOSE: &str = "close";
}

impl Record for DriftCommand {
    const AVRO: &'static str = include_str!("../../drift-commands.avsc");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::record::testing::round_trip;

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
        round_trip(&all);
    }
}
