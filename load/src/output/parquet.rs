//! A stream as two Parquet files.

use std::fs::{File, create_dir_all};
use std::path::Path;

use anyhow::{Context, Result};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use crate::fraud::{Label, Payment, Stream, labels_batch, labels_schema, payments_batch, payments_schema};
use crate::ranking::{Request, World, judged_batch, requests_batch};

const ROWS_PER_BATCH: usize = 65_536;

/// Writes `transactions.parquet` and `labels.parquet` into a folder (made where it is missing): every payment of the
/// stream and the labels that come, each file in the order of its record time.
pub fn write(stream: &Stream, dir: &Path) -> Result<()> {
    create_dir_all(dir).with_context(|| format!("cannot make the folder {}", dir.display()))?;
    let payments = stream.payments().chunks(ROWS_PER_BATCH);
    let labelled = stream.labelled().chunks(ROWS_PER_BATCH);
    let to_labels = |rows: &[Payment]| -> Vec<Label> {
        rows.iter().map(|payment| Label::of(payment, stream.label_delay_ms())).collect()
    };
    let labels = labelled.map(|rows| Ok(labels_batch(&to_labels(rows))?));
    write_file(
        &dir.join("transactions.parquet"),
        payments_schema(),
        payments.map(|rows| Ok(payments_batch(rows)?)),
    )?;
    write_file(&dir.join("labels.parquet"), labels_schema(), labels)
}

/// Writes `requests.parquet` into a folder (made where it is missing), with what a judge says of each candidate where
/// `judged`.
pub fn write_requests(
    world: &World,
    requests: impl Iterator<Item = Request>,
    judged: bool,
    dir: &Path,
) -> Result<()> {
    create_dir_all(dir).with_context(|| format!("cannot make the folder {}", dir.display()))?;
    let batch = |rows: &[Request]| match judged {
        true => judged_batch(world, rows),
        false => requests_batch(world, rows),
    };
    let schema = batch(&[])?.schema();
    let mut requests = requests;
    let chunks = std::iter::from_fn(|| {
        let rows: Vec<Request> = requests.by_ref().take(ROWS_PER_BATCH / 16).collect();
        (!rows.is_empty()).then_some(rows)
    });
    write_file(&dir.join("requests.parquet"), schema, chunks.map(|rows| Ok(batch(&rows)?)))
}

fn write_file(
    path: &Path,
    schema: SchemaRef,
    batches: impl Iterator<Item = Result<RecordBatch>>,
) -> Result<()> {
    let write = || -> Result<()> {
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let mut writer = ArrowWriter::try_new(File::create(path)?, schema, Some(properties))?;
        for batch in batches {
            writer.write(&batch?)?;
        }
        writer.close()?;
        Ok(())
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use arrow::compute::concat_batches;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    use super::*;
    use crate::fraud::{Params, stream};

    fn read(path: &Path) -> RecordBatch {
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
        let schema = reader.schema().clone();
        let batches: Vec<RecordBatch> = reader.build().unwrap().map(Result::unwrap).collect();
        concat_batches(&schema, &batches).unwrap()
    }

    #[test]
    fn the_files_hold_the_payments_and_their_labels() {
        let params = Params { customers: 60, terminals: 100, days: 10, radius: 20.0, ..Params::default() };
        let dir = tempfile::tempdir().unwrap();
        let stream = stream(&params).limit(700);
        write(&stream, &dir.path().join("made")).unwrap();
        let labels: Vec<Label> =
            stream.payments().iter().map(|p| Label::of(p, params.label_delay_ms)).collect();
        let made = dir.path().join("made");
        assert_eq!(read(&made.join("transactions.parquet")), payments_batch(stream.payments()).unwrap());
        assert_eq!(read(&made.join("labels.parquet")), labels_batch(&labels).unwrap());
    }
}
