//! Rows of the tests to columns, and results back.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, StringArray, UInt64Array,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, UInt64Type};

use super::reference::{Row, Value};
use crate::window::{Rows, Spec, Taken, Windows};

/// An argument column of this type.
fn argument(rows: &[Row], index: usize, data_type: &DataType) -> ArrayRef {
    let values = || rows.iter().map(move |row| row.arguments[index].clone());
    let ints = values().map(|value| if let Some(Value::Int(value)) = value { Some(value) } else { None });
    let array: ArrayRef = match data_type {
        DataType::Float64 => Arc::new(Float64Array::from_iter(values().map(|value| match value {
            Some(Value::Float(value)) => Some(value),
            _ => None,
        }))),
        DataType::UInt64 => Arc::new(UInt64Array::from_iter(values().map(|value| match value {
            Some(Value::Unsigned(value)) => Some(value),
            _ => None,
        }))),
        DataType::Boolean => Arc::new(BooleanArray::from_iter(values().map(|value| match value {
            Some(Value::Bool(value)) => Some(value),
            _ => None,
        }))),
        DataType::Utf8 => Arc::new(StringArray::from_iter(values().map(|value| match value {
            Some(Value::Text(value)) => Some(value),
            _ => None,
        }))),
        _ => Arc::new(Int64Array::from_iter(ints)),
    };
    cast(&array, data_type).expect("a cast between types of one kind")
}

/// A result column's values.
pub(super) fn values(column: &ArrayRef) -> Vec<Option<Value>> {
    let column = match column.data_type() {
        DataType::Timestamp(_, _) | DataType::Date32 => {
            &cast(column, &DataType::Int64).expect("an integer inside")
        }
        _ => column,
    };
    let value = |row: usize| match column.data_type() {
        DataType::Int64 => Value::Int(column.as_primitive::<Int64Type>().value(row)),
        DataType::UInt64 => Value::Unsigned(column.as_primitive::<UInt64Type>().value(row)),
        DataType::Float64 => Value::Float(column.as_primitive::<Float64Type>().value(row)),
        DataType::Boolean => Value::Bool(column.as_boolean().value(row)),
        DataType::Utf8 => Value::Text(column.as_string::<i32>().value(row).to_owned()),
        other => panic!("a result of type {other}"),
    };
    (0..column.len()).map(|row| column.is_valid(row).then(|| value(row))).collect()
}

/// Takes rows in one call.
pub(super) fn take(windows: &mut Windows, spec: &Spec, rows: &[Row], touched: bool) -> Taken {
    let times: Vec<i64> = rows.iter().map(|row| row.time).collect();
    let record_times: Vec<i64> = rows.iter().map(|row| row.record_time).collect();
    let lanes: Vec<u32> = rows.iter().map(|row| row.lane).collect();
    let branches: Vec<u32> = rows.iter().map(|row| row.branch).collect();
    let offsets: Vec<i64> = rows.iter().map(|row| row.offset).collect();
    let key: ArrayRef = Arc::new(StringArray::from_iter(rows.iter().map(|row| row.key.clone())));
    // A second column that follows from the first makes keys of several columns.
    let length = Int64Array::from_iter(rows.iter().map(|row| row.key.as_ref().map(|key| key.len() as i64)));
    let keys = [key, Arc::new(length)];
    let types = spec.arguments.iter().enumerate();
    let arguments: Vec<ArrayRef> = types.map(|(index, data_type)| argument(rows, index, data_type)).collect();
    let filters = rows.first().map_or(2, |row| row.filters.len());
    let filters: Vec<BooleanArray> = (0..filters)
        .map(|filter| BooleanArray::from_iter(rows.iter().map(|row| row.filters[filter])))
        .collect();
    let wanted = BooleanArray::from_iter(rows.iter().map(|row| Some(row.wanted)));
    let all = rows.iter().all(|row| row.wanted);
    windows
        .take(&Rows {
            keys: &keys[..spec.keys.len()],
            time: &times,
            record_time: &record_times,
            lane: &lanes,
            branch: &branches,
            offset: &offsets,
            arguments: &arguments,
            filters: &filters,
            wanted: (!all).then_some(&wanted),
            touched,
        })
        .expect("columns of the spec")
}
