//! Schemas of topics and records on the wire.
//!
//! A topic's schema is Avro ([`TopicSchema`]); rows live in memory as Arrow batches. This crate turns one into the
//! other: the Confluent wire format and JSON, decoded with bad records told apart from good ones ([`Decoder`]),
//! encoded row by row ([`Encoder`]), schema ids from a registry ([`SchemaRegistry`]), and the check that a changed
//! schema still reads what was written before ([`compatibility`]).

pub mod compatibility;
mod decode;
mod encode;
pub mod envelope;
mod registry;
mod topic_schema;

pub use decode::{Decoded, Decoder, Reason, Rejected};
pub use encode::{Encoded, Encoder};
pub use registry::{ConfluentRegistry, InProcessRegistry, RegistryError, SchemaRegistry};
pub use topic_schema::{Error, Format, TopicSchema};
