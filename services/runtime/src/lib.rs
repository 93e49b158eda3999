//! The shell that every service shares: workers, batches, commits, dead letters, configuration, telemetry.

pub mod service;
pub mod store;
pub mod task;
