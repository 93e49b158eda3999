//! Rankings: built column by column by the scorer, so that there is no type for a single one.

/// The Avro schema of every topic of rankings, `schemas/rankings.avsc`.
pub const AVRO: &str = include_str!("../../rankings.avsc");
