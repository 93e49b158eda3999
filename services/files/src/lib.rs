//! Data files as Arrow batches: Parquet, CSV and JSON lines, with errors that name file, column and row.

mod columns;
mod read;
#[cfg(test)]
mod tests;

pub use columns::{numbers, texts, times_ms, times_or_null_ms};
pub use read::{Error, FileReader, open};
