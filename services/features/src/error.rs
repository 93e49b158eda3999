//! What can go wrong once a view is planned.

use std::path::PathBuf;

/// A fault of a view at work. What is wrong with a row is none: such a row is rejected.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// DataFusion cannot evaluate the view's expressions.
    #[error("the view's expressions cannot be evaluated: {0}")]
    Expression(#[from] datafusion_common::DataFusionError),
    /// Columns do not fit the plan.
    #[error("columns do not fit the view: {0}")]
    Columns(#[from] arrow::error::ArrowError),
    /// The windows refuse their rows or their definition.
    #[error("windows: {0}")]
    Windows(#[from] crate::window::Error),
    /// Rows arrived without a column that the view needs.
    #[error(
        "the rows of stage {stage} have no column {column}; the internal topic was written by another plan"
    )]
    MissingColumn {
        /// The stage, from 0.
        stage: usize,
        /// The column.
        column: String,
    },
    /// A file cannot be opened, read or written.
    #[error("{}: {message}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What failed, and what to do.
        message: String,
    },
    /// A file does not hold the topic's rows.
    #[error("{}: column {column}: {message}", file.display())]
    FileColumn {
        /// The file.
        file: PathBuf,
        /// The column.
        column: String,
        /// What is wrong with it.
        message: String,
    },
    /// A backfill was asked for something that the view does not have.
    #[error("{0}")]
    Backfill(String),
}
