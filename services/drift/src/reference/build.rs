//! A reference from training data in files, in two passes of bounded memory: the plan first, then the profiles.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{Error, Reference};
use crate::profile::{Bounds, Kind};

/// How a reference is built.
#[derive(Debug, Clone, Default)]
pub struct BuildOptions {
    /// Columns to watch; empty: all but the time, id, label and score columns and those of types not watched.
    pub columns: Vec<String>,
    /// Kinds that are not to be inferred.
    pub kinds: BTreeMap<String, Kind>,
    /// The column of the record time; `None`: all rows are one block.
    pub time: Option<String>,
    /// The column of the row's id; `None`: rows are told apart by their place in the file.
    pub id: Option<String>,
    /// The columns of segments.
    pub segments: Vec<String>,
    /// The columns of score and label, for estimates of performance.
    pub score: Option<String>,
    /// See `score`.
    pub label: Option<String>,
    /// The column of the time at which the label came, for the label-delay curve.
    pub label_time: Option<String>,
    /// Length of a block, ms; `None`: a day.
    pub block_ms: Option<i64>,
    /// Rows of `[from_ms, to_ms)` alone.
    pub from_ms: Option<i64>,
    /// See `from_ms`.
    pub to_ms: Option<i64>,
    /// Bounds; `None`: those of [`Bounds::of_columns`].
    pub bounds: Option<Bounds>,
}

/// Builds a reference from Parquet or CSV files.
pub fn build(files: &[PathBuf], options: &BuildOptions) -> Result<Reference, Error> {
    unimplemented!()
}
