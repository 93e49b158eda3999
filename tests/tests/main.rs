//! Tests that cross crates: end to end against real Kafka, Redis and a schema registry, SQL cases, DataFusion as oracle.

#[cfg(test)]
mod fraud_stream;
#[cfg(test)]

#[cfg(test)]

#[cfg(test)]
mod servers;
