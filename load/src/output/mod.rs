//! Where a stream goes: Parquet files, standard output, Kafka.

pub mod json;
pub mod parquet;
