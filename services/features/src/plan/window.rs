//! One window aggregate of the plan, as the window engine takes it.

use std::collections::BTreeSet;

use arrow::datatypes::DataType;
use datafusion_common::{DFSchema, ScalarValue};
use datafusion_expr::expr::{WindowFunction, WindowFunctionParams};
use datafusion_expr::{Expr, ExprSchemable, Operator, WindowFrame, WindowFrameBound, WindowFrameUnits, cast};

use super::relation::{Flat, Flattener, Slot, substitute, unique_name};
use super::simplify::simplify;
use crate::sql::{Refusal, no_number, words};
use crate::window::{Bounds, Function};

/// A window aggregate over slots.
#[derive(Debug, Clone)]
pub struct WindowColumn {
    /// Where its result goes.
    pub slot: Slot,
    /// What is computed.
    pub function: Function,
    /// Over what; `None` for counts.
    pub argument: Option<Expr>,
    /// Over which rows of the frame.
    pub filter: Option<Expr>,
    /// The frame.
    pub bounds: Bounds,
    /// Branch columns that partition it, ascending.
    pub partition: Vec<usize>,
    /// How many of the view's filters lie beneath it: it sees only rows that pass them.
    pub filters_below: usize,
    /// Windows whose results its argument or filter needs.
    pub needs: BTreeSet<usize>,
}

impl Flattener<'_> {
    /// Adds a window; the expression that gives its value.
    pub(super) fn window(
        &mut self,
        flat: &mut Flat,
        expr: &Expr,
        schema: &DFSchema,
    ) -> Result<Expr, Refusal> {
        let Expr::WindowFunction(call) = unaliased(expr) else {
            return Err(Refusal::new(self.sites.start(), format!("{expr} is no window function")));
        };
        let WindowFunctionParams { partition_by, order_by, window_frame, .. } = &call.params;
        let name = call.fun.name();
        let resolve = |expr: &Expr, flat: &Flat| -> Result<Expr, Refusal> {
            Ok(simplify(substitute(expr.clone(), schema, &flat.env)?, &flat.schema()?)?)
        };
        let mut partition = Vec::new();
        for key in partition_by {
            let resolved = resolve(key, flat)?;
            partition.push(self.partition_slot(flat, key, &resolved)?);
        }
        partition.sort_unstable();
        partition.dedup();
        let [order] = order_by.as_slice() else {
            return Err(Refusal::new(
                self.sites.function(name),
                "a window is ordered by exactly one timestamp column",
            ));
        };
        let time = resolve(&order.expr, flat)?;
        self.time_slot(flat, &order.expr, &time)?;
        let bounds =
            bounds(window_frame).map_err(|message| Refusal::new(self.sites.function(name), message))?;
        let filter = call.params.filter.as_ref().map(|filter| resolve(filter, flat)).transpose()?;
        let arguments =
            call.params.args.iter().map(|arg| resolve(arg, flat)).collect::<Result<Vec<_>, _>>()?;
        let aggregate = aggregate(call, arguments, filter, &flat.schema()?)
            .map_err(|message| Refusal::new(self.sites.function(name), message))?;
        Ok(add(flat, aggregate, bounds, partition)?)
    }

    fn partition_slot(&self, flat: &mut Flat, key: &Expr, resolved: &Expr) -> Result<usize, Refusal> {
        let name = column_name(key);
        let slot = self.base_slot(flat, resolved, &name)?;
        slot.ok_or_else(|| {
            Refusal::new(
                self.sites.partition_by(&name),
                format!("PARTITION BY {name} needs a window's result; partition by columns of the sources"),
            )
        })
    }

    fn time_slot(&self, flat: &mut Flat, key: &Expr, resolved: &Expr) -> Result<(), Refusal> {
        let name = column_name(key);
        let refuse = |message: String| Refusal::new(self.sites.order_by(&name), message);
        let Some(slot) = self.base_slot(flat, resolved, &name)? else {
            return Err(refuse(format!(
                "ORDER BY {name} needs a window's result; order by a timestamp column of the sources"
            )));
        };
        let data_type = &flat.base[slot].data_type;
        if !matches!(data_type, DataType::Timestamp(_, _)) {
            return Err(refuse(format!(
                "ORDER BY {name} is of type {data_type}; windows are ordered by a timestamp"
            )));
        }
        match flat.time {
            Some(known) if known != slot => Err(refuse(format!(
                "one view has one ORDER BY: this window orders by {name}, an earlier one by {}",
                flat.base[known].name
            ))),
            _ => {
                flat.time = Some(slot);
                Ok(())
            }
        }
    }
}

fn unaliased(expr: &Expr) -> &Expr {
    match expr {
        Expr::Alias(alias) => unaliased(&alias.expr),
        other => other,
    }
}

fn column_name(expr: &Expr) -> String {
    match unaliased(expr) {
        Expr::Column(column) => column.name.clone(),
        other => other.schema_name().to_string(),
    }
}

struct Aggregate {
    function: Function,
    argument: Option<Expr>,
    filter: Option<Expr>,
    /// The slot's type.
    computed: DataType,
    /// The type that SQL gives the call.
    declared: DataType,
}

/// The engine's aggregate for a call. `COUNT(x)` becomes a count of the rows where x is not NULL.
fn aggregate(
    call: &WindowFunction,
    mut arguments: Vec<Expr>,
    filter: Option<Expr>,
    schema: &DFSchema,
) -> Result<Aggregate, String> {
    let name = call.fun.name();
    let (Some(argument), true) = (arguments.pop(), arguments.is_empty()) else {
        return Err(format!("{name} takes one argument in a window"));
    };
    if name == "count" {
        let filter = match (argument, filter) {
            (Expr::Literal(value, _), filter) if !value.is_null() => filter,
            (argument, None) => Some(argument.is_not_null()),
            (argument, Some(filter)) => Some(filter.and(argument.is_not_null())),
        };
        let filter = filter.map(|f| simplify(f, schema)).transpose().map_err(|e| words(&e))?;
        return Ok(Aggregate {
            function: Function::Count,
            argument: None,
            filter,
            computed: DataType::Int64,
            declared: DataType::Int64,
        });
    }
    let function = match name {
        "sum" => Function::Sum,
        "avg" => Function::Avg,
        "min" => Function::Min,
        "max" => Function::Max,
        _ => {
            return Err(format!(
                "the window function {name} is not supported yet; there are count, sum, avg, min and max"
            ));
        }
    };
    let declared = argument.get_type(schema).map_err(|e| words(&e))?;
    let computed =
        engine_type(function, &declared).ok_or_else(|| unsupported(name, &call.params.args, &declared))?;
    let argument = if computed == declared { argument } else { cast(argument, computed.clone()) };
    Ok(Aggregate { function, argument: Some(argument), filter, computed, declared })
}

fn unsupported(function: &str, arguments: &[Expr], kind: &DataType) -> String {
    if matches!(function, "sum" | "avg") && !kind.is_numeric() {
        let written = arguments.first().map(column_name).unwrap_or_default();
        return no_number(function, &written, kind);
    }
    format!("{function} over {kind} is not supported; CAST the argument to DOUBLE or BIGINT")
}

/// The type in which the engine holds an argument of this type.
fn engine_type(function: Function, data_type: &DataType) -> Option<DataType> {
    let extreme = matches!(function, Function::Min | Function::Max);
    match data_type {
        DataType::Float64 => Some(DataType::Float64),
        DataType::Int64 | DataType::UInt64 if function != Function::Avg => Some(data_type.clone()),
        DataType::Boolean
        | DataType::Utf8
        | DataType::Timestamp(_, _)
        | DataType::Date32
        | DataType::Date64
            if extreme =>
        {
            Some(data_type.clone())
        }
        DataType::Int8 | DataType::Int16 | DataType::Int32 if extreme => Some(DataType::Int64),
        DataType::UInt8 | DataType::UInt16 | DataType::UInt32 if extreme => Some(DataType::UInt64),
        DataType::Float16 | DataType::Float32 if extreme => Some(DataType::Float64),
        DataType::Utf8View | DataType::LargeUtf8 if extreme => Some(DataType::Utf8),
        _ => None,
    }
}

/// The slot for a window, an equal one's if there is one.
fn add(
    flat: &mut Flat,
    aggregate: Aggregate,
    bounds: Bounds,
    partition: Vec<usize>,
) -> datafusion_common::Result<Expr> {
    let Aggregate { function, argument, filter, computed, declared } = aggregate;
    let filters_below = flat.filters.len();
    let known = flat.windows.iter().position(|window| {
        window.function == function
            && window.argument == argument
            && window.filter == filter
            && window.bounds == bounds
            && window.partition == partition
            && window.filters_below == filters_below
    });
    let index = known.unwrap_or_else(|| {
        let needs = flat
            .windows
            .iter()
            .enumerate()
            .filter(|(_, w)| argument.iter().chain(&filter).any(|e| mentions(e, &w.slot.name)))
            .map(|(i, _)| i)
            .collect();
        let name = unique_name(&format!("_w{}", flat.windows.len()), |name| {
            flat.slots().any(|slot| slot.name == name)
        });
        let slot = Slot { name, data_type: computed.clone(), nullable: function != Function::Count };
        flat.windows.push(WindowColumn {
            slot,
            function,
            argument,
            filter,
            bounds,
            partition,
            filters_below,
            needs,
        });
        flat.windows.len() - 1
    });
    let result =
        datafusion_expr::col(datafusion_common::Column::new_unqualified(&flat.windows[index].slot.name));
    Ok(if computed == declared { result } else { cast(result, declared) })
}

/// Whether an expression reads a slot.
pub(super) fn mentions(expr: &Expr, slot: &str) -> bool {
    expr.column_refs().iter().any(|column| column.name == slot)
}

const MONTHS: &str =
    "months and years have no fixed length; write the interval in days, hours, minutes or seconds";

fn bounds(frame: &WindowFrame) -> Result<Bounds, String> {
    let bounds = match frame.units {
        WindowFrameUnits::Range => Bounds::Range {
            start: bound(&frame.start_bound, micros)?,
            end: bound(&frame.end_bound, micros)?.ok_or("a frame cannot end at UNBOUNDED PRECEDING")?,
        },
        WindowFrameUnits::Rows => Bounds::Rows {
            start: bound(&frame.start_bound, positions)?,
            end: bound(&frame.end_bound, positions)?.ok_or("a frame cannot end at UNBOUNDED PRECEDING")?,
        },
        WindowFrameUnits::Groups => return Err("GROUPS frames are not supported; write RANGE".to_owned()),
    };
    let empty = match bounds {
        Bounds::Range { start, end } => start.is_some_and(|start| start < end),
        Bounds::Rows { start, end } => start.is_some_and(|start| start < end),
    };
    if empty { Err("the frame ends before it begins".to_owned()) } else { Ok(bounds) }
}

/// How far back a bound lies; `None` is unbounded.
fn bound<T: Default>(
    bound: &WindowFrameBound,
    read: impl Fn(&ScalarValue) -> Result<T, String>,
) -> Result<Option<T>, String> {
    match bound {
        WindowFrameBound::CurrentRow => Ok(Some(T::default())),
        WindowFrameBound::Preceding(value) if value.is_null() => Ok(None),
        WindowFrameBound::Preceding(value) => read(value).map(Some),
        WindowFrameBound::Following(_) => {
            Err("the frame looks ahead; it can end at CURRENT ROW, or at <interval> PRECEDING for a delay"
                .to_owned())
        }
    }
}

fn micros(value: &ScalarValue) -> Result<i64, String> {
    const DAY_US: i64 = 86_400_000_000;
    let micros = match value {
        ScalarValue::IntervalMonthDayNano(Some(interval)) => {
            if interval.months != 0 {
                return Err(MONTHS.to_owned());
            }
            if interval.nanoseconds % 1_000 != 0 {
                return Err("frames are exact to the microsecond; the interval is finer".to_owned());
            }
            i64::from(interval.days)
                .checked_mul(DAY_US)
                .and_then(|days| days.checked_add(interval.nanoseconds / 1_000))
        }
        ScalarValue::IntervalDayTime(Some(interval)) => i64::from(interval.days)
            .checked_mul(DAY_US)
            .and_then(|days| days.checked_add(i64::from(interval.milliseconds) * 1_000)),
        ScalarValue::IntervalYearMonth(Some(_)) => return Err(MONTHS.to_owned()),
        _ => {
            return Err("a RANGE frame over time is bounded by an interval; write for example INTERVAL '10' MINUTE PRECEDING"
                .to_owned());
        }
    };
    micros.filter(|us| *us >= 0).ok_or_else(|| {
        "the frame's interval is negative or too long; PRECEDING counts back from the row, at most 292,000 years"
            .to_owned()
    })
}

fn positions(value: &ScalarValue) -> Result<u64, String> {
    match value {
        ScalarValue::UInt64(Some(n)) => Ok(*n),
        _ => Err("a ROWS frame is bounded by a number of rows; write for example 10 PRECEDING".to_owned()),
    }
}

/// `a OR b`, where `None` is true.
pub(super) fn any(exprs: impl IntoIterator<Item = Option<Expr>>) -> Option<Expr> {
    exprs.into_iter().collect::<Option<Vec<Expr>>>()?.into_iter().reduce(|a, b| binary(a, Operator::Or, b))
}

/// `a AND b AND ...`; `None` of nothing.
pub(super) fn all(exprs: impl IntoIterator<Item = Expr>) -> Option<Expr> {
    exprs.into_iter().reduce(|a, b| binary(a, Operator::And, b))
}

fn binary(left: Expr, op: Operator, right: Expr) -> Expr {
    Expr::BinaryExpr(datafusion_expr::BinaryExpr::new(Box::new(left), op, Box::new(right)))
}
