//! Rows of the reference file as Arrow columns.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BinaryBuilder, Float64Builder, Int64Builder, ListBuilder,
    PrimitiveArray, RecordBatch, StringBuilder, UInt64Builder,
};
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type, Schema, SchemaRef, UInt64Type};
use arrow::error::ArrowError;

/// What a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Plan,
    Head,
    Column,
    Scores,
    Scored,
    Delays,
    Unseen,
}

const PARTS: [(Part, &str); 7] = [
    (Part::Plan, "plan"),
    (Part::Head, "head"),
    (Part::Column, "column"),
    (Part::Scores, "scores"),
    (Part::Scored, "scored"),
    (Part::Delays, "delays"),
    (Part::Unseen, "unseen"),
];

/// A row; `None` is null.
#[derive(Debug, Clone)]
pub(super) struct FileRow {
    pub(super) part: Part,
    pub(super) block_start_ms: Option<i64>,
    pub(super) block_end_ms: Option<i64>,
    pub(super) segment: Option<String>,
    pub(super) column: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) rows: Option<u64>,
    pub(super) missing: Option<u64>,
    pub(super) infinite: Option<u64>,
    pub(super) mistyped: Option<u64>,
    pub(super) min: Option<f64>,
    pub(super) max: Option<f64>,
    pub(super) edges: Option<Vec<f64>>,
    pub(super) values: Option<Vec<String>>,
    pub(super) counts: Option<Vec<u64>>,
    pub(super) state: Option<Vec<u8>>,
}

impl FileRow {
    pub(super) fn new(part: Part) -> Self {
        Self {
            part,
            block_start_ms: None,
            block_end_ms: None,
            segment: None,
            column: None,
            kind: None,
            rows: None,
            missing: None,
            infinite: None,
            mistyped: None,
            min: None,
            max: None,
            edges: None,
            values: None,
            counts: None,
            state: None,
        }
    }
}

pub(super) fn schema() -> SchemaRef {
    let list = |of: DataType| DataType::List(Arc::new(Field::new_list_field(of, true)));
    let fields = [
        ("part", DataType::Utf8),
        ("block_start_ms", DataType::Int64),
        ("block_end_ms", DataType::Int64),
        ("segment", DataType::Utf8),
        ("column", DataType::Utf8),
        ("kind", DataType::Utf8),
        ("rows", DataType::UInt64),
        ("missing", DataType::UInt64),
        ("infinite", DataType::UInt64),
        ("mistyped", DataType::UInt64),
        ("min", DataType::Float64),
        ("max", DataType::Float64),
        ("edges", list(DataType::Float64)),
        ("values", list(DataType::Utf8)),
        ("counts", list(DataType::UInt64)),
        ("state", DataType::Binary),
    ];
    Arc::new(Schema::new(fields.map(|(name, kind)| Field::new(name, kind, true)).to_vec()))
}

/// Columns of rows to be written.
#[derive(Default)]
pub(super) struct Rows {
    texts: [StringBuilder; 4],
    times: [Int64Builder; 2],
    counts: [UInt64Builder; 4],
    range: [Float64Builder; 2],
    edges: ListBuilder<Float64Builder>,
    values: ListBuilder<StringBuilder>,
    bins: ListBuilder<UInt64Builder>,
    state: BinaryBuilder,
}

impl Rows {
    pub(super) fn push(&mut self, row: FileRow) {
        let part = PARTS.iter().find(|(part, _)| *part == row.part).map(|(_, name)| (*name).to_owned());
        for (builder, text) in self.texts.iter_mut().zip([part, row.segment, row.column, row.kind]) {
            builder.append_option(text);
        }
        for (builder, time) in self.times.iter_mut().zip([row.block_start_ms, row.block_end_ms]) {
            builder.append_option(time);
        }
        for (builder, count) in
            self.counts.iter_mut().zip([row.rows, row.missing, row.infinite, row.mistyped])
        {
            builder.append_option(count);
        }
        for (builder, end) in self.range.iter_mut().zip([row.min, row.max]) {
            builder.append_option(end);
        }
        self.edges.append_option(row.edges.map(|edges| edges.into_iter().map(Some)));
        self.values.append_option(row.values.map(|values| values.into_iter().map(Some)));
        self.bins.append_option(row.counts.map(|counts| counts.into_iter().map(Some)));
        self.state.append_option(row.state);
    }

    pub(super) fn batch(mut self) -> Result<RecordBatch, ArrowError> {
        let [part, segment, column, kind] = self.texts.each_mut().map(|b| Arc::new(b.finish()) as ArrayRef);
        let [start, end] = self.times.each_mut().map(|b| Arc::new(b.finish()) as ArrayRef);
        let [rows, missing, infinite, mistyped] =
            self.counts.each_mut().map(|b| Arc::new(b.finish()) as ArrayRef);
        let [min, max] = self.range.each_mut().map(|b| Arc::new(b.finish()) as ArrayRef);
        let lists: [ArrayRef; 3] =
            [Arc::new(self.edges.finish()), Arc::new(self.values.finish()), Arc::new(self.bins.finish())];
        let [edges, values, counts] = lists;
        let state = Arc::new(self.state.finish());
        let columns = vec![
            part, start, end, segment, column, kind, rows, missing, infinite, mistyped, min, max, edges,
            values, counts, state,
        ];
        RecordBatch::try_new(schema(), columns)
    }
}

/// The rows of a batch of a reference file.
pub(super) fn read_rows(batch: &RecordBatch) -> Result<Vec<FileRow>, String> {
    if batch.schema().fields() != schema().fields() {
        return Err("its columns are not those of a reference file".to_owned());
    }
    (0..batch.num_rows()).map(|row| read_row(batch, row)).collect()
}

fn read_row(batch: &RecordBatch, row: usize) -> Result<FileRow, String> {
    let text = |column: usize| {
        let texts = batch.column(column).as_string::<i32>();
        texts.is_valid(row).then(|| texts.value(row).to_owned())
    };
    let list = |column: usize| {
        let lists = batch.column(column).as_list::<i32>();
        lists.is_valid(row).then(|| lists.value(row))
    };
    let name = text(0).unwrap_or_default();
    let part = PARTS.iter().find(|(_, part)| *part == name).map(|(part, _)| *part);
    let state = batch.column(15).as_binary::<i32>();
    Ok(FileRow {
        part: part.ok_or_else(|| format!("a row is of the unknown part `{name}`"))?,
        block_start_ms: primitive::<Int64Type>(batch, 1, row),
        block_end_ms: primitive::<Int64Type>(batch, 2, row),
        segment: text(3),
        column: text(4),
        kind: text(5),
        rows: primitive::<UInt64Type>(batch, 6, row),
        missing: primitive::<UInt64Type>(batch, 7, row),
        infinite: primitive::<UInt64Type>(batch, 8, row),
        mistyped: primitive::<UInt64Type>(batch, 9, row),
        min: primitive::<Float64Type>(batch, 10, row),
        max: primitive::<Float64Type>(batch, 11, row),
        edges: list(12).map(|list| numbers::<Float64Type>(&list)),
        values: list(13).map(|list| list.as_string::<i32>().iter().flatten().map(str::to_owned).collect()),
        counts: list(14).map(|list| numbers::<UInt64Type>(&list)),
        state: state.is_valid(row).then(|| state.value(row).to_vec()),
    })
}

fn primitive<T: ArrowPrimitiveType>(batch: &RecordBatch, column: usize, row: usize) -> Option<T::Native> {
    let array: &PrimitiveArray<T> = batch.column(column).as_primitive();
    array.is_valid(row).then(|| array.value(row))
}

fn numbers<T: ArrowPrimitiveType>(list: &ArrayRef) -> Vec<T::Native> {
    list.as_primitive::<T>().values().to_vec()
}
