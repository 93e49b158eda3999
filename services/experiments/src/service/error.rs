//! What keeps the service from running.

use millrace_topics::Problem;

/// Why the service cannot run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The application's topic files.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Problems(Vec<Problem>),
    /// A topic of events cannot be read or written.
    #[error(transparent)]
    Events(#[from] millrace_topics::events::Error),
    /// Kafka does not do what the service needs.
    #[error("cannot {what}: {source}")]
    Kafka {
        /// What was asked.
        what: String,
        /// What the client says.
        source: rdkafka::error::KafkaError,
    },
    /// A record of an internal topic cannot be read or written.
    #[error(transparent)]
    Message(#[from] millrace_runtime::message::Error),
    /// A clock cannot start or write.
    #[error(transparent)]
    Wall(#[from] millrace_runtime::wall::Error),
    /// Rows or records are not what this version reads and writes.
    #[error("{0}")]
    Internal(String),
}

impl Error {
    /// One that has no words of its own here.
    pub(super) fn internal(error: impl std::fmt::Display) -> Self {
        Self::Internal(error.to_string())
    }
}

impl From<Error> for millrace_runtime::task::TaskError {
    fn from(error: Error) -> Self {
        Self(error.to_string())
    }
}
