//! Seeded input for Millrace, and the measures that tell how well its predictions did.
//!
//! [`fraud`] generates card payments and their labels, [`ranking`] requests for ranked lists and users who click on them;
//! [`output`] writes them to Kafka, Parquet files or as JSON, and
//! [`evaluation`] computes AUC ROC, average precision and card precision from scores and outcomes. [`detectors`] measures
//! change detectors on seeded streams, [`wide`] what a window of many rows and columns takes, [`lists`] what interleaved lists
//! and their clicks take, [`swap`] how long predictions take while a model version is swapped.

pub mod detectors;
mod draw;
pub mod evaluation;
pub mod fraud;
pub mod lists;
pub mod output;
pub mod ranking;
pub mod swap;
mod usage;
pub mod wide;
