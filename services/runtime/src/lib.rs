//! The shell that every service shares: workers, batches, commits, dead letters, configuration, telemetry.
//!
//! A service describes itself ([`Service`](service::Service)) and [`run`] does the rest:
//!
//! `poll -> check and decode into Arrow batches -> task.apply(batch) -> effects -> write store, produce -> commit`
//!
//! A worker is an OS thread that owns a consumer, a producer and the tasks of its partitions. Pure parts
//! ([`offset_tracker`], [`metadata`], [`merge`], [`alignment`]) decide; the others drive Kafka and the store.

pub mod admin;
pub mod alignment;
pub mod clock;
pub mod config;
pub mod dead_letters;
pub mod embedded;
mod environment;
mod error;
mod headers;
mod input;
mod kafka;
pub mod merge;
pub mod message;
pub mod metadata;
pub mod metrics;
pub mod needed;
pub mod offset_tracker;
mod output;
mod readiness;
mod recovery;
mod run;
mod running;
pub mod service;
mod shutdown;
mod source_checks;
mod stage;
pub mod store;
pub mod task;
pub mod telemetry;
mod wake;
pub mod wall;
mod worker;

pub use config::{Args, Configuration, Delivery};
pub use environment::{Assignment, Environment};
pub use error::Error;
pub use readiness::Readiness;
pub use run::{Report, run};
pub use shutdown::Shutdown;

#[cfg(test)]
mod shell_tests;
