//! What people do about alarms.

use serde::{Deserialize, Serialize};

/// What a person did about an alarm: one event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// When, in ms.
    pub time_ms: i64,
    /// [`super::AlarmKey::id`] of the alarm.
    pub alarm: String,
    /// What.
    #[serde(flatten)]
    pub action: Action,
    /// Who.
    pub by: String,
    /// Why.
    #[serde(default)]
    pub note: String,
}

/// What can be done about an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "action")]
pub enum Action {
    /// It has been seen: it stays acknowledged until it closes.
    Acknowledge,
    /// It is silent in windows that end before this.
    Mute {
        /// In ms.
        until_ms: i64,
    },
    /// It is heard again.
    Unmute,
    /// It is over, whatever is measured; it opens again only after the subject was quiet.
    Close,
}

/// Why a command does nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// No alarm has the id.
    #[error("no alarm has the id `{0}`; `millrace drift alarms` lists them")]
    Unknown(String),
    /// There is nothing to acknowledge, unmute or close.
    #[error("the alarm `{id}` is {state}: there is nothing to {action}")]
    NothingTo {
        /// Which alarm.
        id: String,
        /// Its state.
        state: &'static str,
        /// What was asked.
        action: &'static str,
    },
    /// The bytes are no command.
    #[error("not a command to an alarm: {0}")]
    Malformed(String),
}

impl Command {
    /// As one JSON object.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Back from [`Command::to_json`].
    ///
    /// # Errors
    /// Bytes that are no command.
    pub fn from_json(bytes: &[u8]) -> Result<Self, CommandError> {
        serde_json::from_slice(bytes).map_err(|e| CommandError::Malformed(e.to_string()))
    }
}
