//! Whether Kafka has the topics that a service reads. The group leaves those out that are missing, and names none.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer as _;

use crate::kafka::consumer::Inlet;
use crate::service::Service;

/// How often Kafka is asked while inputs are missing.
const AGAIN: Duration = Duration::from_secs(5);
/// How long it may take; the worker does nothing else meanwhile.
const WITHIN: Duration = Duration::from_secs(1);

/// The input topics that were not seen yet.
pub struct Inputs {
    application: String,
    unseen: BTreeSet<String>,
    missing: BTreeSet<String>,
    asked: Option<Instant>,
}

impl Inputs {
    /// All inputs of `service`, none seen yet.
    pub fn new(service: &Service) -> Self {
        let inputs = service.stages.iter().flat_map(|stage| &stage.inputs);
        Self {
            application: service.group.split('.').next().unwrap_or_default().to_owned(),
            unseen: inputs.map(|input| input.topic.name.clone()).collect(),
            missing: BTreeSet::new(),
            asked: None,
        }
    }

    /// Asks Kafka until every topic was seen, now and then. A Kafka that does not answer says nothing about its topics.
    pub fn look(&mut self, inlet: &Inlet) {
        if self.unseen.is_empty() || self.asked.is_some_and(|asked| asked.elapsed() < AGAIN) {
            return;
        }
        // All topics are asked for: naming one that is missing may create it.
        if let Ok(metadata) = inlet.client().fetch_metadata(None, WITHIN) {
            let there = metadata.topics().iter().filter(|topic| !topic.partitions().is_empty());
            self.see(&there.map(|topic| topic.name()).collect());
        }
        self.asked = Some(Instant::now());
    }

    /// What is missing and how to mend it, once Kafka said so.
    pub fn missing(&self) -> Option<String> {
        let names: Vec<&str> = self.missing.iter().map(String::as_str).collect();
        let advice =
            || format!("Kafka lacks {}: run `millrace topics apply {}`", names.join(", "), self.application);
        (!names.is_empty()).then(advice)
    }

    fn see(&mut self, there: &BTreeSet<&str>) {
        self.unseen.retain(|topic| !there.contains(topic.as_str()));
        for topic in self.unseen.difference(&self.missing) {
            tracing::warn!(
                topic,
                "the topic does not exist; waiting for it: run `millrace topics apply {}`",
                self.application
            );
        }
        self.missing.clone_from(&self.unseen);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_topics_are_named_with_the_remedy_until_they_are_there() {
        let mut inputs = Inputs {
            application: "fraud".into(),
            unseen: ["fraud.a", "fraud.b"].map(String::from).into(),
            missing: BTreeSet::new(),
            asked: None,
        };
        assert_eq!(inputs.missing(), None);
        inputs.see(&["other"].into());
        let told = "Kafka lacks fraud.a, fraud.b: run `millrace topics apply fraud`";
        assert_eq!(inputs.missing().as_deref(), Some(told));
        inputs.see(&["fraud.a"].into());
        assert_eq!(
            inputs.missing().as_deref(),
            Some("Kafka lacks fraud.b: run `millrace topics apply fraud`")
        );
        inputs.see(&["fraud.b"].into());
        assert_eq!(inputs.missing(), None);
        assert!(inputs.unseen.is_empty());
    }
}
