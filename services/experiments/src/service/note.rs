//! What the tasks tell each other over internal topics: a head that says what it is, as JSON, and bytes.
//!
//! The journal has one partition, so that its order decides: commands, deployments, what observers counted, how scorers
//! did. Orders go to every observer.

use std::sync::Arc;

use arrow::record_batch::RecordBatch;
pub use millrace_runtime::message::{Assembler, Message, encode};
use millrace_runtime::message::{decode as read, schema};
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

/// Who tells of windows that they are over.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Teller {
    /// The topic of predictions or rankings, and the partition of it or of its feedback.
    pub place: Place,
    /// Whether it tells how lists ended, and not what units did.
    pub outcomes: bool,
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
        /// Of whom: parts of several partitions' bodies lie mixed in the journal.
        place: Place,
        /// The window's end, in ms.
        end_ms: i64,
    },
    /// Final outcomes of lists of a window; the body holds them.
    Outcomes {
        /// The stem of the topic of rankings, and the partition of its feedback.
        place: Place,
        /// The window's end, in ms.
        end_ms: i64,
    },
    /// Nothing comes from a partition: windows no longer wait for it.
    Silent {
        /// Who would tell.
        teller: Teller,
        /// The window's end up to which it is taken to have told, in ms.
        end_ms: i64,
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
        let (causes, messages): (Vec<u32>, Vec<Message<H>>) = self.0.into_iter().unzip();
        let (rows, of) = encode(&messages)?;
        let cause = of.into_iter().map(|message| causes[message]).collect();
        effects.outputs.push(Output { topic, rows, cause, late: Vec::new() });
        Ok(())
    }
}

/// The head of a row; of messages that have no body.
pub fn head<H: DeserializeOwned>(rows: &RecordBatch, row: usize) -> Result<H, Error> {
    let mut messages = read::<H>(&rows.slice(row, 1))?;
    messages.pop().map(|message| message.head).ok_or_else(|| Error::internal("no such row"))
}

/// Batches are far smaller than this wraps at.
#[allow(clippy::cast_possible_truncation)]
pub fn cause(row: usize) -> u32 {
    row as u32
}
