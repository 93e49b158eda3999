//! What a service tells the shell about itself.

use std::sync::Arc;

use millrace_topics::{KafkaTopic, Start};

use crate::task::{Task, TaskError};

/// One service of one application, ready to run.
#[derive(Clone)]
pub struct Service {
    /// The subcommand's name: `features`.
    pub name: String,
    /// The consumer group, plan fingerprint included.
    pub group: String,
    /// Its stages. One consumer per worker subscribes to the inputs of all.
    pub stages: Vec<Stage>,
    /// Where rejected records go.
    pub dead_letters: KafkaTopic,
    /// Asked by `/ready` besides the shell's own state: `Err` says what is missing, and which command mends it. No
    /// stage takes a row before it says `Ok`.
    pub ready: Arc<dyn Fn() -> Result<(), String> + Send + Sync>,
}

/// One step of a service: the inputs with equal partition numbers make one task.
#[derive(Clone)]
pub struct Stage {
    /// For logs and metrics: `features/customer_id`.
    pub name: String,
    /// Co-partitioned inputs, in the order of the SQL: rows are merged by record time, ties by this order.
    pub inputs: Vec<InputTopic>,
    /// The topics it writes.
    pub outputs: Vec<KafkaTopic>,
    /// Keeps partitions from running ahead of each other; `None`: they may.
    pub alignment: Option<Alignment>,
    /// Whether tasks hold state that is rebuilt from the log.
    pub stateful: bool,
    /// Where the first run begins.
    pub start: Start,
    /// Makes the task of a partition number.
    pub task: MakeTask,
}

/// Makes the task of a partition number.
pub type MakeTask = Arc<dyn Fn(i32) -> Result<Box<dyn Task>, TaskError> + Send + Sync>;

/// A topic that a stage reads.
#[derive(Clone)]
pub struct InputTopic {
    /// The topic; its `schema` is what rows are decoded to.
    pub topic: KafkaTopic,
    /// The column that is the record time.
    pub time: String,
    /// For topics that something outside writes: key, partition and record time are checked (`null_key`, `wrong_key`,
    /// `wrong_partition`, `time_before_1970`, `time_ahead`). Rows of others are trusted.
    pub source: Option<SourceChecks>,
}

/// What is checked of a source's rows besides their schema.
#[derive(Debug, Clone, Copy)]
pub struct SourceChecks {
    /// How far a record time may lie past Kafka's own timestamp of the record, in ms.
    pub max_ahead_ms: i64,
    /// Whether refused records go to the dead letters: not where a service takes a source once more, whose records
    /// another one has refused and written there.
    pub dead_letters: bool,
}

/// Keeps catching up like living: partitions of a stage advance through record time side by side.
#[derive(Debug, Clone, Copy)]
pub struct Alignment {
    /// How far ahead of the slowest partition with rows left a partition may run, in ms of record time.
    pub max_skew_ms: i64,
    /// After how long a wait ends all the same, in ms of wall time.
    pub max_wait_ms: i64,
}
