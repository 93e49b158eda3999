//! What the end-to-end tests stand on: real servers, the real binary, a client that is not ours, and readers.
//!
//! Everything is started on free ports with data folders of its own and stopped by its owner's drop; what a test
//! process leaves behind when it is killed is stopped by [`reaper`]. `KAFKA_BOOTSTRAP`, `REDIS_URL` and
//! `SCHEMA_REGISTRY_URL` point at servers that stand already. A server that is missing is an error that names the
//! command which installs it, never a skip.

pub mod application;
pub mod browser;
pub mod cache;
pub mod foreign;
pub mod http;
pub mod kafka;
pub mod millrace;
pub mod payments;
pub mod process;
pub mod reader;
pub mod reaper;
pub mod redis;
pub mod registry;
pub mod rows;
pub mod sql_case;
pub mod stack;
pub mod wait;
