//! Letters to records.

use millrace_schemas::SchemaRegistry;
use millrace_schemas::envelope::DeadLetter;

use super::Letter;
use crate::error::Error;
use crate::headers;
use crate::kafka::producer::OutRecord;
use crate::output::{EncodedRows, OutTopic};
use crate::service::Service;

/// Writes the dead letters of one service.
pub struct DeadLetters {
    topic: OutTopic,
    service: String,
    stages: Vec<String>,
}

impl DeadLetters {
    /// `Ok(None)`: the registry does not answer yet.
    pub fn open(service: &Service, registry: &dyn SchemaRegistry) -> Result<Option<Self>, Error> {
        let Some(topic) = OutTopic::open(&service.dead_letters, registry)? else { return Ok(None) };
        Ok(Some(Self {
            topic,
            service: service.name.clone(),
            stages: service.stages.iter().map(|stage| stage.name.clone()).collect(),
        }))
    }

    /// The topic's Kafka name.
    pub fn topic(&self) -> &str {
        self.topic.name()
    }

    /// The letter's record.
    pub fn encode(&mut self, letter: &Letter) -> Result<EncodedRows, Error> {
        let envelope = DeadLetter {
            service: self.service.clone(),
            stage: self.stages.get(letter.stage).cloned().unwrap_or_default(),
            ..letter.envelope.clone()
        };
        let rows = DeadLetter::to_batch(&[envelope])
            .map_err(|source| Error::Schema { topic: self.topic().to_owned(), source })?;
        self.topic.encode(&rows)
    }

    /// What is sent.
    pub fn record<'a>(&'a self, letter: &Letter, rows: &'a EncodedRows) -> OutRecord<'a> {
        let envelope = &letter.envelope;
        OutRecord {
            topic: self.topic.name(),
            partition: rows.partitions.first().copied().unwrap_or(0),
            key: rows.key(0),
            payload: rows.payloads.get(0).unwrap_or_default(),
            headers: headers::write(
                &envelope.origin,
                letter.origin_ms,
                None,
                envelope.traceparent.as_deref(),
                false,
            ),
        }
    }
}
