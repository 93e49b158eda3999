//! Tests that cross crates: end to end against real Kafka, Redis and a schema registry, SQL cases, DataFusion as oracle.

#[cfg(test)]
mod click_feedback;
#[cfg(test)]
mod datafusion_oracle;
#[cfg(test)]
mod deploying;
#[cfg(test)]
mod deployments;
#[cfg(test)]
mod drift;
#[cfg(test)]
mod experiment_commands;
#[cfg(test)]
mod experiment_files;
#[cfg(test)]
mod experiment_page;
#[cfg(test)]
mod experiments;
#[cfg(test)]
mod fraud_stream;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod poison;
#[cfg(test)]
mod preference;
#[cfg(test)]
mod second_application;
#[cfg(test)]
mod servers;
#[cfg(test)]
mod skew;
#[cfg(test)]
mod sql_cases;
#[cfg(test)]
mod too_large;
#[cfg(test)]
mod topics_apply;
#[cfg(test)]
mod variables;
