//! The rows of one input that a batch takes, gathered from the chunks they were decoded in.

use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;

use crate::task::{Input, RowMeta};

/// Rows taken so far: runs of neighbours in one chunk stay together.
#[derive(Debug, Default)]
pub struct Cut {
    runs: Vec<Run>,
    meta: Vec<RowMeta>,
}

#[derive(Debug)]
struct Run {
    chunk: u64,
    rows: RecordBatch,
    start: usize,
    len: usize,
}

impl Cut {
    /// Takes row `row` of chunk number `chunk`; its index in the cut.
    pub fn push(&mut self, chunk: u64, rows: &RecordBatch, row: usize, meta: RowMeta) -> usize {
        self.meta.push(meta);
        match self.runs.last_mut() {
            Some(run) if run.chunk == chunk && run.start + run.len == row => run.len += 1,
            _ => self.runs.push(Run { chunk, rows: rows.clone(), start: row, len: 1 }),
        }
        self.meta.len() - 1
    }

    /// The rows as one batch of `schema`.
    pub fn finish(self, schema: &SchemaRef) -> Result<Input, ArrowError> {
        let mut slices: Vec<_> = self.runs.iter().map(|run| run.rows.slice(run.start, run.len)).collect();
        let rows = match slices.len() {
            0 => RecordBatch::new_empty(schema.clone()),
            1 => slices.remove(0),
            _ => concat_batches(schema, &slices)?,
        };
        Ok(Input { rows, meta: self.meta })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{AsArray, Int64Array};
    use arrow::datatypes::{DataType, Field, Int64Type, Schema};

    use super::*;
    use crate::task::Origin;

    #[test]
    fn rows_of_several_chunks_come_out_in_the_order_they_were_taken() {
        let schema = Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, false)]));
        let chunk = |from: i64| {
            let column = Int64Array::from_iter_values(from..from + 4);
            RecordBatch::try_new(schema.clone(), vec![Arc::new(column)]).unwrap()
        };
        let meta = |offset| RowMeta {
            offset,
            time_ms: 0,
            origin: Origin { topic: "t".into(), partition: 0, offset },
            traceparent: None,
            late: false,
        };
        let mut cut = Cut::default();
        for (number, from, row) in [(0, 0, 0), (0, 0, 1), (0, 0, 3), (1, 10, 0)] {
            cut.push(number, &chunk(from), row, meta(from + i64::try_from(row).unwrap()));
        }
        let input = cut.finish(&schema).unwrap();
        assert_eq!(input.rows.column(0).as_primitive::<Int64Type>().values(), &[0, 1, 3, 10]);
        let offsets: Vec<_> = input.meta.iter().map(|m| m.offset).collect();
        assert_eq!(offsets, [0, 1, 3, 10]);
        assert_eq!(Cut::default().finish(&schema).unwrap().rows.num_rows(), 0);
    }
}
