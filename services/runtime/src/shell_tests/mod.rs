//! The shell at work against the cluster in memory; transactions are tested end to end, on a real Kafka.

mod aborts;
mod aligned;
mod at_least_once;
mod echo;
mod embedded;
