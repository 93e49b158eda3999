//! What keeps the service from running.

use millrace_topics::Problem;

/// Why the service cannot run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The application's topic files.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Problems(Vec<Problem>),
    /// The reference.
    #[error(transparent)]
    Reference(#[from] crate::reference::Error),
    /// A file of the model repository.
    #[error("{file}: {message}")]
    ModelFile {
        /// Its path.
        file: String,
        /// What is wrong.
        message: String,
    },
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
    /// A record of an internal topic is not what this version writes.
    #[error("{0}")]
    Internal(String),
}

impl From<Error> for millrace_runtime::task::TaskError {
    fn from(error: Error) -> Self {
        Self(error.to_string())
    }
}
