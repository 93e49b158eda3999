//! One dead letter on its way.

use millrace_schemas::envelope::DeadLetter;

use crate::input::RawBatch;
use crate::output::Cause;
use crate::task::Origin;

/// A record that could not be processed, before the names of service and stage are filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// The stage that refused it.
    pub stage: usize,
    /// Kafka's timestamp of the event at the root of the chain, in ms.
    pub origin_ms: i64,
    /// What is written. Its time is set once: a letter that is produced again after an abort is the same.
    pub envelope: DeadLetter,
}

/// Where a record lies: its stage, its topic and its partition.
pub type Place<'a> = (usize, &'a str, i32);

impl Letter {
    /// The dead letter of a record that never became a row.
    pub fn of_record(
        raw: &RawBatch,
        index: usize,
        (stage, topic, partition): Place<'_>,
        origin: &Origin,
        origin_ms: i64,
        (reason, detail): (&str, String),
    ) -> Self {
        let record = raw.records.get(index);
        let mut envelope = DeadLetter {
            topic: topic.to_owned(),
            partition,
            offset: record.map_or(-1, |r| r.offset),
            timestamp_ms: record.map(|r| r.timestamp_ms),
            time_ms: crate::clock::now_ms(),
            reason: reason.to_owned(),
            detail,
            origin: origin.to_string(),
            traceparent: record.and_then(|r| r.headers.traceparent.as_deref().map(str::to_owned)),
            ..DeadLetter::default()
        };
        envelope.set_record(raw.key(index), raw.payload(index));
        Self { stage, origin_ms, envelope }
    }

    /// The dead letter of a row that was refused later on.
    pub fn of_row(cause: &Cause, reason: &str, detail: String) -> Self {
        Self::of_record(
            &cause.raw.batch,
            cause.raw.index,
            (cause.stage, &cause.topic, cause.partition),
            &cause.origin,
            cause.origin_ms,
            (reason, detail),
        )
    }

    /// Leaves the bytes out: the letter itself is too large for its topic.
    pub fn drop_bytes(&mut self) {
        self.envelope.key = None;
        self.envelope.value = None;
    }
}
