//! Tables in memory: read from Parquet, put in order, compared column by column.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use arrow::compute::{cast, concat_batches, take_record_batch};
use arrow::datatypes::{DataType, Float64Type};
use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

const DIFFERENCES_SHOWN: usize = 5;

/// All rows of a Parquet file.
pub fn read_parquet(path: &Path) -> Result<RecordBatch> {
    let file = File::open(path).with_context(|| path.display().to_string())?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file)?;
    let schema = reader.schema().clone();
    let batches = reader.build()?.collect::<Result<Vec<_>, _>>()?;
    Ok(concat_batches(&schema, &batches)?)
}

/// Writes rows as a Parquet file.
pub fn write_parquet(path: &Path, rows: &RecordBatch) -> Result<()> {
    let file = File::create(path).with_context(|| path.display().to_string())?;
    let mut writer = ArrowWriter::try_new(file, rows.schema(), None)?;
    writer.write(rows)?;
    writer.close()?;
    Ok(())
}

/// A column by name.
pub fn column<'a>(rows: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef> {
    rows.column_by_name(name).with_context(|| format!("no column {name} among {}", names(rows).join(", ")))
}

/// A column as text, NULL as `None`.
pub fn texts(rows: &RecordBatch, name: &str) -> Result<Vec<Option<String>>> {
    let column = cast(column(rows, name)?, &DataType::Utf8)?;
    Ok(column.as_string::<i32>().iter().map(|text| text.map(str::to_string)).collect())
}

/// A column without NULLs as text.
pub fn ids(rows: &RecordBatch, name: &str) -> Result<Vec<String>> {
    let texts = texts(rows, name)?.into_iter().collect::<Option<Vec<_>>>();
    texts.with_context(|| format!("a NULL in {name}"))
}

/// The rows at these indices.
pub fn take(rows: &RecordBatch, indices: impl IntoIterator<Item = usize>) -> Result<RecordBatch> {
    let indices = indices.into_iter().map(u32::try_from).collect::<Result<Vec<_>, _>>()?;
    Ok(take_record_batch(rows, &UInt32Array::from(indices))?)
}

/// The rows by ascending text of the column `id`; rows of equal id keep their order.
pub fn sorted_by(rows: &RecordBatch, id: &str) -> Result<RecordBatch> {
    let ids = ids(rows, id)?;
    let mut order: Vec<usize> = (0..rows.num_rows()).collect();
    order.sort_by(|a, b| ids[*a].cmp(&ids[*b]));
    take(rows, order)
}

/// For each text of the column, the index of the last row that has it.
pub fn last_of_each(rows: &RecordBatch, name: &str) -> Result<BTreeMap<String, usize>> {
    Ok(ids(rows, name)?.into_iter().enumerate().map(|(row, id)| (id, row)).collect())
}

/// Checks that each id occurs exactly once and that the tables hold equal rows for each, in any order: every column
/// of `expected`, doubles bit for bit.
pub fn ensure_equal_by(id: &str, actual: &RecordBatch, expected: &RecordBatch) -> Result<()> {
    let (actual, expected) = (sorted_by(actual, id)?, sorted_by(expected, id)?);
    let (have, want) = (ids(&actual, id)?, ids(&expected, id)?);
    if let Some(twice) = have.windows(2).find(|pair| pair[0] == pair[1]) {
        bail!("{id} {} is there more than once ({} rows, {} expected)", twice[0], have.len(), want.len());
    }
    if have != want {
        let differ = have.iter().zip(&want).find(|(have, want)| have != want);
        bail!(
            "{} rows, {} expected; the ids differ first at (is, should be) {differ:?}",
            have.len(),
            want.len()
        );
    }
    ensure_equal(&actual, &expected)
}

/// Checks that the tables are equal row by row in every column of `expected`, doubles bit for bit.
pub fn ensure_equal(actual: &RecordBatch, expected: &RecordBatch) -> Result<()> {
    ensure!(
        actual.num_rows() == expected.num_rows(),
        "{} rows, {} expected",
        actual.num_rows(),
        expected.num_rows()
    );
    let mut differences = Vec::new();
    for (name, expected) in names(expected).iter().zip(expected.columns()) {
        let actual = column(actual, name)?;
        let expected = cast(expected, actual.data_type()).with_context(|| {
            format!("{name} is {}, expected {}", actual.data_type(), expected.data_type())
        })?;
        for row in different_rows(actual, &expected) {
            differences.push(format!(
                "row {row}, {name}: {} instead of {}",
                shown(actual, row)?,
                shown(&expected, row)?
            ));
            if differences.len() == DIFFERENCES_SHOWN {
                bail!("rows differ, among others:\n{}", differences.join("\n"));
            }
        }
    }
    ensure!(differences.is_empty(), "rows differ:\n{}", differences.join("\n"));
    Ok(())
}

fn different_rows(a: &ArrayRef, b: &ArrayRef) -> Vec<usize> {
    let equal = |row: usize| match (a.is_null(row), b.is_null(row)) {
        (true, true) => true,
        (false, false) if *a.data_type() == DataType::Float64 => {
            let value = |array: &ArrayRef| array.as_primitive::<Float64Type>().value(row);
            value(a).to_bits() == value(b).to_bits() || (value(a).is_nan() && value(b).is_nan())
        }
        (false, false) => a.slice(row, 1) == b.slice(row, 1),
        _ => false,
    };
    if *a.data_type() != DataType::Float64 && a == b {
        return Vec::new();
    }
    (0..a.len()).filter(|row| !equal(*row)).take(DIFFERENCES_SHOWN).collect()
}

fn names(rows: &RecordBatch) -> Vec<String> {
    rows.schema().fields().iter().map(|field| field.name().clone()).collect()
}

fn shown(array: &ArrayRef, row: usize) -> Result<String> {
    let options = FormatOptions::default().with_null("NULL");
    Ok(ArrayFormatter::try_new(array, &options)?.value(row).to_string())
}
