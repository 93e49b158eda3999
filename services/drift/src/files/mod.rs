//! Data files: Parquet and CSV.

mod columns;
pub mod compare;
pub mod detect;
mod read;
#[cfg(test)]
mod tests;

pub use columns::{ids, numbers, times_ms, times_or_null_ms};
pub use read::{Error, FileReader, open};
