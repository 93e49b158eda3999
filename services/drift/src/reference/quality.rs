//! Constraints on data quality, learnt from a reference and kept as a TOML file that people edit.

use std::collections::BTreeMap;

use super::Reference;

/// What must hold of every window. `None`: not checked.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Quality {
    /// Largest share of rows whose id came before in the window.
    pub max_duplicate_share: Option<f64>,
    /// How long the topic may be silent, ms.
    pub max_silence_ms: Option<i64>,
    /// Fewest rows per day.
    pub min_rows_per_day: Option<f64>,
    /// Most rows per day.
    pub max_rows_per_day: Option<f64>,
    /// By column.
    pub columns: BTreeMap<String, ColumnQuality>,
}

/// What must hold of a column in every window. `None`: not checked.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ColumnQuality {
    /// Largest share of missing rows.
    pub max_missing_share: Option<f64>,
    /// Largest share of rows that are not of the column's kind.
    pub max_mistyped_share: Option<f64>,
    /// Smallest value.
    pub min: Option<f64>,
    /// Largest value.
    pub max: Option<f64>,
    /// Largest share of rows outside `min..=max`.
    pub max_outside_share: Option<f64>,
    /// All values there may be.
    pub categories: Option<Vec<String>>,
    /// Largest share of rows with a value that the reference (or `categories`) does not have.
    pub max_new_share: Option<f64>,
}

/// Why a quality file is not one: names file, line and key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {message}")]
pub struct QualityError {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with which key.
    pub message: String,
}

impl Quality {
    /// From a reference's blocks.
    pub fn learn(reference: &Reference) -> Self {
        unimplemented!()
    }

    /// As TOML, with comments.
    pub fn to_toml(&self) -> String {
        unimplemented!()
    }

    /// From TOML; `file` is named in errors.
    pub fn from_toml(file: &str, text: &str) -> Result<Self, QualityError> {
        unimplemented!()
    }
}
