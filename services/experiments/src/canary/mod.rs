//! Canary release: steps of traffic, each judged before the next.
//!
//! - [`decision`]: what evidence says of a step;
//! - [`requests`]: evidence from errors, missing inputs and latency;
//! - [`release`]: the steps one after the other: time, pauses, commands;
//! - [`plan`]: how long steps must be to see what they are to see;
//! - [`declared`]: the same of a draft, by what it says of the traffic.

pub mod decision;
pub mod declared;
pub mod plan;
pub mod release;
pub mod requests;

pub use decision::{Action, Criterion, Decision, Evidence, decide};
pub use plan::{Judged, Planned, plan};
pub use release::{Release, State, Step};
