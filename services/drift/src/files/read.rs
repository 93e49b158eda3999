//! Reads Parquet and CSV files as Arrow batches of one schema.

use std::path::Path;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;

/// Why a data file cannot be read; names the file, and the column or line where there is one.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {message}")]
pub struct Error {
    /// The file.
    pub file: String,
    /// What is wrong, and what to do.
    pub message: String,
}

/// The batches of a file.
pub struct FileReader {
    schema: SchemaRef,
}

/// Opens a file: `.parquet`, or `.csv` / `.tsv` with a header line (types are inferred from the whole file; empty cells
/// are null). `columns`: those to read, `None` for all; a column that the file does not have is an error.
pub fn open(path: &Path, columns: Option<&[String]>) -> Result<FileReader, Error> {
    unimplemented!()
}

impl FileReader {
    /// The columns read.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }
}

impl Iterator for FileReader {
    type Item = Result<RecordBatch, Error>;
    fn next(&mut self) -> Option<Self::Item> {
        unimplemented!()
    }
}
