//! Rows of internal topics: the slots that later stages need, and what they must know of a row besides.
//!
//! `_branch` is the source's place in the SQL, `_time` the row's record time, `_warm` marks rows that lie before the
//! view's start: they change state in every stage and are emitted by none. What orders rows of equal times needs no
//! column: it is the origin that every record carries.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, TimestampMillisecondArray, UInt32Array,
};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use millrace_runtime::task::{Batch, RowMeta};

use super::{Taken, place};
use crate::error::Error;
use crate::exec::{Lanes, Rows, micros};
use crate::plan::Plan;
use crate::plan::hidden::{BRANCH, TIME, WARM};

/// The Arrow schema of the topic that a stage reads.
pub(crate) fn internal_schema(plan: &Plan, stage: usize) -> Schema {
    let slots = plan.stages[stage].input.iter().map(|slot| &plan.slots[*slot]);
    let mut fields: Vec<Field> = slots
        .enumerate()
        .map(|(i, slot)| {
            // Results of windows are NULL where they are not asked.
            let computed = plan.stages[stage].input[i] >= plan.branch_columns;
            Field::new(&slot.name, slot.data_type.clone(), slot.nullable || computed)
        })
        .collect();
    fields.push(Field::new(BRANCH, DataType::Int32, false));
    fields.push(Field::new(TIME, DataType::Timestamp(TimeUnit::Millisecond, Some("+00:00".into())), false));
    fields.push(Field::new(WARM, DataType::Boolean, false));
    Schema::new(fields)
}

/// Writes rows for the next stage.
pub(super) struct Encoder {
    schema: SchemaRef,
    /// Where the slots are among the rows' columns.
    columns: Vec<usize>,
}

impl Encoder {
    pub(super) fn new(plan: &Plan, next: usize, layout: &[usize]) -> Self {
        let slots = plan.stages[next].input.iter();
        Self {
            schema: Arc::new(internal_schema(plan, next)),
            columns: slots.filter_map(|slot| layout.iter().position(|known| known == slot)).collect(),
        }
    }

    pub(super) fn encode(&self, rows: &Rows, warm: bool) -> Result<RecordBatch, ArrowError> {
        let mut columns: Vec<ArrayRef> =
            self.columns.iter().map(|column| rows.columns[*column].clone()).collect();
        columns.push(cast(&rows.branch, &DataType::Int32)?);
        let time = rows.record_time.values().iter().map(|us| us.div_euclid(1_000));
        columns.push(Arc::new(TimestampMillisecondArray::from_iter_values(time).with_timezone("+00:00")));
        columns.push(Arc::new(BooleanArray::from(vec![warm; rows.len()])));
        RecordBatch::try_new(self.schema.clone(), columns)
    }
}

/// Reads rows of the stage before.
pub(super) struct Decoder {
    stage: usize,
    names: Vec<String>,
    /// Which of them is the ORDER BY time.
    time: Option<usize>,
}

impl Decoder {
    pub(super) fn new(plan: &Plan, stage: usize) -> Self {
        let input = &plan.stages[stage].input;
        Self {
            stage,
            names: input.iter().map(|slot| plan.slots[*slot].name.clone()).collect(),
            time: plan.time.and_then(|time| input.iter().position(|slot| *slot == time)),
        }
    }

    /// Rows in the order of the batch, cut where warm ones and others meet.
    pub(super) fn decode(&self, batch: &Batch, lanes: &mut Lanes) -> Result<Vec<Taken>, Error> {
        let Some(input) = batch.inputs.first() else { return Ok(Vec::new()) };
        let rows = in_order(batch, &input.rows)?;
        let meta: Vec<&RowMeta> =
            batch.order.iter().filter_map(|at| input.meta.get(at.row as usize)).collect();
        let columns =
            self.names.iter().map(|name| self.column(&rows, name)).collect::<Result<Vec<_>, _>>()?;
        let time = match self.time {
            Some(time) => micros(&columns[time])?,
            None => Int64Array::from(vec![0; rows.num_rows()]),
        };
        let record_time = micros(&self.column(&rows, TIME)?)?;
        let task_time = record_time
            .values()
            .iter()
            .zip(time.values())
            .map(|(record, time)| lanes.advance(0, *record).max(*time));
        let task_time = Int64Array::from_iter_values(task_time);
        let branch = self.column(&rows, BRANCH)?;
        let branch = branch.as_primitive::<Int32Type>().values().iter().map(|branch| branch.cast_unsigned());
        let warm = self.column(&rows, WARM)?;
        let count = u32::try_from(meta.len()).unwrap_or(u32::MAX);
        let all = Rows {
            columns,
            time,
            record_time,
            task_time,
            lane: UInt32Array::from(vec![0; meta.len()]),
            branch: UInt32Array::from_iter_values(branch),
            place: meta.iter().map(|meta| Some(place(meta.origin.partition, meta.origin.offset))).collect(),
            cause: UInt32Array::from_iter_values(0..count),
            late: meta.iter().map(|meta| Some(meta.late)).collect(),
        };
        Ok(runs(warm.as_boolean())
            .map(|(from, len, warm)| Taken { rows: slice(&all, from, len), warm })
            .collect())
    }

    fn column(&self, rows: &RecordBatch, name: &str) -> Result<ArrayRef, Error> {
        rows.column_by_name(name)
            .cloned()
            .ok_or_else(|| Error::MissingColumn { stage: self.stage, column: name.to_owned() })
    }
}

fn in_order(batch: &Batch, rows: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let identity = batch.order.len() == rows.num_rows()
        && batch.order.iter().zip(0_u32..).all(|(at, row)| at.row == row);
    if identity {
        return Ok(rows.clone());
    }
    let order = UInt32Array::from_iter_values(batch.order.iter().map(|at| at.row));
    let columns = rows.columns().iter().map(|column| take(column, &order, None)).collect::<Result<_, _>>()?;
    RecordBatch::try_new(rows.schema(), columns)
}

/// Stretches of equal flags: where each begins, how long it is, and its flag.
fn runs(flags: &BooleanArray) -> impl Iterator<Item = (usize, usize, bool)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let flag = (from < flags.len()).then(|| flags.value(from))?;
        let len = (from..flags.len()).take_while(|i| flags.value(*i) == flag).count();
        from += len;
        Some((from - len, len, flag))
    })
}

fn slice(rows: &Rows, from: usize, len: usize) -> Rows {
    Rows {
        columns: rows.columns.iter().map(|column| column.slice(from, len)).collect(),
        time: rows.time.slice(from, len),
        record_time: rows.record_time.slice(from, len),
        task_time: rows.task_time.slice(from, len),
        lane: rows.lane.slice(from, len),
        branch: rows.branch.slice(from, len),
        place: rows.place.slice(from, len),
        cause: rows.cause.slice(from, len),
        late: rows.late.slice(from, len),
    }
}
