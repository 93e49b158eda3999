//! Conditions that are none. Type coercion makes every FILTER a boolean by a cast, so this is seen before it.

use arrow::datatypes::DataType;
use datafusion_common::Result;
use datafusion_common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion_expr::{Expr, ExprSchemable, LogicalPlan};

use super::blame::no_condition;
use super::refusal::Refusal;

/// Refuses the first FILTER of a plan before type coercion that is of another type than boolean.
pub(super) fn refused(plan: &LogicalPlan) -> Result<Option<Refusal>> {
    let mut found = None;
    plan.apply(|node| {
        let LogicalPlan::Window(window) = node else { return Ok(TreeNodeRecursion::Continue) };
        for filter in window.window_expr.iter().filter_map(filter_of) {
            // What has no type yet fails in type coercion, which says why.
            let Ok(kind) = filter.get_type(window.input.schema()) else { continue };
            if !matches!(kind, DataType::Boolean | DataType::Null) {
                found = Some(Refusal::new(None, no_condition("FILTER (WHERE ...)", &text(filter), &kind)));
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(found)
}

fn filter_of(expr: &Expr) -> Option<&Expr> {
    match expr {
        Expr::Alias(alias) => filter_of(&alias.expr),
        Expr::WindowFunction(call) => call.params.filter.as_deref(),
        _ => None,
    }
}

fn text(expr: &Expr) -> String {
    match expr {
        Expr::Column(column) => column.name.clone(),
        other => other.human_display().to_string(),
    }
}
