//! The view's outputs, evaluated over the rows that the last stage lets through.

use arrow::array::{BooleanArray, RecordBatchOptions, UInt32Array};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;

use super::program::Program;
use super::stage::reject;
use super::{Rejected, Rows, slots};
use crate::error::Error;
use crate::plan::{Plan, slot_schema};

/// Evaluates outputs.
pub(crate) struct Emitter {
    outputs: Program,
    schema: SchemaRef,
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
        let schema = slot_schema(slots(plan, layout))?;
        let outputs =
            Program::new(plan.outputs.iter().map(|output| (output.name.clone(), &output.expr)), &schema)?;
        Ok(Self { outputs, schema: plan.output_schema.clone() })
    }

    pub(crate) fn emit(&self, mut rows: Rows, rejected: &mut Vec<Rejected>) -> Result<Emitted, Error> {
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
