//! Times and dates of a file in the topic's unit: exactly, and within what the windows count in.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimeUnit};

use super::cast::{Fault, INEXACT, OUT_OF_RANGE, readable, there_and_back};

const DAY_NS: i128 = 86_400_000_000_000;

/// A column of times, dates, numbers or text as a type of times or dates.
pub(super) fn cast_exactly(column: &ArrayRef, to: &DataType) -> Result<ArrayRef, Fault> {
    let from = column.data_type();
    let ticks = match (from, tick_ns(from)) {
        (_, Some(tick_ns)) => in_ticks(&cast(column, &DataType::Int64)?, tick_ns, to)?,
        (DataType::Utf8, _) => {
            let read = readable(column, cast(column, &finest(to))?)?;
            in_ticks(&cast(&read, &DataType::Int64)?, tick_ns(read.data_type()).unwrap_or(1), to)?
        }
        _ => in_ticks(&there_and_back(column, &DataType::Int64)?, tick_ns(to).unwrap_or(1), to)?,
    };
    Ok(cast(&ticks, to)?)
}

/// How long a tick of a type of times is, in ns.
fn tick_ns(kind: &DataType) -> Option<i128> {
    match kind {
        DataType::Date32 => Some(DAY_NS),
        DataType::Date64 => Some(1_000_000),
        DataType::Timestamp(unit, _) => Some(match unit {
            TimeUnit::Second => 1_000_000_000,
            TimeUnit::Millisecond => 1_000_000,
            TimeUnit::Microsecond => 1_000,
            TimeUnit::Nanosecond => 1,
        }),
        _ => None,
    }
}

/// What text is read as first, so that nothing of it is cut: nanoseconds do not reach as far as dates do.
fn finest(to: &DataType) -> DataType {
    match to {
        DataType::Timestamp(_, zone) => DataType::Timestamp(TimeUnit::Nanosecond, zone.clone()),
        _ => DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into())),
    }
}

/// Ticks of `from_ns` as those of the type `to`.
fn in_ticks(ticks: &ArrayRef, from_ns: i128, to: &DataType) -> Result<ArrayRef, Fault> {
    let to_ns = tick_ns(to).unwrap_or(1);
    // The windows count in µs.
    let most = i64::try_from(i128::from(i64::MAX) * 1_000 / to_ns).unwrap_or(i64::MAX);
    let fits = |tick: i64| (-most..=most).contains(&tick);
    let values = ticks.as_primitive::<Int64Type>();
    if from_ns == to_ns {
        let out = values.iter().position(|tick| tick.is_some_and(|tick| !fits(tick)));
        return out.map_or(Ok(ticks.clone()), |row| Err(Fault::Value(row, OUT_OF_RANGE)));
    }
    let convert = |(row, tick): (usize, Option<i64>)| {
        let Some(tick) = tick else { return Ok(None) };
        let ns = i128::from(tick) * from_ns;
        if ns % to_ns != 0 {
            return Err(Fault::Value(row, INEXACT));
        }
        let tick = i64::try_from(ns / to_ns).ok().filter(|tick| fits(*tick));
        tick.map(Some).ok_or(Fault::Value(row, OUT_OF_RANGE))
    };
    let made: Int64Array = values.iter().enumerate().map(convert).collect::<Result<_, _>>()?;
    Ok(Arc::new(made))
}
