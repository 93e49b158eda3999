//! Kafka's clients as a worker uses them.

pub mod apart;
pub mod consumer;
pub mod options;
pub mod producer;
pub mod set_limits;
