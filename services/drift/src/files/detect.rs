//! Where a change detector alarms on a column of a file.

use std::collections::BTreeMap;
use std::path::Path;

use arrow::array::{Array, AsArray as _};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use millrace_files::{Error as ReadError, open};
use millrace_statistics::detectors::{self, Detector, Parameters, Signal};
use serde::Serialize;

/// What a detector said of a column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Detected {
    /// The detector: `adwin`.
    pub method: String,
    /// The column it watched.
    pub column: String,
    /// Every parameter it had.
    pub parameters: BTreeMap<String, String>,
    /// Rows of the file.
    pub rows: u64,
    /// Rows without a value; the detector has not seen them.
    pub missing: u64,
    /// Rows (from 0) at which it signalled a change.
    pub alarms: Vec<u64>,
    /// Rows (from 0) at which it signalled that a change may be under way.
    pub warnings: Vec<u64>,
}

/// Why nothing was detected.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// There is no such detector or parameter.
    #[error(transparent)]
    Detector(#[from] detectors::Error),
    /// A value is none that the detector takes.
    #[error("{file}: column {column}, row {row} (from 0): {message}")]
    Value {
        /// The file.
        file: String,
        /// The column.
        column: String,
        /// The row, from 0.
        row: u64,
        /// What is wrong.
        message: String,
    },
}

/// Runs the detector `method` over a column of a Parquet or CSV file, row by row. `parameters` replace calibrated ones,
/// by name. Booleans count as 0 and 1.
///
/// # Errors
/// The file has no such column or cannot be read, there is no such detector or parameter, or a value is none that the
/// detector takes.
pub fn detect(
    file: &Path,
    column: &str,
    method: &str,
    parameters: &[(String, String)],
) -> Result<Detected, Error> {
    let mut made = Parameters::calibrated(method)?;
    for (name, value) in parameters {
        made.set(name, value)?;
    }
    let mut detector = Detector::new(made)?;
    let mut found = Detected {
        method: method.to_owned(),
        column: column.to_owned(),
        parameters: made.entries().into_iter().map(|(name, text)| (name.to_owned(), text)).collect(),
        rows: 0,
        missing: 0,
        alarms: Vec::new(),
        warnings: Vec::new(),
    };
    let refuse = |row, message: String| Error::Value {
        file: file.display().to_string(),
        column: column.to_owned(),
        row,
        message,
    };
    for batch in open(file, Some(&[column.to_owned()]))? {
        let batch = batch?;
        let values = batch.column(0);
        if !(values.data_type().is_numeric() || *values.data_type() == DataType::Boolean) {
            return Err(refuse(
                found.rows,
                format!("a detector watches numbers, not {}", values.data_type()),
            ));
        }
        let values =
            cast(values, &DataType::Float64).map_err(|error| refuse(found.rows, error.to_string()))?;
        for value in values.as_primitive::<Float64Type>() {
            match value {
                Some(value) => match detector.update(value).map_err(|e| refuse(found.rows, e.to_string()))? {
                    Signal::Drift => found.alarms.push(found.rows),
                    Signal::Warning => found.warnings.push(found.rows),
                    Signal::None => {}
                },
                None => found.missing += 1,
            }
            found.rows += 1;
        }
    }
    Ok(found)
}

#[cfg(test)]
#[path = "detect_tests.rs"]
mod tests;
