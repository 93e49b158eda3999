//! How large a set of records the topics take that a worker writes.

use std::time::Duration;

use millrace_topics::cluster::{self, settings};
use rdkafka::ClientConfig;

/// The topics that a worker writes, and how to ask for their settings.
pub struct SetLimits {
    client: ClientConfig,
    topics: Vec<String>,
}

const WITHIN: Duration = Duration::from_secs(5);
const SETTING: &str = "max.message.bytes";

impl SetLimits {
    /// The limits of `topics`, in the cluster that `client` reaches.
    pub fn new(client: ClientConfig, topics: Vec<String>) -> Self {
        Self { client, topics }
    }

    /// The largest set that all topics take, in bytes; `None`: the broker does not tell.
    pub fn smallest(&self) -> Result<Option<usize>, cluster::Error> {
        let topics: Vec<&str> = self.topics.iter().map(String::as_str).collect();
        let settings = settings(&self.client, &topics, WITHIN)?;
        Ok(settings.values().filter_map(|topic| topic.get(SETTING)?.parse().ok()).min())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::is_transient;

    #[test]
    fn a_cluster_that_does_not_answer_is_asked_again() {
        let mut client = ClientConfig::new();
        client.set("bootstrap.servers", "127.0.0.1:1");
        let error = SetLimits::new(client, vec!["a".into()]).smallest().unwrap_err();
        assert!(matches!(error, cluster::Error::Kafka { source, .. } if is_transient(&source)));
    }
}
