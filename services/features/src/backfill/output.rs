//! The Parquet file that a backfill writes: at its place only when it is whole.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use crate::error::Error;

/// A file being written beside its final place.
pub(super) struct OutputFile {
    place: PathBuf,
    partial: PathBuf,
    schema: SchemaRef,
    writer: Option<ArrowWriter<File>>,
}

impl OutputFile {
    pub(super) fn create(place: &Path, schema: &SchemaRef) -> Result<Self, Error> {
        let mut partial = place.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let file = File::create(&partial).map_err(|error| fault(&partial, "cannot be created", error))?;
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let writer = ArrowWriter::try_new(file, schema.clone(), Some(properties))
            .map_err(|error| fault(&partial, "cannot be written", error))?;
        Ok(Self { place: place.to_owned(), partial, schema: schema.clone(), writer: Some(writer) })
    }

    /// Appends rows.
    pub(super) fn write(&mut self, rows: &RecordBatch) -> Result<(), Error> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        if rows.num_rows() == 0 {
            return Ok(());
        }
        let rows = RecordBatch::try_new(self.schema.clone(), rows.columns().to_vec())?;
        writer.write(&rows).map_err(|error| fault(&self.partial, "cannot be written", error))
    }

    /// Ends the file and moves it to its place.
    pub(super) fn finish(mut self) -> Result<(), Error> {
        if let Some(writer) = self.writer.take() {
            writer.close().map_err(|error| fault(&self.partial, "cannot be written", error))?;
            fs::rename(&self.partial, &self.place)
                .map_err(|error| fault(&self.place, "cannot be created", error))?;
        }
        Ok(())
    }
}

impl Drop for OutputFile {
    fn drop(&mut self) {
        if self.writer.take().is_some() {
            // What failed is already being said; a file left behind is named `.partial`.
            let _ = fs::remove_file(&self.partial);
        }
    }
}

fn fault(file: &Path, what: &str, error: impl std::fmt::Display) -> Error {
    Error::File { file: file.to_owned(), message: format!("{what}: {error}") }
}
