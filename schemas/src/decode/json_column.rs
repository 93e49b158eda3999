//! Columns built from JSON values.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryBuilder, BooleanBuilder, Float32Builder, Float64Builder, Int32Builder,
    Int64Builder, ListArray, MapArray, StringBuilder, StructArray, make_array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use arrow::error::ArrowError;

use super::json_cell::{Cell, map_value};

/// A column that grows by one [`Cell`] at a time.
pub(super) struct Column {
    field: FieldRef,
    values: Values,
}

enum Values {
    Boolean(BooleanBuilder),
    Int(Int32Builder),
    Long(Int64Builder),
    Float(Float32Builder),
    Double(Float64Builder),
    Text(StringBuilder),
    Bytes(BinaryBuilder),
    List { lengths: Vec<usize>, valid: Vec<bool>, items: Box<Column> },
    Map { lengths: Vec<usize>, valid: Vec<bool>, keys: StringBuilder, items: Box<Column> },
}

impl Column {
    pub(super) fn new(field: &FieldRef) -> Self {
        let values = match field.data_type() {
            DataType::Boolean => Values::Boolean(BooleanBuilder::new()),
            DataType::Int32 | DataType::Date32 => Values::Int(Int32Builder::new()),
            DataType::Int64 | DataType::Timestamp(..) => Values::Long(Int64Builder::new()),
            DataType::Float32 => Values::Float(Float32Builder::new()),
            DataType::Float64 => Values::Double(Float64Builder::new()),
            DataType::Binary => Values::Bytes(BinaryBuilder::new()),
            DataType::List(item) => {
                Values::List { lengths: Vec::new(), valid: Vec::new(), items: Box::new(Column::new(item)) }
            }
            other => match map_value(other) {
                Some(value) => Values::Map {
                    lengths: Vec::new(),
                    valid: Vec::new(),
                    keys: StringBuilder::new(),
                    items: Box::new(Column::new(&Arc::new(value.clone()))),
                },
                None => Values::Text(StringBuilder::new()),
            },
        };
        Self { field: Arc::clone(field), values }
    }

    /// Appends a cell that was read for this column's field. (One of another type would become a null, and the batch
    /// be refused.)
    pub(super) fn push(&mut self, cell: Cell<'_>) {
        match (&mut self.values, cell) {
            (Values::Boolean(b), Cell::Boolean(value)) => b.append_value(value),
            (Values::Int(b), Cell::Integer(value)) => b.append_option(i32::try_from(value).ok()),
            (Values::Long(b), Cell::Integer(value)) => b.append_value(value),
            (Values::Float(b), Cell::Float(value)) => b.append_value(value as f32),
            (Values::Double(b), Cell::Float(value)) => b.append_value(value),
            (Values::Text(b), Cell::Text(value)) => b.append_value(value),
            (Values::Bytes(b), Cell::Bytes(value)) => b.append_value(value),
            (Values::List { lengths, valid, items }, Cell::List(cells)) => {
                lengths.push(cells.len());
                valid.push(true);
                cells.into_iter().for_each(|cell| items.push(cell));
            }
            (Values::Map { lengths, valid, keys, items }, Cell::Map(entries)) => {
                lengths.push(entries.len());
                valid.push(true);
                for (key, cell) in entries {
                    keys.append_value(key);
                    items.push(cell);
                }
            }
            (values, _) => values.push_null(),
        }
    }

    pub(super) fn finish(self) -> Result<ArrayRef, ArrowError> {
        let array: ArrayRef = match self.values {
            Values::Boolean(mut b) => Arc::new(b.finish()),
            Values::Int(mut b) => Arc::new(b.finish()),
            Values::Long(mut b) => Arc::new(b.finish()),
            Values::Float(mut b) => Arc::new(b.finish()),
            Values::Double(mut b) => Arc::new(b.finish()),
            Values::Text(mut b) => Arc::new(b.finish()),
            Values::Bytes(mut b) => Arc::new(b.finish()),
            Values::List { lengths, valid, items } => {
                let item = Arc::clone(&items.field);
                let offsets = OffsetBuffer::from_lengths(lengths);
                Arc::new(ListArray::try_new(item, offsets, items.finish()?, nulls(valid))?)
            }
            Values::Map { lengths, valid, mut keys, items } => {
                let entries = map_entries(self.field.data_type())?;
                let offsets = OffsetBuffer::from_lengths(lengths);
                let pairs = StructArray::try_new(
                    pair(&entries)?,
                    vec![Arc::new(keys.finish()), items.finish()?],
                    None,
                )?;
                Arc::new(MapArray::try_new(entries, offsets, pairs, nulls(valid), false)?)
            }
        };
        if array.data_type() == self.field.data_type() {
            return Ok(array);
        }
        // Dates and times are their integers under another name.
        let data = array.to_data().into_builder().data_type(self.field.data_type().clone()).build()?;
        Ok(make_array(data))
    }
}

impl Values {
    fn push_null(&mut self) {
        match self {
            Values::Boolean(b) => b.append_null(),
            Values::Int(b) => b.append_null(),
            Values::Long(b) => b.append_null(),
            Values::Float(b) => b.append_null(),
            Values::Double(b) => b.append_null(),
            Values::Text(b) => b.append_null(),
            Values::Bytes(b) => b.append_null(),
            Values::List { lengths, valid, .. } | Values::Map { lengths, valid, .. } => {
                lengths.push(0);
                valid.push(false);
            }
        }
    }
}

fn nulls(valid: Vec<bool>) -> Option<NullBuffer> {
    Some(NullBuffer::from(valid)).filter(|nulls| nulls.null_count() > 0)
}

fn map_entries(data_type: &DataType) -> Result<FieldRef, ArrowError> {
    match data_type {
        DataType::Map(entries, _) => Ok(Arc::clone(entries)),
        other => Err(ArrowError::SchemaError(format!("{other} is no map"))),
    }
}

fn pair(entries: &Field) -> Result<Fields, ArrowError> {
    match entries.data_type() {
        DataType::Struct(pair) => Ok(pair.clone()),
        other => Err(ArrowError::SchemaError(format!("{other} is no pair of key and value"))),
    }
}
