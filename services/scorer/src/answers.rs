//! What one version says of the rows of a batch.

use std::time::Duration;

use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;

use crate::Error;
use crate::envelope::take;
use crate::version::{Scored, Version};

/// What a version says of a row.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Answer {
    /// It was not asked.
    #[default]
    NotAsked,
    /// A finite score.
    Score(f64),
    /// An input is missing, and the version takes no default for it: which.
    Missing(String),
    /// The score is infinite or NaN.
    NotFinite(f64),
    /// The model cannot run on the row: why.
    Failed(String),
}

impl Answer {
    /// The score that is to be acted on; else the class of the fault for which the row is rejected, and what it is.
    pub fn score(&self, version: &Version) -> Result<f64, (&'static str, String)> {
        let model = version.reference();
        match self {
            Self::Score(score) => Ok(*score),
            Self::Missing(what) => Err(("missing_input", what.clone())),
            Self::NotFinite(score) => Err(("score_not_finite", format!("model {model} gives {score}"))),
            Self::Failed(why) => Err(("model_failed", why.clone())),
            Self::NotAsked => Err(("model_failed", format!("model {model} was not asked"))),
        }
    }
}

/// What a version says of a batch.
#[derive(Debug, Default)]
pub struct Answers {
    /// One a row of the batch.
    pub answers: Vec<Answer>,
    /// Whether an input of the row had its default, one a row of the batch.
    pub defaulted: Vec<bool>,
    /// How long the model ran.
    pub took: Duration,
}

/// Why a version that must not fail could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The rows do not become a matrix.
    #[error("feature rows cannot be scored: {0}")]
    Rows(#[from] ArrowError),
    /// The model cannot run.
    #[error(transparent)]
    Model(#[from] Error),
}

/// Asks a version for the rows at the indices `asked`, in one run. `may_fail`: where the model cannot run on all rows
/// together, each is tried alone, and only those on which it fails have no score; else that is an error.
pub fn ask(version: &Version, rows: &RecordBatch, asked: &[u32], may_fail: bool) -> Result<Answers, Failure> {
    let mut said = Answers {
        answers: vec![Answer::NotAsked; rows.num_rows()],
        defaulted: vec![false; rows.num_rows()],
        took: Duration::ZERO,
    };
    if asked.is_empty() {
        return Ok(said);
    }
    let matrix = version.columns.matrix(&take(rows, asked)?)?;
    for (row, what) in matrix.rejected {
        said.answers[asked[row as usize] as usize] = Answer::Missing(what);
    }
    for row in matrix.defaulted {
        said.defaulted[asked[row as usize] as usize] = true;
    }
    let Scored { scores, took } =
        if may_fail { version.score_each(&matrix.values) } else { version.score_all(&matrix.values)? };
    said.took = took;
    for (row, score) in matrix.rows.into_iter().zip(scores) {
        said.answers[asked[row as usize] as usize] = match score {
            Ok(score) if score.is_finite() => Answer::Score(score),
            Ok(score) => Answer::NotFinite(score),
            Err(why) => Answer::Failed(why),
        };
    }
    Ok(said)
}
