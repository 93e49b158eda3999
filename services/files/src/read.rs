//! Reads Parquet, CSV and JSON lines files as Arrow batches of one schema.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use arrow::json::reader::infer_json_schema;
use arrow::json::{Reader as JsonReader, ReaderBuilder as JsonReaderBuilder};
use arrow::record_batch::{RecordBatch, RecordBatchReader};
use arrow_csv::reader::{BufReader as CsvReader, Format, ReaderBuilder};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

/// Why a data file cannot be read; names the file, and the column or line where there is one.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {message}")]
pub struct Error {
    /// The file.
    pub file: String,
    /// What is wrong, and what to do.
    pub message: String,
}

impl Error {
    /// About a file.
    pub fn new(file: &Path, message: impl Into<String>) -> Self {
        Self { file: file.display().to_string(), message: message.into() }
    }
}

/// The batches of a file, in its order.
pub struct FileReader {
    file: std::path::PathBuf,
    schema: SchemaRef,
    batches: Batches,
}

enum Batches {
    Parquet(ParquetRecordBatchReader),
    Csv(Box<CsvReader<BufReader<File>>>),
    Json(Box<JsonReader<BufReader<File>>>),
}

/// Cells a batch holds: small enough for the cache of a core, large enough that a column's overhead does not show.
const BATCH_CELLS: usize = 1 << 18;

/// Opens a file: `.parquet`, or `.csv` / `.tsv` with a header line (types are inferred from the whole file; empty cells
/// are null), or `.jsonl` / `.ndjson`, an object a line (likewise; what an object does not have is null). `columns`: those to read, `None` for all; a column that the file does not have is an error.
pub fn open(path: &Path, columns: Option<&[String]>) -> Result<FileReader, Error> {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_lowercase();
    match extension.as_str() {
        "parquet" | "pq" => parquet(path, columns),
        "csv" => csv(path, columns, b','),
        "tsv" => csv(path, columns, b'\t'),
        "jsonl" | "ndjson" => json_lines(path, columns),
        _ => Err(Error::new(path, "is neither .parquet nor .csv nor .tsv nor .jsonl by its name")),
    }
}

fn file(path: &Path) -> Result<File, Error> {
    File::open(path).map_err(|error| Error::new(path, format!("cannot be opened: {error}")))
}

/// The places of the wanted columns in a file, in the file's order.
fn places(path: &Path, schema: &Schema, columns: Option<&[String]>) -> Result<Vec<usize>, Error> {
    let Some(columns) = columns else { return Ok((0..schema.fields().len()).collect()) };
    let place = |name: &String| {
        schema.index_of(name).map_err(|_| {
            let names: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).take(30).collect();
            Error::new(path, format!("has no column `{name}`; it has {}", names.join(", ")))
        })
    };
    let mut places = columns.iter().map(place).collect::<Result<Vec<usize>, Error>>()?;
    places.sort_unstable();
    places.dedup();
    Ok(places)
}

fn batch_rows(columns: usize) -> usize {
    (BATCH_CELLS / columns.max(1)).clamp(1_024, 16_384)
}

fn parquet(path: &Path, columns: Option<&[String]>) -> Result<FileReader, Error> {
    let fault = |error| Error::new(path, format!("is no Parquet file that can be read: {error}"));
    let builder = ParquetRecordBatchReaderBuilder::try_new(file(path)?).map_err(fault)?;
    let places = places(path, builder.schema(), columns)?;
    let mask = ProjectionMask::roots(builder.parquet_schema(), places.iter().copied());
    let batch_rows = batch_rows(places.len());
    let reader = builder.with_projection(mask).with_batch_size(batch_rows).build().map_err(fault)?;
    let schema = reader.schema();
    Ok(FileReader { file: path.to_owned(), schema, batches: Batches::Parquet(reader) })
}

fn csv(path: &Path, columns: Option<&[String]>, delimiter: u8) -> Result<FileReader, Error> {
    let fault = |error| Error::new(path, plain(&error));
    let format = Format::default().with_header(true).with_delimiter(delimiter);
    let (schema, rows) = format.infer_schema(BufReader::new(file(path)?), None).map_err(fault)?;
    if rows == 0 {
        return Err(Error::new(
            path,
            "has no rows; a first line of column names and at least one row are needed",
        ));
    }
    let places = places(path, &schema, columns)?;
    let builder = ReaderBuilder::new(Arc::new(schema.clone())).with_format(format);
    let builder = builder.with_batch_size(batch_rows(places.len())).with_projection(places.clone());
    let reader = builder.build_buffered(BufReader::new(file(path)?)).map_err(fault)?;
    let schema = schema.project(&places).map_err(fault)?;
    Ok(FileReader {
        file: path.to_owned(),
        schema: Arc::new(schema),
        batches: Batches::Csv(Box::new(reader)),
    })
}

fn json_lines(path: &Path, columns: Option<&[String]>) -> Result<FileReader, Error> {
    let fault = |error| Error::new(path, plain(&error));
    let (schema, rows) = infer_json_schema(BufReader::new(file(path)?), None).map_err(|error| {
        let wrong = wrong_line(path).map(|line| format!("line {line}: ")).unwrap_or_default();
        Error::new(path, format!("{wrong}{}", plain(&error)))
    })?;
    if rows == 0 {
        return Err(Error::new(path, "has no rows; at least one line with an object is needed"));
    }
    let places = places(path, &schema, columns)?;
    let schema = Arc::new(schema.project(&places).map_err(fault)?);
    // A column of numbers and texts is one of texts.
    let builder = JsonReaderBuilder::new(schema.clone()).with_coerce_primitive(true);
    let builder = builder.with_batch_size(batch_rows(places.len()));
    let reader = builder.build(BufReader::new(file(path)?)).map_err(fault)?;
    Ok(FileReader { file: path.to_owned(), schema, batches: Batches::Json(Box::new(reader)) })
}

/// The first line, from 1, that is no JSON object: the inference does not say.
fn wrong_line(path: &Path) -> Option<usize> {
    let lines = BufReader::new(File::open(path).ok()?).lines();
    let is_wrong =
        |line: &String| !line.trim().is_empty() && infer_json_schema(line.as_bytes(), None).is_err();
    lines.map_while(Result::ok).position(|line| is_wrong(&line)).map(|at| at + 1)
}

/// The error as a person reads it: without the name of its type before it.
fn plain(error: &arrow::error::ArrowError) -> String {
    let text = error.to_string();
    let text = ["Csv error: ", "Json error: ", "Parser error: "]
        .iter()
        .find_map(|prefix| text.strip_prefix(prefix))
        .unwrap_or(&text);
    text.to_owned()
}

impl FileReader {
    /// The columns read, in the file's order.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }
}

impl Iterator for FileReader {
    type Item = Result<RecordBatch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = match &mut self.batches {
            Batches::Parquet(reader) => reader.next(),
            Batches::Csv(reader) => reader.next(),
            Batches::Json(reader) => reader.next(),
        };
        next.map(|batch| batch.map_err(|error| Error::new(&self.file, plain(&error))))
    }
}
