//! What can go wrong with models and deployments.

use std::path::PathBuf;

/// Why a model cannot be used, or the scorer cannot run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of the model repository cannot be read.
    #[error("{}: {source}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A `model.toml` does not say what it must, or says what is not so.
    #[error("{}: {message}", file.display())]
    ModelFile {
        /// The file.
        file: PathBuf,
        /// The key or line, and what is wrong with it.
        message: String,
    },
    /// The ONNX Runtime library is nowhere, or cannot be used.
    #[error("{0}")]
    Library(String),
    /// ONNX Runtime cannot load or run a model, or the model's signature is not what its `model.toml` says.
    #[error("model {model}: {message}")]
    Model {
        /// `<model>/<version>`.
        model: String,
        /// What is wrong.
        message: String,
    },
    /// A model does not fit the feature view that it is deployed on.
    #[error("model {model} does not fit the columns of {features}:\n{}", problems.join("\n"))]
    Misfit {
        /// `<model>/<version>`.
        model: String,
        /// The feature topic.
        features: String,
        /// One line per input that does not fit.
        problems: Vec<String>,
    },
    /// A deployment event says what no scorer can follow.
    #[error("deployment {offset} of {topic}: {message}")]
    Deployment {
        /// The stem of the prediction topic.
        topic: String,
        /// The event's offset.
        offset: i64,
        /// What is wrong.
        message: String,
    },
    /// The application does not say what the scorer needs.
    #[error("{0}")]
    Application(String),
    /// Kafka cannot be asked for deployments.
    #[error("cannot read deployments from {topic}: {message}")]
    Deployments {
        /// The Kafka topic.
        topic: String,
        /// What the client says.
        message: String,
    },
}
