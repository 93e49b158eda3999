//! Feature views: one SQL text, planned once, run over streams, files and in tests.

pub mod backfill;
mod error;
mod exec;
pub mod plan;
mod service;
pub mod sql;
mod stage;
#[cfg(test)]
mod testing;
mod view;
pub mod window;

pub use error::Error;
pub use service::{ViewTopics, again, check, kafka_topics, service};
pub use stage::{Picks, StageTask, picked};
pub use view::{PlannedView, plan_view};
