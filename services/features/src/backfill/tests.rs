//! Backfills of small files against the features' definition, and files that are not what they should be.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Float64Type, Schema};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::{Input, backfill};
use crate::plan_view;
use crate::testing::{FEATURES, features_by_definition, fraud, labels, payments, transactions};

fn write(path: &Path, rows: &RecordBatch) {
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), rows.schema(), None).unwrap();
    writer.write(rows).unwrap();
    writer.close().unwrap();
}

fn read(path: &Path) -> RecordBatch {
    let reader =
        ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap().build().unwrap();
    let batches: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
    arrow::compute::concat_batches(&batches[0].schema(), &batches).unwrap()
}

fn inputs(folder: &Path) -> Vec<Input> {
    ["transactions", "labels"]
        .map(|source| Input { source: source.into(), file: folder.join(format!("{source}.parquet")) })
        .to_vec()
}

fn numbers(rows: &RecordBatch, name: &str) -> Vec<f64> {
    let column = cast(rows.column_by_name(name).unwrap(), &DataType::Float64).unwrap();
    column.as_primitive::<Float64Type>().iter().map(|value| value.unwrap()).collect()
}

#[test]
fn the_fraud_features_are_those_of_their_definition() {
    let folder = tempfile::tempdir().unwrap();
    let payments = payments(4_000, 80, 7);
    write(&folder.path().join("transactions.parquet"), &transactions(&payments));
    write(&folder.path().join("labels.parquet"), &labels(&payments));
    let app = fraud();
    let topic = app.topics.iter().find(|topic| topic.stem == "features").unwrap();
    let view = plan_view(&app, topic).unwrap();
    let output = folder.path().join("features.parquet");
    let mut told = Vec::new();
    let report =
        backfill(&view, &inputs(folder.path()), &output, &mut |done, total| told.push((done, total)))
            .unwrap();
    assert_eq!((report.rows_in, report.rows_out, report.filtered), (8_000, 4_000, 4_000));
    assert_eq!((report.late, report.rejected.len()), (0, 0));
    assert_eq!(told.last(), Some(&(8_000, 8_000)));
    assert!(told.windows(2).all(|pair| pair[0].0 <= pair[1].0));

    let rows = read(&output);
    assert_eq!(rows.num_rows(), 4_000);
    let ids: Vec<usize> = rows
        .column_by_name("tx_id")
        .unwrap()
        .as_string::<i32>()
        .iter()
        .map(|id| id.unwrap().parse().unwrap())
        .collect();
    assert_eq!(ids, (0..4_000).collect::<Vec<_>>(), "rows leave in the order taken");
    let found = FEATURES.map(|name| numbers(&rows, name));
    for i in 0..payments.len() {
        for ((name, column), expected) in
            FEATURES.iter().zip(&found).zip(features_by_definition(&payments, i))
        {
            let error = (column[i] - expected).abs();
            assert!(error <= 1e-9 * expected.abs(), "{name} of payment {i}: {} is not {expected}", column[i]);
        }
    }
    assert!(found[9].iter().any(|risk| *risk > 0.0), "some terminal has a risk");
}

/// The view over files made by a change to the payments' columns: the error or the report, and the output's place.
fn with_transactions(
    change: impl Fn(Vec<Field>, Vec<ArrayRef>) -> (Vec<Field>, Vec<ArrayRef>),
) -> (String, bool) {
    let folder = tempfile::tempdir().unwrap();
    let payments = payments(50, 3, 1);
    let rows = transactions(&payments);
    let fields = rows.schema().fields().iter().map(|field| field.as_ref().clone()).collect();
    let (fields, columns) = change(fields, rows.columns().to_vec());
    let rows = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap();
    write(&folder.path().join("transactions.parquet"), &rows);
    write(&folder.path().join("labels.parquet"), &labels(&payments));
    let app = fraud();
    let topic = app.topics.iter().find(|topic| topic.stem == "features").unwrap();
    let view = plan_view(&app, topic).unwrap();
    let output: PathBuf = folder.path().join("features.parquet");
    let result = backfill(&view, &inputs(folder.path()), &output, &mut |_, _| {});
    let text = match result {
        Ok(report) => {
            let rejected: Vec<String> = report.rejected.iter().map(ToString::to_string).collect();
            format!("{} out; {}", report.rows_out, rejected.join("; "))
        }
        Err(error) => error.to_string(),
    };
    let left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().ends_with(".partial")), "{left:?}");
    (text.replace(&format!("{}/", folder.path().display()), ""), output.exists())
}

#[test]
fn columns_are_cast_unknown_ones_ignored_and_a_missing_nullable_one_is_null() {
    let (text, written) = with_transactions(|mut fields, mut columns| {
        // Integer ids, times in µs, amounts as text, no country, and a column that the topic does not have.
        let ids: Int64Array = (0..50).collect();
        (fields[0], columns[0]) = (Field::new("tx_id", DataType::Int64, false), Arc::new(ids));
        let micros: TimestampMicrosecondArray = columns[1]
            .as_primitive::<arrow::datatypes::TimestampMillisecondType>()
            .iter()
            .map(|ms| ms.map(|ms| ms * 1_000))
            .collect();
        (fields[1], columns[1]) =
            (Field::new("tx_time", micros.data_type().clone(), false), Arc::new(micros));
        (fields[4], columns[4]) =
            (Field::new("amount", DataType::Utf8, false), cast(&columns[4], &DataType::Utf8).unwrap());
        (fields[5], columns[5]) =
            (Field::new("note", DataType::Float64, true), Arc::new(Float64Array::from(vec![None; 50])));
        (fields, columns)
    });
    assert_eq!((text.as_str(), written), ("50 out; ", true));
}

#[test]
fn a_null_key_is_a_rejected_row_and_costs_no_other() {
    let (text, written) = with_transactions(|mut fields, mut columns| {
        let keys: StringArray = (0..50).map(|i| (i % 20 != 7).then(|| format!("{}", i % 4))).collect();
        (fields[2], columns[2]) = (Field::new("customer_id", DataType::Utf8, true), Arc::new(keys));
        (fields, columns)
    });
    let expected =
        "47 out; transactions.parquet: 3 rows rejected (null_key), the first is row 7: customer_id is NULL";
    assert_eq!((text.as_str(), written), (expected, true));
    let expected = with_transactions(|fields, columns| (fields, columns));
    assert_eq!(expected.0, "50 out; ");
}

#[test]
fn a_file_that_lacks_a_column_or_has_another_type_is_refused_by_file_and_column() {
    let (text, written) = with_transactions(|mut fields, mut columns| {
        fields.remove(4);
        columns.remove(4);
        (fields, columns)
    });
    assert_eq!(
        text,
        "transactions.parquet: column amount: is missing, and the topic's schema does not allow NULL"
    );
    assert!(!written);
    let (text, written) = with_transactions(|mut fields, mut columns| {
        (fields[4], columns[4]) = (Field::new("amount", DataType::Utf8, false), columns[2].clone());
        let broken: StringArray = (0..50).map(|i| Some(if i == 30 { "ten" } else { "10" })).collect();
        columns[4] = Arc::new(broken);
        (fields, columns)
    });
    assert_eq!(text, "transactions.parquet: column amount: row 30: \"ten\" cannot be read as Float64");
    assert!(!written, "no half a file is left");
    let (text, _) = with_transactions(|mut fields, mut columns| {
        let amounts: Float64Array = (0..50).map(|i| (i != 12).then_some(1.0)).collect();
        (fields[4], columns[4]) = (Field::new("amount", DataType::Float64, true), Arc::new(amounts));
        (fields, columns)
    });
    assert_eq!(
        text,
        "transactions.parquet: column amount: is NULL in row 12, and the topic's schema does not allow NULL"
    );
}

#[test]
fn a_value_that_a_cast_would_change_is_refused_by_file_column_row_and_value() {
    let (text, written) = with_transactions(|mut fields, mut columns| {
        let times: Int64Array = (0..50).map(|i| if i == 41 { i64::MAX / 1_000 + 1 } else { i }).collect();
        (fields[1], columns[1]) = (Field::new("tx_time", DataType::Int64, false), Arc::new(times));
        (fields, columns)
    });
    assert_eq!(
        text,
        "transactions.parquet: column tx_time: row 41: 9223372036854776 lies out of the range of Timestamp(ms, \"+00:00\")"
    );
    assert!(!written);
    let (text, written) = with_transactions(|mut fields, mut columns| {
        let ids: Float64Array = (0..50).map(|i| Some(f64::from(i))).collect();
        (fields[2], columns[2]) = (Field::new("customer_id", DataType::Float64, false), Arc::new(ids));
        (fields, columns)
    });
    assert_eq!(text, "transactions.parquet: column customer_id: is Float64, which cannot be read as Utf8");
    assert!(!written);
}

#[test]
fn a_file_with_two_columns_of_one_name_is_refused() {
    let (text, written) = with_transactions(|mut fields, mut columns| {
        fields.push(fields[4].clone());
        columns.push(Arc::clone(&columns[4]));
        (fields, columns)
    });
    assert_eq!(text, "transactions.parquet: column amount: is there more than once; rename one of them");
    assert!(!written);
}

#[test]
fn files_of_every_usual_compression_are_read() {
    let payments = payments(50, 3, 1);
    let rows = transactions(&payments);
    for compression in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::BROTLI(BrotliLevel::default()),
        Compression::LZ4_RAW,
        Compression::ZSTD(ZstdLevel::default()),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let properties = WriterProperties::builder().set_compression(compression).build();
        let file = File::create(folder.path().join("transactions.parquet")).unwrap();
        let mut writer = ArrowWriter::try_new(file, rows.schema(), Some(properties)).unwrap();
        writer.write(&rows).unwrap();
        writer.close().unwrap();
        write(&folder.path().join("labels.parquet"), &labels(&payments));
        let app = fraud();
        let topic = app.topics.iter().find(|topic| topic.stem == "features").unwrap();
        let view = plan_view(&app, topic).unwrap();
        let output = folder.path().join("features.parquet");
        let report = backfill(&view, &inputs(folder.path()), &output, &mut |_, _| {}).unwrap();
        assert_eq!(report.rows_out, 50, "{compression}");
    }
}
