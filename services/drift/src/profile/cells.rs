//! A batch's columns in the form that profiles count, prepared once for all windows and segments.

use std::sync::{Arc, OnceLock};

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, Float64Array, PrimitiveArray, StringArray};
use arrow::buffer::ScalarBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use arrow::record_batch::RecordBatch;

use super::plan::{ColumnPlan, Kind, Plan};
use crate::hash;

/// The watched columns of a batch. A column that the batch does not have is missing in every row; numbers in text are
/// read; values of a type that the kind cannot be are counted as mistyped.
#[derive(Debug)]
pub struct Cells {
    rows: usize,
    pub(super) columns: Vec<CellColumn>,
}

#[derive(Debug)]
pub(super) enum CellColumn {
    Numbers(Numbers),
    Values(Values),
}

/// Cells of a numeric column.
#[derive(Debug)]
pub(super) struct Numbers {
    /// NaN where missing or mistyped.
    pub(super) values: ScalarBuffer<f64>,
    /// Which rows are mistyped, if any is.
    pub(super) mistyped: Option<Vec<bool>>,
    classes: OnceLock<Vec<u16>>,
    range: OnceLock<(f64, f64)>,
}

/// Cells of a category, boolean or id column.
#[derive(Debug)]
pub(super) struct Values {
    /// Place among the named values, or one of [`super::plan::Classes`].
    pub(super) classes: Vec<u32>,
    /// Of the text; 0 where missing or mistyped.
    pub(super) hashes: Vec<u64>,
    /// The values' texts; `None` if no row has a new one.
    pub(super) texts: Option<StringArray>,
}

impl Cells {
    /// Of all rows of a batch, whose columns are found by name.
    pub fn of(plan: &Arc<Plan>, batch: &RecordBatch) -> Self {
        let rows = batch.num_rows();
        let cells = |column: &ColumnPlan| {
            let array = batch.column_by_name(&column.name);
            match column.kind {
                Kind::Numeric => CellColumn::Numbers(Numbers::of(array, rows)),
                Kind::Boolean => CellColumn::Values(booleans(column, array, rows)),
                Kind::Category | Kind::Id => CellColumn::Values(values(column, array, rows)),
            }
        };
        Self { rows, columns: plan.columns.iter().map(cells).collect() }
    }

    /// How many rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The numbers of the numeric column of that index, NaN where there is none. `None` for other kinds.
    pub(crate) fn numbers(&self, column: usize) -> Option<&[f64]> {
        match self.columns.get(column) {
            Some(CellColumn::Numbers(numbers)) => Some(&numbers.values),
            _ => None,
        }
    }
}

impl CellColumn {
    /// A cell as the sample keeps it: a number's bits (of missing ones NaN's) or a value's hash.
    pub(super) fn cell(&self, row: usize) -> u64 {
        match self {
            Self::Numbers(numbers) => match numbers.values[row] {
                value if value.is_nan() => f64::NAN.to_bits(),
                value => (value + 0.0).to_bits(),
            },
            Self::Values(values) => values.hashes[row],
        }
    }
}

impl Numbers {
    fn of(array: Option<&ArrayRef>, rows: usize) -> Self {
        let missing = || vec![f64::NAN; rows].into();
        let (values, mistyped) = match array {
            None => (missing(), None),
            Some(array) if *array.data_type() == DataType::Int64 => {
                (of_native(array.as_primitive::<Int64Type>(), |value| value as f64), None)
            }
            Some(array) if *array.data_type() == DataType::Float64 => {
                (floats(array.as_primitive::<Float64Type>()), None)
            }
            Some(array) if array.data_type().is_numeric() || *array.data_type() == DataType::Boolean => {
                match cast(array, &DataType::Float64) {
                    Ok(array) => (floats(array.as_primitive::<Float64Type>()), None),
                    Err(_) => (missing(), Some(present(array))),
                }
            }
            Some(array) => match cast(array, &DataType::Utf8) {
                Ok(texts) if !array.data_type().is_temporal() => parsed(texts.as_string::<i32>()),
                _ => (missing(), Some(present(array))),
            },
        };
        Self { values, mistyped, classes: OnceLock::new(), range: OnceLock::new() }
    }

    /// Per row its class on the column's grid.
    pub(super) fn classes(&self, column: &ColumnPlan) -> &[u16] {
        self.classes.get_or_init(|| column.grid.classes(&self.values))
    }

    /// Smallest and largest finite value of all rows; infinities the wrong way round if there is none.
    pub(super) fn range(&self) -> (f64, f64) {
        *self.range.get_or_init(|| widened((f64::INFINITY, f64::NEG_INFINITY), self.values.iter().copied()))
    }
}

/// A range widened to finite values.
pub(super) fn widened(range: (f64, f64), values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold(range, |(low, high), value| {
        let finite = value.abs() < f64::INFINITY;
        let value = value + 0.0;
        (if finite && value < low { value } else { low }, if finite && value > high { value } else { high })
    })
}

fn present(array: &ArrayRef) -> Vec<bool> {
    (0..array.len()).map(|row| array.is_valid(row)).collect()
}

fn floats(array: &Float64Array) -> ScalarBuffer<f64> {
    match array.null_count() {
        0 => array.values().clone(),
        _ => array.iter().map(|value| value.unwrap_or(f64::NAN)).collect(),
    }
}

/// NaN where null. (The general cast checks every value.)
fn of_native<T: ArrowPrimitiveType>(
    array: &PrimitiveArray<T>,
    of: impl Fn(T::Native) -> f64,
) -> ScalarBuffer<f64> {
    match array.null_count() {
        0 => array.values().iter().map(|value| of(*value)).collect(),
        _ => array.iter().map(|value| value.map_or(f64::NAN, &of)).collect(),
    }
}

fn parsed(texts: &StringArray) -> (ScalarBuffer<f64>, Option<Vec<bool>>) {
    let mut mistyped = vec![false; texts.len()];
    let values = texts.iter().zip(&mut mistyped).map(|(text, wrong)| {
        let text = text.map(str::trim).unwrap_or_default();
        let value = text.parse::<f64>();
        *wrong = !text.is_empty() && value.is_err();
        value.unwrap_or(f64::NAN)
    });
    let values = values.collect();
    (values, mistyped.contains(&true).then_some(mistyped))
}

/// The values of a text, integer, or other column that has a text.
fn values(column: &ColumnPlan, array: Option<&ArrayRef>, rows: usize) -> Values {
    let kinds = column.classes();
    let Some(array) = array else { return absent(rows, kinds.missing) };
    let Ok(texts) = cast(array, &DataType::Utf8) else {
        let classes = present(array).into_iter().map(|p| if p { kinds.mistyped } else { kinds.missing });
        return Values { classes: classes.collect(), ..absent(rows, kinds.missing) };
    };
    let texts = texts.as_string::<i32>();
    let hashes: Vec<u64> = texts.iter().map(|text| text.map_or(0, hash::of_text)).collect();
    let class = |hash: &u64| match (*hash, column.names.place(*hash), &column.seen) {
        (0, _, _) => kinds.missing,
        (_, Some(place), _) => place,
        (hash, None, Some(seen)) if seen.contains(hash) => kinds.other,
        _ => kinds.new,
    };
    let classes: Vec<u32> = hashes.iter().map(class).collect();
    let texts = classes.contains(&kinds.new).then(|| texts.clone());
    Values { classes, hashes, texts }
}

fn absent(rows: usize, missing: u32) -> Values {
    Values { classes: vec![missing; rows], hashes: vec![0; rows], texts: None }
}

/// Booleans, numbers that are 0 or 1, and the texts `true`, `false`, `0`, `1`.
fn booleans(column: &ColumnPlan, array: Option<&ArrayRef>, rows: usize) -> Values {
    let kinds = column.classes();
    let Some(array) = array else { return absent(rows, kinds.missing) };
    let classes: Vec<u32> = if let Some(array) = array.as_boolean_opt() {
        array.iter().map(|value| value.map_or(kinds.missing, u32::from)).collect()
    } else if is_text(array.data_type())
        && let Ok(texts) = cast(array, &DataType::Utf8)
    {
        let class = |text: &str| match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" => 1,
            "false" | "0" => 0,
            "" => kinds.missing,
            _ => kinds.mistyped,
        };
        texts.as_string::<i32>().iter().map(|text| text.map_or(kinds.missing, class)).collect()
    } else {
        let numbers = Numbers::of(Some(array), rows);
        let class = |(row, value): (usize, &f64)| match *value {
            0.0 => 0,
            1.0 => 1,
            value if value.is_nan() && !numbers.mistyped.as_ref().is_some_and(|m| m[row]) => kinds.missing,
            _ => kinds.mistyped,
        };
        numbers.values.iter().enumerate().map(class).collect()
    };
    let known = [hash::of_text("false"), hash::of_text("true")];
    let hashes = classes.iter().map(|class| known.get(*class as usize).copied().unwrap_or_default());
    Values { hashes: hashes.collect(), classes, texts: None }
}

fn is_text(kind: &DataType) -> bool {
    match kind {
        DataType::Dictionary(_, values) => is_text(values),
        other => matches!(other, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View),
    }
}
