//! The state of every alarm.

use std::collections::BTreeMap;

use millrace_schemas::envelope::{AlarmState, DriftEvent, DriftKind, DriftStatus};
use serde::{Deserialize, Serialize};

use super::{Action, AlarmKey, Command, CommandError};

/// When alarms open and close.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rules {
    /// Final windows in a row in which the subject must have drifted.
    pub open_after: u32,
    /// Final windows in a row in which its severity must have been below `close_below`.
    pub close_after: u32,
    /// A severity, at most 1.
    pub close_below: f64,
}

impl Default for Rules {
    /// One window opens, since thresholds are calibrated for single windows; two below 0.8 close.
    fn default() -> Self {
        Self { open_after: 1, close_after: 2, close_below: 0.8 }
    }
}

/// One subject's alarm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// Where it stands, muting aside.
    pub state: AlarmState,
    /// It is silent in windows that end before this, in ms.
    pub muted_until_ms: Option<i64>,
    /// The end of the first window of the drift that is going on, in ms; none while the subject is quiet.
    pub since_ms: Option<i64>,
    /// The end of the window that opened it last, in ms.
    pub opened_ms: Option<i64>,
    /// The severity in the last window counted.
    pub severity: f64,
    /// The greatest severity since it opened.
    pub worst: f64,
    /// Who touched it last, and why.
    pub note: String,
    /// A person closed it while the subject still drifted.
    dismissed: bool,
    above: u32,
    below: u32,
    counted_ms: i64,
}

/// All alarms of an application.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Alarms {
    rules: Rules,
    alarms: BTreeMap<AlarmKey, Alarm>,
}

/// Why bytes are no state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not the state of alarms: {0}")]
pub struct StateError(String);

impl Alarms {
    /// None yet.
    pub fn new(rules: Rules) -> Self {
        Self { rules, alarms: BTreeMap::new() }
    }

    /// Takes what a window says of a subject, drifted or not, and returns the alarm's state after it. Provisional events,
    /// and windows that were counted before (revisions), change nothing.
    pub fn observe(&mut self, event: &DriftEvent) -> AlarmState {
        if event.kind == DriftKind::Summary {
            return AlarmState::None;
        }
        let key = AlarmKey::of(event);
        let fresh = event.status == DriftStatus::Final
            && self.alarms.get(&key).is_none_or(|alarm| alarm.counted_ms < event.window_end_ms);
        if fresh && (event.drifted || self.alarms.contains_key(&key)) {
            let rules = self.rules;
            let alarm = self.alarms.entry(key.clone()).or_insert_with(Alarm::quiet);
            alarm.count(event, &rules);
            if alarm.is_forgotten(event.window_end_ms) {
                self.alarms.remove(&key);
            }
        }
        self.alarms.get(&key).map_or(AlarmState::None, |alarm| alarm.shown(event.window_end_ms))
    }

    /// Does what a person asked for.
    ///
    /// # Errors
    /// An id that no alarm has, or a state in which there is nothing to do.
    pub fn command(&mut self, command: &Command) -> Result<AlarmState, CommandError> {
        let found = self.alarms.iter_mut().find(|(key, _)| key.id() == command.alarm);
        let (_, alarm) = found.ok_or_else(|| CommandError::Unknown(command.alarm.clone()))?;
        alarm.act(command)?;
        Ok(alarm.shown(command.time_ms))
    }

    /// Alarms that are or were open, and subjects on their way there, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&AlarmKey, &Alarm)> {
        self.alarms.iter()
    }

    /// The alarm of a subject.
    pub fn get(&self, key: &AlarmKey) -> Option<&Alarm> {
        self.alarms.get(key)
    }

    /// The end of the first window of the drift that is going on; none of a quiet subject.
    pub fn since_ms(&self, event: &DriftEvent) -> Option<i64> {
        self.alarms.get(&AlarmKey::of(event))?.since_ms
    }

    /// Equal bytes for equal states.
    pub fn to_bytes(&self) -> Vec<u8> {
        let pairs: Vec<(&AlarmKey, &Alarm)> = self.alarms.iter().collect();
        serde_json::to_vec(&pairs).unwrap_or_default()
    }

    /// Back from [`Alarms::to_bytes`], under these rules.
    ///
    /// # Errors
    /// Bytes that are no state.
    pub fn from_bytes(rules: Rules, bytes: &[u8]) -> Result<Self, StateError> {
        let pairs: Vec<(AlarmKey, Alarm)> =
            serde_json::from_slice(bytes).map_err(|e| StateError(e.to_string()))?;
        Ok(Self { rules, alarms: pairs.into_iter().collect() })
    }
}

impl Alarm {
    fn quiet() -> Self {
        Self {
            state: AlarmState::None,
            muted_until_ms: None,
            since_ms: None,
            opened_ms: None,
            severity: 0.0,
            worst: 0.0,
            note: String::new(),
            dismissed: false,
            above: 0,
            below: 0,
            counted_ms: i64::MIN,
        }
    }

    fn is_on(&self) -> bool {
        matches!(self.state, AlarmState::Open | AlarmState::Acknowledged)
    }

    /// The state that is shown of a window that ends then.
    pub fn shown(&self, time_ms: i64) -> AlarmState {
        let muted = self.muted_until_ms.is_some_and(|until| time_ms < until);
        if muted { AlarmState::Muted } else { self.state }
    }

    fn count(&mut self, event: &DriftEvent, rules: &Rules) {
        self.counted_ms = event.window_end_ms;
        self.severity = event.severity;
        self.above = if event.drifted { self.above + 1 } else { 0 };
        self.below = if !event.drifted && event.severity < rules.close_below { self.below + 1 } else { 0 };
        if event.drifted {
            self.since_ms = self.since_ms.or(Some(event.window_end_ms));
            self.worst = self.worst.max(event.severity);
        }
        if self.is_on() || self.dismissed {
            if self.below >= rules.close_after {
                self.state = AlarmState::Closed;
                self.dismissed = false;
                self.since_ms = None;
            }
        } else if self.above >= rules.open_after {
            self.state = AlarmState::Open;
            self.opened_ms = Some(event.window_end_ms);
            self.worst = event.severity;
        } else if !event.drifted {
            self.since_ms = None;
        }
    }

    /// Nothing that a person would miss: the subject is quiet and no alarm was ever raised.
    fn is_forgotten(&self, time_ms: i64) -> bool {
        self.state == AlarmState::None
            && self.above == 0
            && self.muted_until_ms.is_none_or(|until| until <= time_ms)
    }

    fn act(&mut self, command: &Command) -> Result<(), CommandError> {
        let refused = |alarm: &Self, action| {
            let state = match alarm.shown(command.time_ms) {
                AlarmState::None => "not open",
                AlarmState::Open => "open",
                AlarmState::Acknowledged => "acknowledged",
                AlarmState::Muted => "muted",
                AlarmState::Closed => "closed",
            };
            Err(CommandError::NothingTo { id: command.alarm.clone(), state, action })
        };
        match command.action {
            Action::Acknowledge if !self.is_on() => return refused(self, "acknowledge"),
            Action::Acknowledge => self.state = AlarmState::Acknowledged,
            Action::Mute { until_ms } if until_ms <= command.time_ms => return refused(self, "mute"),
            Action::Mute { until_ms } => self.muted_until_ms = Some(until_ms),
            Action::Unmute if self.muted_until_ms.is_none() => return refused(self, "unmute"),
            Action::Unmute => self.muted_until_ms = None,
            Action::Close if !self.is_on() => return refused(self, "close"),
            Action::Close => (self.state, self.dismissed) = (AlarmState::Closed, true),
        }
        self.note = if command.note.is_empty() {
            command.by.clone()
        } else {
            format!("{}: {}", command.by, command.note)
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests;
