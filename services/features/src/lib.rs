//! Feature views: one SQL text, planned once, run over streams, files and in tests.

mod error;
mod exec;
pub mod plan;
pub mod sql;
pub mod window;

pub use error::Error;
