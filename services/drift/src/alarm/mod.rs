//! Alarms: what a person is told once, and what they did about it.
//!
//! A subject that drifts in `open_after` final windows in a row opens an alarm; one that stays below a lower bound in
//! `close_after` windows in a row closes it (hysteresis: a subject at the edge does not flicker). People acknowledge,
//! mute and close alarms by [`Command`]s, which are events like any other. State is a function of the events and
//! commands taken; it counts a window once, however often it is issued.

mod command;
mod key;
mod state;

pub use command::{Action, Command, CommandError};
pub use key::AlarmKey;
pub use state::{Alarm, Alarms, Rules, StateError};
