//! Retrain requests: which triggers fire, on what evidence.
//!
//! A trigger fires on drift of some severity that lasts, on a metric that fell below a bound, on new labels, or on time
//! passing. What it looks at are final windows and ticks, each of which is a record; so a replay fires the same
//! requests, and since an id is a hash of trigger, model version and window, none is made twice.

mod evidence;
mod schedule;
mod state;
mod trigger;

pub use evidence::{LabelCount, Measurement, Tick, Window};
pub use schedule::{BadSchedule, Schedule};
pub use state::{Served, StateError, Triggers};
pub use trigger::{Direction, TrainRange, Trigger, When};
