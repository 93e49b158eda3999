//! Result columns, filled in row by row.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Float64Array, Int64Array, StringBuilder, UInt64Array};
use arrow::buffer::{Buffer, NullBuffer, ScalarBuffer};
use arrow::compute::cast;
use arrow::datatypes::DataType;

use super::Error;
use super::plan::{Kind, Plan};
use super::text::Texts;

/// One column per frame; what is not set is NULL.
pub(super) struct Outputs {
    columns: Vec<Column>,
    rows: usize,
}

enum Column {
    Words { values: Vec<u64>, valid: Vec<bool> },
    Texts(StringBuilder),
}

impl Outputs {
    pub(super) fn new(plan: &Plan, rows: usize) -> Self {
        let column = |(_, kind): &(DataType, Kind)| match kind {
            Kind::Text => Column::Texts(StringBuilder::new()),
            _ => Column::Words { values: vec![0; rows], valid: vec![false; rows] },
        };
        Self { columns: plan.outputs.iter().map(column).collect(), rows }
    }

    /// Sets a frame's result of a row; rows come in order.
    #[inline]
    pub(super) fn set(&mut self, frame: usize, row: usize, word: Option<u64>, texts: &Texts) {
        let Some(word) = word else { return };
        match &mut self.columns[frame] {
            Column::Words { values, valid } => {
                values[row] = word;
                valid[row] = true;
            }
            Column::Texts(builder) => {
                pad(builder, row);
                builder.append_value(texts.get(word));
            }
        }
    }

    pub(super) fn finish(self, plan: &Plan) -> Result<Vec<ArrayRef>, Error> {
        let rows = self.rows;
        let finish = |(column, (data_type, kind)): (Column, &(DataType, Kind))| {
            let array: ArrayRef = match column {
                Column::Texts(mut builder) => {
                    pad(&mut builder, rows);
                    Arc::new(builder.finish())
                }
                Column::Words { values, valid } => array(*kind, values, NullBuffer::from(valid)),
            };
            // The stored form is a wider or plainer one of the same value: going back loses nothing.
            if array.data_type() == data_type { Ok(array) } else { Ok(cast(&array, data_type)?) }
        };
        self.columns.into_iter().zip(&plan.outputs).map(finish).collect()
    }
}

fn pad(builder: &mut StringBuilder, rows: usize) {
    let missing = rows.saturating_sub(arrow::array::ArrayBuilder::len(builder));
    builder.append_nulls(missing);
}

fn array(kind: Kind, values: Vec<u64>, valid: NullBuffer) -> ArrayRef {
    let nulls = Some(valid).filter(|valid| valid.null_count() > 0);
    if kind == Kind::Boolean {
        return Arc::new(BooleanArray::new(values.iter().map(|word| *word != 0).collect(), nulls));
    }
    let (rows, buffer) = (values.len(), Buffer::from_vec(values));
    match kind {
        Kind::Unsigned => Arc::new(UInt64Array::new(ScalarBuffer::new(buffer, 0, rows), nulls)),
        Kind::Float => Arc::new(Float64Array::new(ScalarBuffer::new(buffer, 0, rows), nulls)),
        _ => Arc::new(Int64Array::new(ScalarBuffer::new(buffer, 0, rows), nulls)),
    }
}
