//! What the tasks tell each other over internal topics: a head that says what it is, as JSON, and bytes.
//!
//! The journal has one partition, so that its order decides: commands, deployments, what observers counted, how scorers
//! did. Orders go to every observer.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, StringArray, TimestampMillisecondArray};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use arrow::record_batch::RecordBatch;
use millrace_runtime::task::{Effects, Output};
use millrace_schemas::TopicSchema;
use millrace_schemas::envelope::{Deployment, ExperimentCommand, ScorerStats};
use millrace_topics::ExperimentDefinition;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Error;

/// A partition of a topic of predictions or rankings.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The topic's stem.
    pub topic: String,
    /// The partition.
    pub partition: i32,
}

impl Place {
    /// The one before all others in order.
    pub fn first() -> Self {
        Self { topic: String::new(), partition: i32::MIN }
    }
}

/// Told to the judge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Note {
    /// A person's word.
    Command(ExperimentCommand),
    /// A deployment that was written.
    Deployed {
        /// Its offset.
        offset: i64,
        /// The event.
        deployment: Box<Deployment>,
    },
    /// An observer counts for a run from now on.
    Known {
        /// The run: the id of the command that started it.
        run: String,
        /// Who.
        place: Place,
    },
    /// What one partition's units come to at the end of a window, since the phase began; the body is `Counted`.
    Counted {
        /// The run.
        run: String,
        /// Of whom.
        place: Place,
        /// The window's end, in ms.
        end_ms: i64,
        /// The phase.
        phase: i32,
    },
    /// Rows that both versions scored and whose labels can change no more by the window's end; the body is a sample.
    Scored {
        /// The run.
        run: String,
        /// The window's end, in ms.
        end_ms: i64,
    },
    /// Final outcomes of lists; the body holds them.
    Outcomes {
        /// The stem of the topic of rankings, and the partition of its feedback.
        place: Place,
        /// The window's end, in ms.
        end_ms: i64,
        /// Whether these are the last of the window.
        all: bool,
    },
    /// How a version did in one batch.
    Stats(ScorerStats),
}

/// Told to every observer of a topic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Order {
    /// Count for a run.
    Start {
        /// The run.
        run: String,
        /// What it is.
        definition: Box<ExperimentDefinition>,
    },
    /// Count for it no longer.
    End {
        /// The run.
        run: String,
    },
    /// A deployment that was written: predictions name its offset.
    Deployed {
        /// Its offset.
        offset: i64,
        /// The stem of the topic.
        topic: String,
        /// The experiment that it belongs to; empty: none.
        experiment: String,
        /// The phase.
        phase: i32,
    },
}

/// One record.
#[derive(Debug, Clone, PartialEq)]
pub struct Message<H> {
    /// The record's key; none: the topic has one partition.
    pub key: Option<String>,
    /// The record time, in ms.
    pub time_ms: i64,
    /// What it is.
    pub head: H,
    /// What it carries.
    pub body: Vec<u8>,
}

impl<H> Message<H> {
    /// One without a body.
    pub fn of(time_ms: i64, head: H) -> Self {
        Self { key: None, time_ms, head, body: Vec::new() }
    }
}

/// The Arrow schema of both topics.
pub fn schema() -> Arc<Schema> {
    let time = DataType::Timestamp(TimeUnit::Millisecond, Some("+00:00".into()));
    Arc::new(Schema::new(vec![
        Field::new("key", DataType::Utf8, true),
        Field::new("time", time, false),
        Field::new("head", DataType::Utf8, false),
        Field::new("body", DataType::Binary, false),
    ]))
}

/// The schema as topics have it.
pub fn topic_schema(app: &str) -> Result<Arc<TopicSchema>, Error> {
    TopicSchema::derive(app, "experiments-internal", &schema()).map(Arc::new).map_err(Error::internal)
}

/// Messages for one output topic, each with the row (an index in the batch's order) that caused it.
#[derive(Debug)]
pub struct Outgoing<H>(Vec<(u32, Message<H>)>);

impl<H> Default for Outgoing<H> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<H: Serialize> Outgoing<H> {
    /// A message that a row caused.
    pub fn push(&mut self, cause: u32, message: Message<H>) {
        self.0.push((cause, message));
    }

    /// Appends them to the effects, as outputs to the stage's topic of that index.
    pub fn finish(mut self, topic: usize, effects: &mut Effects) -> Result<(), Error> {
        if self.0.is_empty() {
            return Ok(());
        }
        self.0.sort_by_key(|(cause, _)| *cause);
        let (cause, messages): (Vec<u32>, Vec<Message<H>>) = self.0.into_iter().unzip();
        effects.outputs.push(Output { topic, rows: encode(&messages)?, cause, late: Vec::new() });
        Ok(())
    }
}

/// Rows of messages.
pub fn encode<H: Serialize>(messages: &[Message<H>]) -> Result<RecordBatch, Error> {
    let heads: Result<Vec<String>, _> =
        messages.iter().map(|message| serde_json::to_string(&message.head)).collect();
    let keys: StringArray = messages.iter().map(|message| message.key.as_deref()).collect();
    let times: TimestampMillisecondArray = messages.iter().map(|message| Some(message.time_ms)).collect();
    let bodies: Vec<&[u8]> = messages.iter().map(|message| message.body.as_slice()).collect();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(keys),
        Arc::new(times.with_timezone("+00:00")),
        Arc::new(StringArray::from(heads.map_err(Error::internal)?)),
        Arc::new(BinaryArray::from(bodies)),
    ];
    RecordBatch::try_new(schema(), columns).map_err(Error::internal)
}

/// The head and the body of a row.
pub fn decode<H: DeserializeOwned>(rows: &RecordBatch, row: usize) -> Result<(H, Vec<u8>), Error> {
    let wrong = |what: &str| Error::internal(format!("an internal record has no {what}"));
    let column = |name: &'static str| rows.column_by_name(name).ok_or_else(|| wrong(name));
    let heads = column("head")?.as_string_opt::<i32>().ok_or_else(|| wrong("head"))?;
    let bodies = column("body")?.as_binary_opt::<i32>().ok_or_else(|| wrong("body"))?;
    let head = serde_json::from_str(heads.value(row))
        .map_err(|error| Error::internal(format!("the head {} cannot be read: {error}", heads.value(row))))?;
    Ok((head, if bodies.is_valid(row) { bodies.value(row).to_vec() } else { Vec::new() }))
}

/// Batches are far smaller than this wraps at.
#[allow(clippy::cast_possible_truncation)]
pub fn cause(row: usize) -> u32 {
    row as u32
}
