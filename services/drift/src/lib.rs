//! Windows of features, predictions and outcomes, compared with a reference: what changed, why, and what to do.
//!
//! - [`profile`]: what is kept of the rows of a window;
//! - [`window`]: which windows a row belongs to, and the profiles of the open ones;
//! - [`reference`]: what a window is compared with; also domain support and constraints on data quality;
//! - [`files`]: Parquet and CSV files in.

pub mod alarm;
pub mod cause;
pub mod files;
pub mod hash;
pub mod judge;
pub mod profile;
pub mod reference;
pub mod retrain;
pub mod service;
pub mod window;
