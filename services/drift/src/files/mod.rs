//! Data files: Parquet and CSV.

mod read;

pub use read::{Error, FileReader, open};
