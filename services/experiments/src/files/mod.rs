//! The same code on files: rows of unit, arm and values; rankings as JSON lines.

pub mod analyze;
mod conclude;
pub mod evaluate;
pub mod interleave;
mod looks;
pub mod options;
pub mod report;
mod rows;

pub use analyze::{analyze, describe};
pub use interleave::interleave_lines;
pub use options::Options;
pub use report::Report;
pub use rows::Row;

use crate::analysis::off_policy;
use crate::range::OutOfRange;

/// Why a file is not analysed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A value that does not fit.
    #[error("row {row}, {column}: {problem}")]
    Value {
        /// Which row, from 1.
        row: u64,
        /// Which column.
        column: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// Nothing to compare.
    #[error("{0} arm found: two are needed")]
    Arms(usize),
    /// An arm that no row has.
    #[error("no row has the arm `{0}`")]
    NoSuchArm(String),
    /// An arm of the rows whose share is not said, though others are.
    #[error("arm `{0}` has rows and no share: write --share for every arm, or for none")]
    NoShare(String),
    /// An option outside its range.
    #[error(transparent)]
    Option(#[from] OutOfRange),
    /// Logs that give no estimate.
    #[error(transparent)]
    OffPolicy(#[from] off_policy::Error),
    /// What reads the rows: the file, with its column or line.
    #[error("{0}")]
    Source(String),
    /// A line of rankings that does not fit.
    #[error("line {line}: {problem}")]
    Line {
        /// Which line, from 1.
        line: u64,
        /// What is wrong.
        problem: String,
    },
    /// The file itself.
    #[error("line {line}: {source}")]
    Io {
        /// Which line, from 1.
        line: u64,
        /// What the system said.
        source: std::io::Error,
    },
}
