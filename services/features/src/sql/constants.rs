//! Constants that cannot be computed: `1 / 0` fails for every row, so that no row would ever leave.

use std::sync::Arc;

use arrow::array::RecordBatchOptions;
use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;
use datafusion_common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion_common::{DFSchema, Result};
use datafusion_expr::execution_props::ExecutionProps;
use datafusion_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion_expr::{Expr, LogicalPlan};
use datafusion_physical_expr::create_physical_expr;

use super::words::words;

/// Why a constant of the plan cannot be computed, if one cannot.
///
/// The plan is that of the text: once expressions of several branches are put into one another, a column may be a
/// constant in one of them, and a CASE around it keep its expressions from being computed there.
pub(super) fn failing(plan: &LogicalPlan) -> Result<Option<String>> {
    let mut found = None;
    plan.apply(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|part| {
                if !is_computed_constant(part) {
                    return Ok(TreeNodeRecursion::Continue);
                }
                found = compute(part).err().map(|error| words(&error));
                Ok(if found.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Jump })
            })
        })
    })?;
    Ok(found)
}

fn is_computed_constant(expr: &Expr) -> bool {
    let is_plain = |expr: &Expr| matches!(expr, Expr::Literal(..) | Expr::Alias(_));
    let needs_rows = |expr: &Expr| {
        Ok(matches!(
            expr,
            Expr::Column(_) | Expr::WindowFunction(_) | Expr::AggregateFunction(_) | Expr::Placeholder(_)
        ))
    };
    !is_plain(expr) && !expr.exists(needs_rows).unwrap_or(true)
}

fn compute(expr: &Expr) -> Result<()> {
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    let row = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), Vec::new(), &options)?;
    let (properties, context) = (ExecutionProps::new(), PhysicalPlanningContext::default());
    create_physical_expr(expr, &DFSchema::empty(), &properties, &context)?.evaluate(&row).map(drop)
}
