//! Where a stream goes: Parquet files, standard output, Kafka.

pub mod json;
pub mod kafka;
mod pace;
pub mod parquet;
pub mod source;
