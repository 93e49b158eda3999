//! The scorer: turns each batch of feature rows into predictions by the model version in force.
//!
//! ```text
//! feature rows -> matrix -> one run of the model -> envelope -> prediction rows
//!                              ^ deployed <- watcher <- deployment events
//! ```
//!
//! Versions come from the application's model repository ([`repository`]) and say in [`model_file`] what they take and
//! mean. The last event of the topic of deployments that can serve is in force: a thread follows it, loads and warms up its
//! versions beside the old ones, and tasks take them between two batches.

mod answers;
mod deployed;
mod deployments;
mod envelope;
mod error;
mod explore;
pub mod library;
mod loading;
mod matrix;
pub mod model_file;
mod near;
mod onnx;
mod ranking;
pub mod repository;
mod service;
mod serving;
mod shell;
mod stats;
mod task;
#[cfg(test)]
mod testing;
mod version;
mod watcher;

pub use error::Error;
pub use model_file::{Decision, Missing, ModelFile, ModelInput, Training};
pub use service::{check, check_version, scored_columns, service};
pub use serving::repository_of;
pub use version::FeatureColumns;
