//! Why a service stopped.

use millrace_schemas::RegistryError;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::metadata::MetadataError;
use crate::store::StoreError;
use crate::task::TaskError;

/// What stops a worker, and with it the process. Faults that pass are retried inside the shell and never end here.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration cannot be used.
    #[error("configuration: {0}")]
    Configuration(String),
    /// Kafka refuses, or is set up in a way that does not work.
    #[error("kafka: {what}: {source}")]
    Kafka {
        /// What was attempted, on what.
        what: String,
        /// Kafka's own error.
        source: KafkaError,
    },
    /// A newer process with the same transactional id took over.
    #[error("fenced: another process uses the transactional id {0}; give each process its own --instance")]
    Fenced(String),
    /// The log no longer holds what is needed.
    #[error("records are lost: {0}")]
    Lost(String),
    /// Another producer or tool left metadata that cannot be read, or there is too much of it.
    #[error("{topic}/{partition}: {source}")]
    Metadata {
        /// The topic.
        topic: String,
        /// Its partition.
        partition: i32,
        /// What is wrong with it.
        source: MetadataError,
    },
    /// A task cannot go on.
    #[error("{stage}, partition {partition}: {source}")]
    Task {
        /// The stage.
        stage: String,
        /// The task's partition number.
        partition: i32,
        /// Its own error.
        source: TaskError,
    },
    /// A schema cannot be used.
    #[error("schema of {topic}: {source}")]
    Schema {
        /// The topic.
        topic: String,
        /// What is wrong with it.
        source: millrace_schemas::Error,
    },
    /// The registry refuses.
    #[error("schema of {topic}: {source}")]
    Registry {
        /// The topic.
        topic: String,
        /// The registry's answer.
        source: RegistryError,
    },
    /// The online store refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Rows and columns do not fit: a service's fault.
    #[error("rows of {what}: {source}")]
    Rows {
        /// Which rows.
        what: String,
        /// Arrow's own error.
        source: arrow::error::ArrowError,
    },
    /// A worker panicked.
    #[error("worker {worker} panicked: {message}")]
    Panic {
        /// Its number.
        worker: usize,
        /// The panic's message.
        message: String,
    },
    /// Workers were still at it when the time of a shutdown was over.
    #[error("the shutdown took longer than {0:?}; rows that were not committed are taken again")]
    Overrun(std::time::Duration),
    /// The operating system refuses.
    #[error("{what}: {source}")]
    Io {
        /// What was attempted.
        what: String,
        /// The system's error.
        source: std::io::Error,
    },
}

impl Error {
    /// A Kafka error with what was attempted.
    pub(crate) fn kafka(what: impl Into<String>) -> impl FnOnce(KafkaError) -> Self {
        let what = what.into();
        move |source| Error::Kafka { what, source }
    }
}

/// Whether the same call may succeed later: the broker or the network is away, or not ready yet.
pub(crate) fn is_transient(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as Code;
    if let KafkaError::Transaction(e) = error
        && e.is_retriable()
    {
        return true;
    }
    let code = match error {
        KafkaError::AdminOp(code) => Some(*code), // the binding leaves these out
        other => other.rdkafka_error_code(),
    };
    matches!(
        code,
        Some(
            Code::AllBrokersDown
                | Code::BrokerTransportFailure
                | Code::CoordinatorLoadInProgress
                | Code::CoordinatorNotAvailable
                | Code::InProgress
                | Code::LeaderNotAvailable
                | Code::NetworkException
                | Code::NotCoordinator
                | Code::NotLeaderForPartition
                | Code::OperationTimedOut
                | Code::QueueFull
                | Code::RequestTimedOut
                | Code::Resolve
                | Code::UnstableOffsetCommit
                | Code::WaitingForCoordinator
                | Code::MessageTimedOut
                | Code::TimedOutQueue
                | Code::Retry
                | Code::BrokerNotAvailable
                | Code::NotEnoughReplicas
                | Code::NotEnoughReplicasAfterAppend
                | Code::ConcurrentTransactions
        )
    )
}

/// Whether the group moved on without this member: its generation or its membership is over.
pub(crate) fn is_lost_membership(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        error.rdkafka_error_code(),
        Some(
            Code::IllegalGeneration
                | Code::UnknownMemberId
                | Code::RebalanceInProgress
                | Code::AssignmentLost
                | Code::FencedInstanceId
                | Code::NoOffset
                | Code::State
        )
    )
}
