//! Window functions and OVER clauses: what frames can be evaluated row by row.

use std::ops::ControlFlow;

use datafusion_sql::sqlparser::ast::{
    DuplicateTreatment, Expr, Function, FunctionArguments, Select, SelectItem, UnaryOperator, Value,
    WindowFrame, WindowFrameBound, WindowFrameUnits, WindowSpec, WindowType, visit_expressions,
};

use super::refusal::Place;
use super::sites::{column_name, normalized, place};
use super::syntax::Checker;

/// Aggregates that windows have, by every name that DataFusion gives them.
const SUPPORTED: [&str; 6] = ["avg", "count", "max", "mean", "min", "sum"];

/// A function call that has an OVER clause.
pub(super) fn function(checker: &mut Checker, function: &Function, name: &str, at: Option<Place>) {
    if !SUPPORTED.contains(&name) {
        checker.refuse(
            at,
            format!("the window function {name} is not supported yet; there are count, sum, avg, min and max, with FILTER (WHERE ...)"),
        );
    }
    let arguments = match &function.args {
        FunctionArguments::List(list) => Some(list),
        _ => None,
    };
    if arguments.is_some_and(|list| list.duplicate_treatment == Some(DuplicateTreatment::Distinct)) {
        checker.refuse(at, format!("{name}(DISTINCT ...) is not supported yet; leave DISTINCT out"));
    }
    let null_treatment =
        function.null_treatment.is_some() || arguments.is_some_and(|list| !list.clauses.is_empty());
    if null_treatment || !function.within_group.is_empty() {
        checker.refuse(
            at,
            format!("{name} takes no IGNORE NULLS, ORDER BY or WITHIN GROUP; NULLs are left out with FILTER (WHERE x IS NOT NULL)"),
        );
    }
}

/// An OVER clause or a window of the WINDOW clause. `at` is the function or the window's name.
pub(super) fn spec(checker: &mut Checker, spec: &WindowSpec, at: Option<Place>) {
    if let Some(name) = &spec.window_name {
        checker.refuse(
            Place::of(name.span).or(at),
            format!("OVER ({name}) derives a new window; write OVER {name} without parentheses"),
        );
        return;
    }
    let columns: Vec<&Expr> = spec.partition_by.iter().filter(|e| !matches!(e, Expr::Value(_))).collect();
    if columns.is_empty() {
        checker.refuse(
            at,
            "PARTITION BY is missing: the window would span the whole topic; write PARTITION BY <column>",
        );
    }
    for expr in columns {
        if let Some(at) = place(expr) {
            checker.sites.partition_by.push((column_name(expr), at));
        }
    }
    order_by(checker, spec, at);
    if let Some(frame) = &spec.window_frame {
        self::frame(checker, frame, at);
    }
}

/// That every OVER <name> of a SELECT names a window of its WINDOW clause.
pub(super) fn names(checker: &mut Checker, select: &Select) {
    let known: Vec<String> = select.named_window.iter().map(|definition| normalized(&definition.0)).collect();
    let mut missing = Vec::new();
    let mut note = |expr: &Expr| {
        let _ = visit_expressions(expr, |part| {
            if let Expr::Function(Function { over: Some(WindowType::NamedWindow(name)), .. }) = part
                && !known.contains(&normalized(name))
            {
                missing.push(name.clone());
            }
            ControlFlow::<()>::Continue(())
        });
    };
    for item in &select.projection {
        if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
            note(expr);
        }
    }
    select.qualify.iter().for_each(note);
    let all = if known.is_empty() {
        "there is no WINDOW clause".to_owned()
    } else {
        format!("there are {}", known.join(", "))
    };
    for name in missing {
        checker.refuse(
            Place::of(name.span),
            format!(
                "no window is called {name}, {all}; write WINDOW {name} AS (PARTITION BY ... ORDER BY ...)"
            ),
        );
    }
}

fn order_by(checker: &mut Checker, spec: &WindowSpec, at: Option<Place>) {
    let [order] = spec.order_by.as_slice() else {
        let message = if spec.order_by.is_empty() {
            "ORDER BY is missing in the window; write ORDER BY <timestamp column>"
        } else {
            "a window is ordered by exactly one timestamp column; leave the others out"
        };
        return checker.refuse(at, message);
    };
    let at = place(order).or(at);
    if order.options.asc == Some(false) {
        checker.refuse(at, "windows run forward in time; leave DESC out");
    }
    if let Some(at) = at {
        checker.sites.order_by.push((column_name(&order.expr), at));
    }
}

fn frame(checker: &mut Checker, frame: &WindowFrame, at: Option<Place>) {
    let end = frame.end_bound.as_ref().unwrap_or(&WindowFrameBound::CurrentRow);
    match frame.units {
        WindowFrameUnits::Groups => {
            checker.refuse(at, "GROUPS frames are not supported; write RANGE BETWEEN <interval> PRECEDING AND CURRENT ROW");
        }
        WindowFrameUnits::Rows if !checker.horizon => checker.refuse(
            at,
            "a ROWS frame has no bound in time; set `horizon` in [features] of the topic file, or write RANGE",
        ),
        WindowFrameUnits::Rows | WindowFrameUnits::Range => {}
    }
    for bound in [&frame.start_bound, end] {
        match bound {
            WindowFrameBound::Following(_) => {
                checker.refuse(at, "the frame looks ahead; it can end at CURRENT ROW, or at <interval> PRECEDING for a delay");
            }
            WindowFrameBound::Preceding(Some(expr)) if has_months(expr) => checker.refuse(
                place(expr.as_ref()).or(at),
                "months and years have no fixed length; write the interval in days, hours, minutes or seconds",
            ),
            WindowFrameBound::Preceding(Some(expr)) => preceding(checker, frame.units, expr, at),
            WindowFrameBound::Preceding(None) | WindowFrameBound::CurrentRow => {}
        }
    }
    if matches!(end, WindowFrameBound::Preceding(None)) {
        checker.refuse(
            at,
            "a frame cannot end at UNBOUNDED PRECEDING; it ends at CURRENT ROW or at <interval> PRECEDING",
        );
    }
}

/// A bound that lies before the row: of RANGE an interval, of ROWS a number of rows.
fn preceding(checker: &mut Checker, units: WindowFrameUnits, expr: &Expr, at: Option<Place>) {
    let at = place(expr).or(at);
    let is_number =
        |expr: &Expr| matches!(expr, Expr::Value(value) if matches!(value.value, Value::Number(..)));
    let (is_negative, size) = match expr {
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => (true, expr.as_ref()),
        Expr::Interval(interval) => (is_negative(&interval.value), expr),
        other => (false, other),
    };
    if units == WindowFrameUnits::Range && is_number(size) {
        checker.refuse(
            at,
            format!("a RANGE frame is over time, and {size} is none; write an interval, for example INTERVAL '{size}' SECOND PRECEDING"),
        );
    } else if units == WindowFrameUnits::Rows && !is_number(size) {
        checker.refuse(
            at,
            format!("a ROWS frame counts rows, and {size} is no number of them; write RANGE, or a number"),
        );
    } else if is_negative {
        checker.refuse(at, "PRECEDING already counts back from the row; leave the minus out");
    }
}

/// Whether the text of an interval begins with a minus.
fn is_negative(interval: &Expr) -> bool {
    match interval {
        Expr::UnaryOp { op: UnaryOperator::Minus, .. } => true,
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => text.trim_start().starts_with('-'),
            _ => false,
        },
        _ => false,
    }
}

fn has_months(expr: &Expr) -> bool {
    let text = expr.to_string().to_lowercase();
    ["mon", "year", "quarter", "decade", "centur"].iter().any(|unit| text.contains(unit))
}
