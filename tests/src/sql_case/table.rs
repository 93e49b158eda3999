//! Tables as text: cells between bars, each column of one type.

use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use arrow::array::TimestampMillisecondArray;
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit, TimestampMillisecondType};
use arrow::record_batch::RecordBatch;

/// 2026-01-01T00:00:00Z, where the times of cases count from.
const EPOCH_MS: i64 = 1_767_225_600_000;
const UNITS_MS: [(&str, i64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Lines of cells; the first line is the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The header's cells.
    pub header: Vec<String>,
    /// The rows' cells, as many each as the header has.
    pub rows: Vec<Vec<String>>,
}

/// A column of a source: `name type`, with a `?` after the type where it may be NULL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// `string`, `long`, `double`, `boolean` or `timestamp`.
    pub kind: String,
    /// Whether it may be NULL.
    pub nullable: bool,
}

impl Table {
    /// Reads a table; empty lines are skipped.
    pub fn parse(text: &str) -> Result<Self> {
        let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_string()).collect::<Vec<_>>();
        let mut lines = text.lines().filter(|line| !line.trim().is_empty()).map(cells);
        let header = lines.next().context("a table has a header")?;
        let rows: Vec<Vec<String>> = lines.collect();
        for row in &rows {
            ensure!(row.len() == header.len(), "{} cells under {} headers: {row:?}", row.len(), header.len());
        }
        Ok(Self { header, rows })
    }

    /// The texts of a column.
    pub fn column(&self, index: usize) -> impl Iterator<Item = &str> {
        self.rows.iter().filter_map(move |row| row.get(index).map(String::as_str))
    }

    /// Rows as a table, in the notation of cases.
    pub fn of(rows: &RecordBatch) -> Result<Self> {
        let header = rows.schema().fields().iter().map(|field| field.name().clone()).collect();
        let columns = rows.columns().iter().map(show_column).collect::<Result<Vec<_>>>()?;
        let rows = (0..rows.num_rows()).map(|row| columns.iter().map(|column| column[row].clone()).collect());
        Ok(Self { header, rows: rows.collect() })
    }

    /// The same cells in the one notation that [`Table::of`] gives to values of these types.
    pub fn normalized(&self, like: &RecordBatch) -> Result<Self> {
        let types: Vec<DataType> =
            like.schema().fields().iter().map(|field| field.data_type().clone()).collect();
        ensure!(types.len() == self.header.len(), "{} columns instead of {:?}", types.len(), self.header);
        let columns = types.iter().enumerate().map(|(i, kind)| {
            let cells = self.column(i);
            let column = cast(&read_column(kind_of(kind)?, cells)?, kind)?;
            show_column(&column)
        });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let rows = (0..self.rows.len()).map(|row| columns.iter().map(|column| column[row].clone()).collect());
        Ok(Self { header: self.header.clone(), rows: rows.collect() })
    }

    /// The rows in an order of their own.
    pub fn sorted(mut self) -> Self {
        self.rows.sort();
        self
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let lines = || std::iter::once(&self.header).chain(&self.rows);
        let width = |i: usize| lines().filter_map(|line| line.get(i)).map(String::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.header.len()).map(width).collect();
        for line in lines() {
            let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
            writeln!(f, "{}", cells.collect::<Vec<_>>().join(" | ").trim_end())?;
        }
        Ok(())
    }
}

impl Column {
    /// Reads `name type` or `name type?`.
    pub fn parse(text: &str) -> Result<Self> {
        let (name, kind) = text.split_once(' ').with_context(|| format!("{text:?} is no `name type`"))?;
        let (kind, nullable) = match kind.trim().strip_suffix('?') {
            Some(kind) => (kind, true),
            None => (kind.trim(), false),
        };
        avro_type(kind)?;
        Ok(Self { name: name.into(), kind: kind.into(), nullable })
    }

    /// The column as a field of an Avro record.
    pub fn avro(&self) -> Result<String> {
        let kind = avro_type(&self.kind)?;
        let kind = if self.nullable { format!("[\"null\", {kind}]") } else { kind.to_string() };
        Ok(format!("{{\"name\": \"{}\", \"type\": {kind}}}", self.name))
    }

    /// The column's values.
    pub fn read<'a>(&self, cells: impl Iterator<Item = &'a str>) -> Result<ArrayRef> {
        read_column(&self.kind, cells).with_context(|| format!("column {}", self.name))
    }
}

fn avro_type(kind: &str) -> Result<&'static str> {
    Ok(match kind {
        "string" => "\"string\"",
        "long" => "\"long\"",
        "double" => "\"double\"",
        "boolean" => "\"boolean\"",
        "timestamp" => "{\"type\": \"long\", \"logicalType\": \"timestamp-millis\"}",
        other => bail!("{other:?} is none of string, long, double, boolean, timestamp"),
    })
}

fn kind_of(data_type: &DataType) -> Result<&'static str> {
    Ok(match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "string",
        DataType::Float32 | DataType::Float64 => "double",
        DataType::Boolean => "boolean",
        DataType::Timestamp(..) => "timestamp",
        integer if integer.is_integer() => "long",
        other => bail!("cases know no values of type {other}"),
    })
}

fn read_column<'a>(kind: &str, cells: impl Iterator<Item = &'a str>) -> Result<ArrayRef> {
    let cells: Vec<Option<&str>> = cells.map(|cell| (cell != "NULL").then_some(cell)).collect();
    fn each<T>(cells: &[Option<&str>], read: impl Fn(&str) -> Result<T>) -> Result<Vec<Option<T>>> {
        let read = |cell: &&str| read(cell).with_context(|| format!("the cell {cell:?}"));
        cells.iter().map(|cell| cell.as_ref().map(read).transpose()).collect()
    }
    Ok(match kind {
        "string" => Arc::new(StringArray::from(cells)),
        "long" => Arc::new(Int64Array::from(each(&cells, |cell| Ok(cell.parse()?))?)),
        "double" => Arc::new(Float64Array::from(each(&cells, |cell| Ok(cell.parse()?))?)),
        "boolean" => Arc::new(BooleanArray::from(each(&cells, |cell| Ok(cell.parse()?))?)),
        "timestamp" => {
            let times = TimestampMillisecondArray::from(each(&cells, parse_time)?);
            Arc::new(times.with_timezone("+00:00"))
        }
        other => bail!("{other:?} is none of string, long, double, boolean, timestamp"),
    })
}

fn show_column(column: &ArrayRef) -> Result<Vec<String>> {
    let texts: Vec<Option<String>> = match kind_of(column.data_type())? {
        "timestamp" => {
            let zone =
                if let DataType::Timestamp(_, zone) = column.data_type() { zone.clone() } else { None };
            let times = cast(column, &DataType::Timestamp(TimeUnit::Millisecond, zone))?;
            times.as_primitive::<TimestampMillisecondType>().iter().map(|time| time.map(show_time)).collect()
        }
        "double" => {
            let values = cast(column, &DataType::Float64)?;
            values.as_primitive::<Float64Type>().iter().map(|value| value.map(|v| format!("{v:?}"))).collect()
        }
        "long" => {
            let values = cast(column, &DataType::Int64)?;
            values.as_primitive::<Int64Type>().iter().map(|value| value.map(|v| v.to_string())).collect()
        }
        _ => {
            let texts = cast(column, &DataType::Utf8)?;
            texts.as_string::<i32>().iter().map(|text| text.map(str::to_string)).collect()
        }
    };
    Ok(texts.into_iter().map(|text| text.unwrap_or_else(|| "NULL".into())).collect())
}

/// Reads a time such as `0s`, `1d2h`, `-500ms`, counted from 2026-01-01T00:00:00Z, as ms since 1970.
pub fn parse_time(text: &str) -> Result<i64> {
    let (sign, mut rest) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    ensure!(!rest.is_empty(), "{text:?} is no time");
    let mut ms = 0;
    while !rest.is_empty() {
        let digits =
            rest.find(|c: char| !c.is_ascii_digit()).with_context(|| format!("{text:?} lacks a unit"))?;
        let letters = rest[digits..].find(|c: char| c.is_ascii_digit()).map_or(rest.len(), |n| digits + n);
        let unit = UNITS_MS.iter().find(|(unit, _)| *unit == &rest[digits..letters]);
        let (_, unit_ms) = unit.with_context(|| format!("{text:?}: a unit is d, h, m, s or ms"))?;
        ms += rest[..digits].parse::<i64>().with_context(|| format!("{text:?} is no time"))? * unit_ms;
        rest = &rest[letters..];
    }
    Ok(EPOCH_MS + sign * ms)
}

/// The notation of [`parse_time`].
pub fn show_time(ms: i64) -> String {
    let since = ms - EPOCH_MS;
    let mut rest = since.abs();
    let mut text = String::from(if since < 0 { "-" } else { "" });
    for (unit, unit_ms) in UNITS_MS {
        if rest >= unit_ms {
            text += &format!("{}{unit}", rest / unit_ms);
            rest %= unit_ms;
        }
    }
    if since == 0 { "0s".into() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_they_are_shown() {
        for text in ["0s", "1d", "23h59m59s", "1d1ms", "-500ms", "-2d3h"] {
            assert_eq!(show_time(parse_time(text).unwrap()), text);
        }
        assert_eq!(parse_time("36h").unwrap(), parse_time("1d12h").unwrap());
        assert!(parse_time("5").is_err() && parse_time("").is_err() && parse_time("5y").is_err());
    }

    #[test]
    fn a_table_of_values_reads_back_as_its_text() {
        let columns = ["who string", "at timestamp", "amount double?", "n long", "good boolean?"];
        let columns = columns.map(|column| Column::parse(column).unwrap());
        let text = "who | at | amount | n | good\nann | 1d | NaN | 3 | true\nbob | 2s | NULL | -4 | NULL";
        let table = Table::parse(text).unwrap();
        let arrays =
            columns.iter().enumerate().map(|(i, c)| (c.name.clone(), c.read(table.column(i)).unwrap()));
        let rows = RecordBatch::try_from_iter(arrays).unwrap();
        assert_eq!(Table::of(&rows).unwrap(), table);
        assert_eq!(table.normalized(&rows).unwrap(), table);
    }
}
