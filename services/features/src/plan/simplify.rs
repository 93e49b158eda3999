//! Constants folded and boolean algebra applied, by DataFusion's own rules.

use std::sync::Arc;

use datafusion_common::{DFSchema, Result};
use datafusion_expr::Expr;
use datafusion_expr::simplify::SimplifyContext;
use datafusion_optimizer::simplify_expressions::ExprSimplifier;

/// A simpler expression of the same value.
pub(super) fn simplify(expr: Expr, schema: &DFSchema) -> Result<Expr> {
    let context = SimplifyContext::builder().with_schema(Arc::new(schema.clone())).build();
    ExprSimplifier::new(context).simplify(expr)
}
