//! Expressions compiled to DataFusion's physical ones and evaluated over whole batches.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatchOptions, new_empty_array};
use arrow::compute::{concat, prep_null_mask_filter};
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use datafusion_common::{DFSchema, Result as DataFusionResult, cast::as_boolean_array};
use datafusion_expr::Expr;
use datafusion_expr::execution_props::ExecutionProps;
use datafusion_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion_physical_expr::{PhysicalExpr, create_physical_expr};

use crate::error::Error;
use crate::sql::words;

/// Some expressions over the columns of one schema.
pub(super) struct Program {
    /// What each expression is, for whoever reads why a row was rejected.
    names: Vec<String>,
    exprs: Vec<Arc<dyn PhysicalExpr>>,
    /// The columns, all nullable: results of windows are NULL where they are not asked.
    schema: SchemaRef,
}

/// Values of the rows that could be evaluated.
pub(super) struct Evaluated {
    /// One column per expression, one value per good row.
    pub columns: Vec<ArrayRef>,
    /// Rows that failed, ascending, with what failed and why.
    pub bad: Vec<(usize, String)>,
}

impl Program {
    /// Compiles expressions, each with what it is: an output column's name, `WHERE`.
    pub(super) fn new<'a>(
        exprs: impl IntoIterator<Item = (String, &'a Expr)>,
        schema: &DFSchema,
    ) -> Result<Self, Error> {
        let (properties, context) = (ExecutionProps::new(), PhysicalPlanningContext::default());
        let (names, exprs): (Vec<String>, Vec<&Expr>) = exprs.into_iter().unzip();
        let exprs = exprs
            .into_iter()
            .map(|expr| create_physical_expr(expr, schema, &properties, &context))
            .collect::<DataFusionResult<_>>()?;
        let fields: Vec<Field> =
            schema.fields().iter().map(|field| field.as_ref().clone().with_nullable(true)).collect();
        Ok(Self { names, exprs, schema: Arc::new(Schema::new(fields)) })
    }

    /// Evaluates over columns of `rows` rows. Rows whose expressions fail (a division by zero, a cast) are told apart.
    pub(super) fn evaluate(&self, columns: &[ArrayRef], rows: usize) -> Result<Evaluated, Error> {
        if rows == 0 {
            return Ok(Evaluated { columns: self.nothing()?, bad: Vec::new() });
        }
        let mut bad = Vec::new();
        let mut parts = Vec::new();
        self.parts(&self.batch(columns, rows)?, 0, &mut parts, &mut bad);
        let columns = match parts.len() {
            0 => self.nothing()?,
            1 => parts.swap_remove(0),
            _ => (0..self.exprs.len())
                .map(|i| concat(&parts.iter().map(|part| part[i].as_ref()).collect::<Vec<_>>()))
                .collect::<Result<_, _>>()?,
        };
        Ok(Evaluated { columns, bad })
    }

    /// Halves a batch that fails until the failing rows stand alone: one bad row costs no good one.
    fn parts(
        &self,
        batch: &RecordBatch,
        offset: usize,
        parts: &mut Vec<Vec<ArrayRef>>,
        bad: &mut Vec<(usize, String)>,
    ) {
        match self.whole(batch) {
            Ok(columns) => parts.push(columns),
            Err(detail) if batch.num_rows() == 1 => bad.push((offset, detail)),
            Err(_) => {
                let half = batch.num_rows() / 2;
                self.parts(&batch.slice(0, half), offset, parts, bad);
                self.parts(&batch.slice(half, batch.num_rows() - half), offset + half, parts, bad);
            }
        }
    }

    /// Columns without rows. Nothing is evaluated: `1 / 0` fails even over no row.
    fn nothing(&self) -> DataFusionResult<Vec<ArrayRef>> {
        self.exprs.iter().map(|expr| Ok(new_empty_array(&expr.data_type(&self.schema)?))).collect()
    }

    /// Every expression's column, or which one fails and why.
    fn whole(&self, batch: &RecordBatch) -> Result<Vec<ArrayRef>, String> {
        let column = |(name, expr): (&String, &Arc<dyn PhysicalExpr>)| {
            let value = expr.evaluate(batch).and_then(|value| value.into_array(batch.num_rows()));
            value.map_err(|error| format!("{name}: {}", words(&error)))
        };
        self.names.iter().zip(&self.exprs).map(column).collect()
    }

    fn batch(&self, columns: &[ArrayRef], rows: usize) -> Result<RecordBatch, Error> {
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(self.schema.clone(), columns.to_vec(), &options)?)
    }
}

impl Evaluated {
    /// Which of `rows` rows could be evaluated; `None`: all.
    pub(super) fn good(&self, rows: usize) -> Option<BooleanArray> {
        if self.bad.is_empty() {
            return None;
        }
        let mut good = vec![true; rows];
        for (row, _) in &self.bad {
            good[*row] = false;
        }
        Some(BooleanArray::from(good))
    }

    /// A column as a mask: NULL is false.
    pub(super) fn mask(&self, column: usize) -> Result<BooleanArray, Error> {
        let mask = as_boolean_array(&self.columns[column])?;
        Ok(if mask.null_count() > 0 { prep_null_mask_filter(mask) } else { mask.clone() })
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int64Array, StringArray};
    use arrow::datatypes::DataType;
    use datafusion_expr::{cast, col, lit};

    use super::*;

    #[test]
    fn a_row_that_fails_says_which_column_it_fails_in_and_costs_no_other_row() {
        let schema = Schema::new(vec![
            Field::new("n", DataType::Int64, false),
            Field::new("text", DataType::Utf8, false),
        ]);
        let schema = DFSchema::try_from(schema).unwrap();
        let (ratio, number) = (lit(6_i64) / col("n"), cast(col("text"), DataType::Int32));
        let exprs = [("ratio".to_owned(), &ratio), ("number".to_owned(), &number)];
        let program = Program::new(exprs, &schema).unwrap();
        let columns: [ArrayRef; 2] = [
            Arc::new(Int64Array::from(vec![1, 0, 2, 3])),
            Arc::new(StringArray::from(vec!["1", "2", "three", "4"])),
        ];
        let evaluated = program.evaluate(&columns, 4).unwrap();
        let expected = [
            (1, "ratio: Divide by zero error".to_owned()),
            (2, "number: Cannot cast string 'three' to value of Int32 type".to_owned()),
        ];
        assert_eq!(evaluated.bad, expected);
        assert_eq!(evaluated.columns[0].as_ref(), &Int64Array::from(vec![6, 2]));
    }
}
