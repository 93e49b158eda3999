//! The shell at work: against the cluster in memory, and against a real Kafka where `KAFKA_BOOTSTRAP` names one.

mod aborts;
mod aligned;
mod at_least_once;
mod echo;
mod embedded;
mod exactly_once;
