//! Windows of features, predictions and outcomes, compared with a reference: what changed, why, and what to do.
//!
//! - [`profile`]: what is kept of the rows of a window;
//! - [`window`]: which windows a row belongs to, and the profiles of the open ones;
//! - [`reference`]: what a window is compared with; also domain support and constraints on data quality;
//! - [`calibrate`]: thresholds from windows held out of the reference;
//! - [`judge`]: a window against its reference: what drifted, and by how much;
//! - [`cause`]: what moved by itself, and what only moved along;
//! - [`alarm`]: what a person is told once, and what they did about it;
//! - [`retrain`]: when a model should be trained again;
//! - [`performance`]: metrics on labels;
//! - [`files`]: Parquet and CSV files in.

pub mod alarm;
pub mod calibrate;
pub mod cause;
pub mod files;
pub mod hash;
pub mod judge;
pub mod performance;
pub mod profile;
pub mod reference;
pub mod report;
pub mod retrain;
pub mod service;
#[cfg(test)]
mod testing;
pub mod window;
