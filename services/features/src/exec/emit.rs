//! The view's outputs, evaluated over the rows that the last stage lets through.

use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatchOptions, UInt32Array};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion_expr::Expr;

use super::program::Program;
use super::stage::{filter, reject};
use super::{Rejected, Rows, slots};
use crate::error::Error;
use crate::plan::{OutputColumn, Plan, slot_schema};

/// Evaluates outputs.
pub(crate) struct Emitter {
    outputs: Program,
    schema: SchemaRef,
    /// Filters of later stages, where this is not the last.
    filters: Vec<Program>,
}

/// Rows as the view emits them.
pub(crate) struct Emitted {
    /// With the view's schema.
    pub rows: RecordBatch,
    /// For each, its index in the order of the call.
    pub cause: UInt32Array,
    /// For each, whether a window took it too late to count.
    pub late: BooleanArray,
}

impl Emitter {
    /// `layout`: the slots of the rows that the last stage gives.
    pub(crate) fn new(plan: &Plan, layout: &[usize]) -> Result<Self, Error> {
        Self::of(plan, layout, &plan.outputs.iter().collect::<Vec<_>>(), &[], plan.output_schema.clone())
    }

    /// Of some outputs, over the rows that stage `stage` gives and later ones would let through.
    pub(crate) fn partial(
        plan: &Plan,
        stage: usize,
        layout: &[usize],
        columns: &[String],
    ) -> Result<Self, Error> {
        let outputs: Vec<&OutputColumn> =
            columns.iter().filter_map(|name| plan.outputs.iter().find(|o| o.name == *name)).collect();
        let places =
            columns.iter().map(|name| plan.output_schema.index_of(name)).collect::<Result<Vec<_>, _>>()?;
        let schema = Arc::new(plan.output_schema.project(&places)?);
        Self::of(plan, layout, &outputs, &plan.filters_after(stage), schema)
    }

    fn of(
        plan: &Plan,
        layout: &[usize],
        outputs: &[&OutputColumn],
        filters: &[&Expr],
        emitted: SchemaRef,
    ) -> Result<Self, Error> {
        let schema = slot_schema(slots(plan, layout))?;
        let filters = filters.iter().map(|expr| Program::new([("a filter".to_owned(), *expr)], &schema));
        let filters = filters.collect::<Result<_, _>>()?;
        let named = outputs.iter().map(|output| (output.name.clone(), &output.expr));
        Ok(Self { outputs: Program::new(named, &schema)?, schema: emitted, filters })
    }

    pub(crate) fn emit(&self, mut rows: Rows, rejected: &mut Vec<Rejected>) -> Result<Emitted, Error> {
        for program in &self.filters {
            rows = filter(program, rows, rejected)?;
        }
        let evaluated = self.outputs.evaluate(&rows.columns, rows.len())?;
        reject(&evaluated.bad, &rows, rejected);
        if let Some(good) = evaluated.good(rows.len()) {
            rows = rows.filter(&good)?;
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        let batch = RecordBatch::try_new_with_options(self.schema.clone(), evaluated.columns, &options)?;
        Ok(Emitted { rows: batch, cause: rows.cause, late: rows.late })
    }
}
