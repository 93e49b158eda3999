//! The seam between the shell and a service's pure core: rows in, effects out.
//!
//! A [`Task`] knows no clock, no network, no randomness. Its output is a function of the order in which it takes its
//! rows, and of nothing else: cutting the same rows into other batches changes nothing.

use std::sync::Arc;

use arrow::record_batch::RecordBatch;

/// Where the event at the root of a chain lies; header `origin`, as `topic/partition/offset`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin {
    /// The source topic's Kafka name.
    pub topic: Arc<str>,
    /// Its partition.
    pub partition: i32,
    /// The record's offset.
    pub offset: i64,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/{}", self.topic, self.partition, self.offset)
    }
}

/// What the shell knows of a row besides its columns.
#[derive(Debug, Clone)]
pub struct RowMeta {
    /// The record's offset in its input partition.
    pub offset: i64,
    /// The record time, in ms: the topic's `time` column.
    pub time_ms: i64,
    /// The event at the root of the chain.
    pub origin: Origin,
    /// The header `traceparent`, passed on to what the row causes.
    pub traceparent: Option<Arc<str>>,
    /// The header `late`: an earlier stage took the row too late to count.
    pub late: bool,
}

/// Rows of one input of a task, in the order of their offsets.
#[derive(Debug, Clone)]
pub struct Input {
    /// The columns, with the input topic's Arrow schema.
    pub rows: RecordBatch,
    /// One entry per row.
    pub meta: Vec<RowMeta>,
}

/// A row of a batch: which input, and which row of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// Index of the input (the source's place in the SQL).
    pub input: u32,
    /// Index of the row in that input.
    pub row: u32,
}

/// How far a row's effects reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The row is taken again to rebuild state: no output, no store write.
    Rebuild,
    /// As `Rebuild`, but the store may lack the row: the keys it touches are written.
    RebuildStore,
    /// The row is new and lies before the view's `start`: it warms the state, of later stages too, so it may cause
    /// output for them; no store write, no rejection.
    Warm,
    /// The row is new.
    Live,
}

impl Phase {
    /// Whether the row was not taken before the last commit: what it causes is produced.
    pub fn is_new(self) -> bool {
        matches!(self, Phase::Warm | Phase::Live)
    }
}

/// Rows that a task takes in one call, all of one [`Phase`].
#[derive(Debug, Clone)]
pub struct Batch {
    /// One per input of the stage, possibly without rows.
    pub inputs: Vec<Input>,
    /// The order in which the rows are taken: every row of every input once.
    pub order: Vec<Taken>,
    /// What the rows may cause.
    pub phase: Phase,
}

/// Rows for one output topic.
#[derive(Debug, Clone)]
pub struct Output {
    /// Index among the stage's output topics.
    pub topic: usize,
    /// The columns, with that topic's Arrow schema. The record's key is the text of the topic's key column.
    pub rows: RecordBatch,
    /// For each row, the index in [`Batch::order`] of the row that caused it.
    pub cause: Vec<u32>,
    /// For each row, whether it is marked `late: 1`; empty: none is.
    pub late: Vec<bool>,
}

/// A key of the online store, as it is after a batch. The shell adds `_version`.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyWrite {
    /// The full name: `millrace:fraud:features:customer_id:42`.
    pub key: String,
    /// Field names and their text, `_time` among them; NULL is the empty string.
    pub fields: Vec<(Arc<str>, String)>,
    /// Time to live from the moment of writing, in ms; `None`: none.
    pub ttl_ms: Option<i64>,
}

/// A row that a task refused; it goes to the dead letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Index in [`Batch::order`].
    pub row: u32,
    /// The class of the fault, in snake case: `null_key`.
    pub reason: &'static str,
    /// What exactly is wrong.
    pub detail: String,
}

/// All that a batch causes. A row of the batch is the cause of outputs (done), or filtered, or rejected.
#[derive(Debug, Clone, Default)]
pub struct Effects {
    /// Rows to produce; outputs of one topic are produced in order.
    pub outputs: Vec<Output>,
    /// Keys to write, at most once each.
    pub writes: Vec<KeyWrite>,
    /// Rows to send to the dead letters.
    pub rejected: Vec<Rejection>,
    /// How many rows the view's own SQL filtered.
    pub filtered: u64,
    /// How many rows came too late to count.
    pub late: u64,
}

/// What a task needs to go on from where it is; committed with the offsets as their metadata.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Progress {
    /// The greatest record time taken, in ms; `None` before the first row.
    pub task_time_ms: Option<i64>,
    /// Per input: the lowest offset from which the state can be rebuilt; `None`: no earlier row is needed.
    pub rebuild_from: Vec<Option<i64>>,
}

/// The pure core of one stage of a service, for one partition number.
pub trait Task: Send {
    /// Takes rows, in the order of `batch.order`, and appends what they cause to `effects`. An error stops the worker:
    /// what is wrong with a row is a [`Rejection`].
    fn apply(&mut self, batch: &Batch, effects: &mut Effects) -> Result<(), TaskError>;

    /// What a commit after the last batch is to carry.
    fn progress(&self) -> Progress;

    /// Told once, before the first batch of a rebuild, what the last commit carried, and once more after the rebuild's
    /// last batch: a rebuilt task has the task time of the commit, however few rows were needed.
    fn restore(&mut self, committed: &Progress);

    /// Rows and bytes of state held now, for the gauge; `(0, 0)` for a stateless task.
    fn state_size(&self) -> (u64, u64) {
        (0, 0)
    }
}

/// A fault that no retry mends: the worker stops.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct TaskError(pub String);
