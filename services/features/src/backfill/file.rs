//! One source's Parquet file, read as the topic's rows.

use std::collections::HashSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, new_null_array};
use arrow::compute::{cast, filter};
use arrow::datatypes::{DataType, Field, Int64Type, SchemaRef, TimeUnit};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use super::Partitions;
use super::cast::{Fault, cast_exactly, castable, shown};
use super::chain::lanes_of;
use super::report::Counting;
use crate::error::Error;
use crate::exec::SourceRows;
use crate::exec::text::key_text;
use crate::sql::Source;

/// A file with the batch of it that is being taken.
pub(super) struct SourceFile {
    path: PathBuf,
    reader: ParquetRecordBatchReader,
    source: Source,
    /// Per column of the source, its name in the reader's batches if the view needs it and the file has it.
    read: Vec<bool>,
    partitions: Partitions,
    rows: u64,
    /// Rows of the file that the batches so far held.
    fetched: u64,
    ended: bool,
    batch: Batch,
}

#[derive(Default)]
struct Batch {
    columns: Vec<ArrayRef>,
    /// Record times, in µs.
    time: Vec<i64>,
    lane: Vec<u32>,
    place: Vec<i64>,
    next: usize,
}

impl SourceFile {
    /// Opens a file. `needed`: indices of the source's columns that the view needs.
    pub(super) fn open(
        path: &Path,
        source: &Source,
        needed: &[usize],
        partitions: Partitions,
        chunk: usize,
    ) -> Result<Self, Error> {
        let fault = |message: String| Error::File { file: path.to_owned(), message };
        let file = File::open(path).map_err(|error| fault(format!("cannot be opened: {error}")))?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(file)
            .map_err(|error| fault(format!("is no Parquet file that can be read: {error}")))?;
        let schema = builder.schema().clone();
        no_duplicates(path, &schema)?;
        let mut read = vec![false; source.schema.fields().len()];
        for (i, field) in source.schema.fields().iter().enumerate() {
            let found = check(path, &schema, field)?;
            let wanted = needed.contains(&i) || *field.name() == source.key || *field.name() == source.time;
            read[i] = found && wanted;
        }
        let names = source
            .schema
            .fields()
            .iter()
            .zip(&read)
            .filter(|(_, read)| **read)
            .map(|(f, _)| f.name().as_str());
        let mask = ProjectionMask::columns(builder.parquet_schema(), names);
        let rows = u64::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or_default();
        let reader = builder
            .with_projection(mask)
            .with_batch_size(chunk)
            .build()
            .map_err(|error| fault(format!("cannot be read: {error}")))?;
        let (path, source) = (path.to_owned(), source.clone());
        Ok(Self {
            path,
            reader,
            source,
            read,
            partitions,
            rows,
            fetched: 0,
            ended: false,
            batch: Batch::default(),
        })
    }

    /// Reads on if the batch is used up.
    pub(super) fn fill(&mut self, counting: &mut Counting) -> Result<(), Error> {
        while self.next_time().is_none() && !self.ended {
            match self.reader.next() {
                Some(Ok(batch)) => self.take(&batch, counting)?,
                Some(Err(error)) => {
                    let message = format!("cannot be read further: {error}");
                    return Err(Error::File { file: self.path.clone(), message });
                }
                None => self.ended = true,
            }
        }
        Ok(())
    }

    fn take(&mut self, batch: &RecordBatch, counting: &mut Counting) -> Result<(), Error> {
        let first = self.fetched;
        self.fetched += batch.num_rows() as u64;
        let fields = self.source.schema.fields();
        let mut columns = Vec::with_capacity(fields.len());
        for (field, read) in fields.iter().zip(&self.read) {
            columns.push(if *read {
                self.column(batch, field, first)?
            } else {
                new_null_array(field.data_type(), batch.num_rows())
            });
        }
        let time = millis(self.named(&columns, &self.source.time))?;
        let mut rows: Vec<u64> = (first..self.fetched).collect();
        let good: Vec<bool> = time.iter().map(|time| time.is_some_and(|time| time >= 0)).collect();
        if good.contains(&false) {
            let bad = rows.iter().zip(&time).zip(&good).filter(|(_, good)| !**good);
            for ((row, time), _) in bad {
                let (reason, detail) = match time {
                    Some(ms) => ("time_before_1970", format!("{} is {ms} ms", self.source.time)),
                    None => ("null_time", format!("the record time {} is NULL", self.source.time)),
                };
                counting.reject(&self.path, reason, *row, &detail);
            }
            let mask = BooleanArray::from(good.clone());
            columns = columns.iter().map(|column| filter(column, &mask)).collect::<Result<_, _>>()?;
            let mut keep = good.iter();
            rows.retain(|_| keep.next().copied().unwrap_or_default());
        }
        let lanes = lanes_of(&key_text(self.named(&columns, &self.source.key))?, self.partitions);
        let lane = lanes.values().to_vec();
        let place = rows.iter().zip(&lane).map(|(row, lane)| {
            (i64::from(*lane) << 48) | (i64::try_from(*row).unwrap_or(i64::MAX) & 0xffff_ffff_ffff)
        });
        let time =
            time.iter().flatten().filter(|time| *time >= 0).map(|ms| ms.saturating_mul(1_000)).collect();
        self.batch = Batch { place: place.collect(), columns, time, lane, next: 0 };
        Ok(())
    }

    fn named<'a>(&self, columns: &'a [ArrayRef], name: &str) -> &'a ArrayRef {
        // Both were found in the source's schema when the view was planned.
        &columns[self.source.schema.index_of(name).unwrap_or_default()]
    }

    /// A column cast to the topic's type.
    fn column(&self, batch: &RecordBatch, field: &Field, first: u64) -> Result<ArrayRef, Error> {
        let fault = |message: String| Error::FileColumn {
            file: self.path.clone(),
            column: field.name().clone(),
            message,
        };
        let Some(column) = batch.column_by_name(field.name()) else {
            return Err(fault("is missing".to_owned()));
        };
        let kind = field.data_type();
        let cast = cast_exactly(column, kind).map_err(|error| match error {
            Fault::Value(row, what) => {
                fault(format!("row {}: {} {what} {kind}", first + row as u64, shown(column, row)))
            }
            Fault::Column(error) => fault(format!("cannot be read as {kind}: {error}")),
        })?;
        // A NULL key is a row's fault, not the file's: such rows are rejected.
        if !field.is_nullable() && *field.name() != self.source.key && cast.null_count() > 0 {
            let row = (0..cast.len()).find(|row| cast.is_null(*row)).unwrap_or_default() as u64 + first;
            return Err(fault(format!("is NULL in row {row}, and the topic's schema does not allow NULL")));
        }
        Ok(cast)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// How many rows were taken.
    pub(super) fn done(&self) -> u64 {
        self.fetched - (self.batch.time.len() - self.batch.next) as u64
    }

    /// The record time of the next row of the batch.
    pub(super) fn next_time(&self) -> Option<i64> {
        self.batch.time.get(self.batch.next).copied()
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.ended && self.next_time().is_none()
    }

    /// The next row's index in the batch.
    pub(super) fn position(&self) -> usize {
        self.batch.next
    }

    pub(super) fn advance(&mut self) {
        self.batch.next += 1;
    }

    /// The row of the file that a row of the batch is.
    pub(super) fn row_number(&self, row: usize) -> u64 {
        self.batch.place.get(row).map_or(0, |place| place.cast_unsigned() & 0xffff_ffff_ffff)
    }

    /// The columns from a row of the batch up to the next one to take.
    pub(super) fn columns(&self, from: usize) -> Vec<ArrayRef> {
        self.batch.columns.iter().map(|column| column.slice(from, self.batch.next - from)).collect()
    }

    pub(super) fn source_rows<'a>(&'a self, from: usize, columns: &'a [ArrayRef]) -> SourceRows<'a> {
        let rows = from..self.batch.next;
        SourceRows {
            columns,
            record_time: &self.batch.time[rows.clone()],
            place: &self.batch.place[rows.clone()],
            lane: &self.batch.lane[rows],
        }
    }
}

/// Refuses a file in which a name means two columns.
fn no_duplicates(path: &Path, schema: &SchemaRef) -> Result<(), Error> {
    let mut names = HashSet::new();
    match schema.fields().iter().find(|field| !names.insert(field.name())) {
        Some(twice) => Err(Error::FileColumn {
            file: path.to_owned(),
            column: twice.name().clone(),
            message: "is there more than once; rename one of them".to_owned(),
        }),
        None => Ok(()),
    }
}

/// Whether the file has a column, and can give it as the topic's.
fn check(path: &Path, schema: &SchemaRef, field: &Field) -> Result<bool, Error> {
    let fault =
        |message: String| Error::FileColumn { file: path.to_owned(), column: field.name().clone(), message };
    match schema.field_with_name(field.name()) {
        Ok(found) if castable(found.data_type(), field.data_type()) => Ok(true),
        Ok(found) => {
            Err(fault(format!("is {}, which cannot be read as {}", found.data_type(), field.data_type())))
        }
        Err(_) if field.is_nullable() => Ok(false),
        Err(_) => Err(fault("is missing, and the topic's schema does not allow NULL".to_owned())),
    }
}

/// A time column in ms; integers are taken as ms.
fn millis(column: &ArrayRef) -> Result<Int64Array, Error> {
    let column = match column.data_type() {
        DataType::Timestamp(_, zone) => {
            cast(column, &DataType::Timestamp(TimeUnit::Millisecond, zone.clone()))?
        }
        _ => column.clone(),
    };
    Ok(cast(&column, &DataType::Int64)?.as_primitive::<Int64Type>().clone())
}
