//! Window functions and OVER clauses: what frames can be evaluated row by row.

use datafusion_sql::sqlparser::ast::{
    DuplicateTreatment, Expr, Function, FunctionArguments, WindowFrame, WindowFrameBound, WindowFrameUnits,
    WindowSpec,
};

use super::refusal::Place;
use super::sites::{column_name, place};
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
            _ => {}
        }
    }
    if matches!(end, WindowFrameBound::Preceding(None)) {
        checker.refuse(
            at,
            "a frame cannot end at UNBOUNDED PRECEDING; it ends at CURRENT ROW or at <interval> PRECEDING",
        );
    }
}

fn has_months(expr: &Expr) -> bool {
    let text = expr.to_string().to_lowercase();
    ["mon", "year", "quarter", "decade", "centur"].iter().any(|unit| text.contains(unit))
}
