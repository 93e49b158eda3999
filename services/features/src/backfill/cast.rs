//! A file's column as the topic's type: equal in every value, or refused with the first value that would not be.
//!
//! Arrow's own casts round, cut and wrap without a word, some of them even when told not to. So only pairs of types that a
//! reader cannot misunderstand are cast at all, and what was cast is compared with what the file holds.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, ListArray, MapArray, StructArray, new_null_array,
};
use arrow::compute::cast;
use arrow::compute::kernels::cmp::not_distinct;
use arrow::datatypes::{DataType, FieldRef, Fields, Float32Type, Float64Type, Int64Type};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::moments;

/// Why a column cannot be cast.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// A value cannot: its row within the column, and what it is not.
    #[error("a value {1}")]
    Value(usize, &'static str),
    /// The column as a whole cannot.
    #[error(transparent)]
    Column(#[from] ArrowError),
}

/// What is wrong with a value that is cast; the type's name follows.
pub(super) const UNREADABLE: &str = "cannot be read as";
/// See [`UNREADABLE`].
pub(super) const INEXACT: &str = "cannot be read without loss as";
/// See [`UNREADABLE`].
pub(super) const OUT_OF_RANGE: &str = "lies out of the range of";
const NULL_WITHIN: &str = "holds a NULL, which is not allowed in";

const SHOWN_CHARACTERS: usize = 100;

/// Whether values of a type can be read as those of another, as far as types tell.
pub(super) fn castable(from: &DataType, to: &DataType) -> bool {
    use DataType as T;
    let text_or_bytes = is_text(from) || is_bytes(from);
    let temporal = matches!(from, T::Date32 | T::Date64 | T::Timestamp(..));
    match (from, to) {
        _ if from == to => true,
        (T::Null, _) => true,
        (T::Dictionary(_, values), _) => castable(values, to),
        (T::RunEndEncoded(_, values), _) => castable(values.data_type(), to),
        (_, T::List(wanted)) => item(from).is_some_and(|held| castable(held.data_type(), wanted.data_type())),
        (T::Map(held, _), T::Map(wanted, _)) => match (held.data_type(), wanted.data_type()) {
            (T::Struct(held), T::Struct(wanted)) => {
                held.len() == wanted.len()
                    && held.iter().zip(wanted).all(|(h, w)| castable(h.data_type(), w.data_type()))
            }
            _ => false,
        },
        // A number with a fraction has no one text ("12" or "12.0"), and a key's text decides its partition.
        (_, T::Utf8) => text_or_bytes || from.is_integer() || temporal || *from == T::Boolean,
        (_, T::Binary) => text_or_bytes,
        (_, T::Boolean) => from.is_integer() || from.is_floating() || is_text(from),
        // Integers of unknown unit are not made from times.
        (_, T::Int32 | T::Int64 | T::Float32 | T::Float64) => {
            from.is_numeric() || is_text(from) || *from == T::Boolean
        }
        (_, T::Timestamp(..) | T::Date32) => temporal || from.is_numeric() || is_text(from),
        _ => false,
    }
}

/// The column as another type, every value equal. Numbers become times as ticks of the topic's own unit; times without a
/// zone are taken as UTC.
pub(super) fn cast_exactly(column: &ArrayRef, to: &DataType) -> Result<ArrayRef, Fault> {
    use DataType as T;
    let column = &plain(column)?;
    match (column.data_type(), to) {
        (T::Null, _) => Ok(new_null_array(to, column.len())),
        (_, T::Timestamp(..) | T::Date32) => moments::cast_exactly(column, to),
        (from, _) if from == to => Ok(column.clone()),
        (T::List(_), T::List(wanted)) => list(column.as_list::<i32>(), wanted),
        (T::Map(..), T::Map(entries, sorted)) => map(column.as_map(), entries, *sorted),
        (T::Utf8, T::Boolean) => truths(column),
        (T::Utf8, T::Float32 | T::Float64) => numbers(column, to),
        (T::Utf8 | T::Binary, _) | (_, T::Utf8) => readable(column, cast(column, to)?),
        _ => there_and_back(column, to),
    }
}

/// A value as an error shows it.
pub(super) fn shown(column: &ArrayRef, row: usize) -> String {
    if column.is_null(row) {
        return "NULL".to_owned();
    }
    let options = FormatOptions::default().with_display_error(false);
    let text = ArrayFormatter::try_new(column, &options).and_then(|all| all.value(row).try_to_string());
    // A time that has no date is shown as its ticks.
    let ticks = || Some(cast(column, &DataType::Int64).ok()?.as_primitive_opt::<Int64Type>()?.value(row));
    let text = text.ok().or_else(|| ticks().map(|ticks| ticks.to_string())).unwrap_or_default();
    let short: String = text.chars().take(SHOWN_CHARACTERS).collect();
    let dots = if short.len() < text.len() { "..." } else { "" };
    if is_text(column.data_type()) { format!("{short:?}{dots}") } else { format!("{short}{dots}") }
}

fn is_text(kind: &DataType) -> bool {
    matches!(kind, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

fn is_bytes(kind: &DataType) -> bool {
    use DataType as T;
    matches!(kind, T::Binary | T::LargeBinary | T::BinaryView | T::FixedSizeBinary(_))
}

fn item(list: &DataType) -> Option<&FieldRef> {
    use DataType as T;
    match list {
        T::List(item) | T::LargeList(item) | T::ListView(item) | T::LargeListView(item) => Some(item),
        T::FixedSizeList(item, _) => Some(item),
        _ => None,
    }
}

/// The same values without the encodings that Arrow has several of.
fn plain(column: &ArrayRef) -> Result<ArrayRef, Fault> {
    use DataType as T;
    let simple = match column.data_type() {
        T::Dictionary(_, values) => return plain(&cast(column, values)?),
        T::RunEndEncoded(_, values) => return plain(&cast(column, values.data_type())?),
        kind if is_text(kind) => T::Utf8,
        kind if is_bytes(kind) => T::Binary,
        kind => match item(kind) {
            Some(item) => T::List(item.clone()),
            None => return Ok(column.clone()),
        },
    };
    Ok(cast(column, &simple)?)
}

/// What was cast, if every value could be.
pub(super) fn readable(column: &ArrayRef, cast: ArrayRef) -> Result<ArrayRef, Fault> {
    if cast.null_count() == column.null_count() {
        return Ok(cast);
    }
    let lost = (0..column.len()).find(|row| cast.is_null(*row) && column.is_valid(*row));
    lost.map_or(Ok(cast), |row| Err(Fault::Value(row, UNREADABLE)))
}

/// Casts numbers, and compares what becomes of them the other way round.
pub(super) fn there_and_back(column: &ArrayRef, to: &DataType) -> Result<ArrayRef, Fault> {
    let there = cast(column, to)?;
    let back = cast(&there, column.data_type())?;
    let equal = not_distinct(&canonical(column), &canonical(&back))?;
    match equal.values().iter().position(|equal| !equal) {
        Some(row) => Err(Fault::Value(row, INEXACT)),
        None => Ok(there),
    }
}

/// One zero and one NaN: their signs and payloads are no loss.
fn canonical(column: &ArrayRef) -> ArrayRef {
    match column.data_type() {
        DataType::Float64 => Arc::new(
            column
                .as_primitive::<Float64Type>()
                .unary::<_, Float64Type>(|v| if v.is_nan() { f64::NAN } else { v + 0.0 }),
        ),
        DataType::Float32 => Arc::new(
            column
                .as_primitive::<Float32Type>()
                .unary::<_, Float32Type>(|v| if v.is_nan() { f32::NAN } else { v + 0.0 }),
        ),
        _ => column.clone(),
    }
}

/// Booleans of text: `true`, `false`, `1` and `0`, whatever the case.
fn truths(column: &ArrayRef) -> Result<ArrayRef, Fault> {
    let truth = |text: &str| match text {
        "1" => Some(true),
        "0" => Some(false),
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    };
    let truths: BooleanArray = column.as_string::<i32>().iter().map(|text| text.and_then(truth)).collect();
    readable(column, Arc::new(truths))
}

/// Floats of text. Fractions are rounded as any reader of decimal text does it; whole numbers must be exact.
fn numbers(column: &ArrayRef, to: &DataType) -> Result<ArrayRef, Fault> {
    let numbers = readable(column, cast(column, to)?)?;
    let doubles = cast(&numbers, &DataType::Float64)?;
    let pairs = column.as_string::<i32>().iter().zip(doubles.as_primitive::<Float64Type>());
    let inexact = |(text, double): (Option<&str>, Option<f64>)| {
        let whole = text.and_then(|text| text.parse::<i128>().ok());
        // A float's whole value fits: what does not saturates, and differs.
        #[allow(clippy::cast_possible_truncation)]
        whole.zip(double).is_some_and(|(whole, double)| double as i128 != whole)
    };
    match pairs.map(inexact).position(|inexact| inexact) {
        Some(row) => Err(Fault::Value(row, INEXACT)),
        None => Ok(numbers),
    }
}

fn list(lists: &ListArray, wanted: &FieldRef) -> Result<ArrayRef, Fault> {
    let items = within(lists.values(), wanted, lists.offsets())?;
    Ok(Arc::new(ListArray::try_new(wanted.clone(), lists.offsets().clone(), items, lists.nulls().cloned())?))
}

fn map(maps: &MapArray, entries: &FieldRef, sorted: bool) -> Result<ArrayRef, Fault> {
    let DataType::Struct(fields) = entries.data_type() else {
        return Err(ArrowError::CastError("a map without entries".to_owned()).into());
    };
    let columns = maps.entries().columns().iter().zip(fields);
    let columns = columns.map(|(column, field)| within(column, field, maps.offsets()));
    let pairs = StructArray::try_new(Fields::clone(fields), columns.collect::<Result<_, _>>()?, None)?;
    let (offsets, nulls) = (maps.offsets().clone(), maps.nulls().cloned());
    Ok(Arc::new(MapArray::try_new(entries.clone(), offsets, pairs, nulls, sorted)?))
}

/// The values within lists or maps; a fault is that of the row that holds the value.
fn within(values: &ArrayRef, wanted: &FieldRef, offsets: &[i32]) -> Result<ArrayRef, Fault> {
    let row = |value: usize| {
        let value = i32::try_from(value).unwrap_or(i32::MAX);
        offsets.partition_point(|offset| *offset <= value).saturating_sub(1)
    };
    let cast = cast_exactly(values, wanted.data_type()).map_err(|fault| match fault {
        Fault::Value(value, what) => Fault::Value(row(value), what),
        Fault::Column(error) => Fault::Column(error),
    })?;
    if !wanted.is_nullable() && cast.null_count() > 0 {
        let null = (0..cast.len()).find(|value| cast.is_null(*value)).unwrap_or_default();
        return Err(Fault::Value(row(null), NULL_WITHIN));
    }
    Ok(cast)
}

#[cfg(test)]
mod tests;
