//! The source stage's way in: branch filters and projections, checks, and the merge of the branches' rows.

use std::collections::HashMap;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, UInt32Array};
use arrow::compute::{cast, filter, interleave, is_not_null};
use arrow::datatypes::{DataType, Int64Type, TimeUnit};
use datafusion_common::DFSchema;

use super::program::{Evaluated, Program};
use super::{Lanes, Rejected, Rows};
use crate::error::Error;
use crate::plan::Plan;

/// Rows of one source, in the order of their offsets.
pub(crate) struct SourceRows<'a> {
    /// The source's columns, in the order of its schema.
    pub columns: &'a [ArrayRef],
    /// Record times, in µs.
    pub record_time: &'a [i64],
    /// What orders rows of equal times.
    pub place: &'a [i64],
    /// Partitions of the source stage.
    pub lane: &'a [u32],
}

/// Brings rows of all branches into one order.
pub(crate) struct Intake {
    branches: Vec<Branch>,
    /// How many columns rows have when they come in.
    width: usize,
    /// Which of them is the ORDER BY time.
    time: Option<usize>,
}

struct Branch {
    key: usize,
    key_name: String,
    time_name: String,
    filters: Program,
    columns: Program,
    relevant: Program,
}

/// What [`Intake::take`] made of some rows.
pub(crate) struct Taken {
    /// Rows that the stage runs.
    pub rows: Rows,
    /// Rows that were refused.
    pub rejected: Vec<Rejected>,
}

impl Intake {
    pub(crate) fn new(plan: &Plan) -> Result<Self, Error> {
        let input: &[usize] = plan.stages.first().map(|stage| stage.input.as_slice()).unwrap_or_default();
        let branches = plan.branches.iter().zip(&plan.sources).map(|(branch, source)| {
            let schema = DFSchema::try_from(source.schema.as_ref().clone())?;
            Ok(Branch {
                key: source.schema.index_of(&source.key)?,
                key_name: source.key.clone(),
                time_name: plan.time.map(|time| plan.slots[time].name.clone()).unwrap_or_default(),
                filters: Program::new(branch.filters.iter().map(|expr| ("WHERE".to_owned(), expr)), &schema)?,
                columns: Program::new(
                    input.iter().map(|slot| (plan.slot_label(*slot), &branch.columns[*slot])),
                    &schema,
                )?,
                relevant: Program::new(
                    branch.relevant.iter().map(|expr| ("WHERE or FILTER".to_owned(), expr)),
                    &schema,
                )?,
            })
        });
        Ok(Self {
            branches: branches.collect::<Result<_, Error>>()?,
            width: input.len(),
            time: plan.time.and_then(|time| input.iter().position(|slot| *slot == time)),
        })
    }

    /// Takes rows in an order of (source, row).
    pub(crate) fn take(
        &self,
        inputs: &[SourceRows],
        order: impl Iterator<Item = (usize, usize)>,
        lanes: &mut Lanes,
    ) -> Result<Taken, Error> {
        let parts = self
            .branches
            .iter()
            .zip(inputs)
            .map(|(branch, input)| branch.run(input, self.time))
            .collect::<Result<Vec<_>, _>>()?;
        let mut merge = Merge::default();
        for (cause, (input, row)) in (0_u32..).zip(order) {
            let (part, source) = (&parts[input], &inputs[input]);
            if let Some((reason, detail)) = part.rejected.get(&row) {
                merge.rejected.push(Rejected { cause, reason, detail: detail.clone() });
                continue;
            }
            let (lane, record_time) = (source.lane[row], source.record_time[row]);
            let task_time = lanes.advance(lane, record_time);
            if let Some(position) = part.position(row) {
                let time = part.time.as_ref().map_or(0, |time| time.value(position));
                merge.indices.push((input, position));
                merge.time.push(time);
                merge.record_time.push(record_time);
                merge.task_time.push(task_time.max(time));
                merge.lane.push(lane);
                merge.place.push(source.place[row]);
                merge.cause.push(cause);
            }
        }
        merge.finish(&parts, self.width)
    }
}

const NONE: u32 = u32::MAX;

/// A branch's rows.
struct Part {
    columns: Vec<ArrayRef>,
    time: Option<Int64Array>,
    /// For each row of the source, its row in `columns`, or `NONE`.
    position: Vec<u32>,
    rejected: HashMap<usize, (&'static str, String)>,
}

impl Part {
    fn position(&self, row: usize) -> Option<usize> {
        self.position.get(row).copied().filter(|position| *position != NONE).map(|position| position as usize)
    }
}

/// Rows of a branch that are still in, while its checks run.
struct Alive<'a> {
    input: &'a SourceRows<'a>,
    columns: Vec<ArrayRef>,
    /// For each, its row in the source.
    row: UInt32Array,
    rejected: HashMap<usize, (&'static str, String)>,
}

impl Alive<'_> {
    fn keep(&mut self, mask: &BooleanArray) -> Result<(), Error> {
        if mask.true_count() < self.row.len() {
            for column in &mut self.columns {
                *column = filter(column, mask)?;
            }
            self.row = UInt32Array::from(filter(&self.row, mask)?.to_data());
        }
        Ok(())
    }

    fn reject(&mut self, row: usize, reason: &'static str, detail: String) {
        self.rejected.insert(self.row.value(row) as usize, (reason, detail));
    }

    /// Evaluates a program over the rows; those that fail are rejected and leave.
    fn evaluate(&mut self, program: &Program) -> Result<Evaluated, Error> {
        let evaluated = program.evaluate(&self.columns, self.row.len())?;
        let good = evaluated.good(self.row.len());
        for (row, detail) in &evaluated.bad {
            self.reject(*row, "expression", detail.clone());
        }
        if let Some(good) = good {
            self.keep(&good)?;
        }
        Ok(evaluated)
    }
}

impl Branch {
    fn run(&self, input: &SourceRows, time: Option<usize>) -> Result<Part, Error> {
        let rows = u32::try_from(input.record_time.len()).unwrap_or(NONE);
        let row = UInt32Array::from_iter_values(0..rows);
        let mut alive = Alive { input, columns: input.columns.to_vec(), row, rejected: HashMap::new() };
        self.null_keys(&mut alive)?;
        self.restrict(&self.filters, &mut alive)?;
        let evaluated = alive.evaluate(&self.columns)?;
        // The checks and the last filter need both the source's columns and the branch's.
        let width = alive.columns.len();
        alive.columns.extend(evaluated.columns);
        if let Some(time) = time {
            self.times(&mut alive, width + time)?;
        }
        self.relevant(&mut alive, width)?;
        let columns = alive.columns.split_off(width);
        let time = time.map(|time| micros(&columns[time])).transpose()?;
        let mut position = vec![NONE; input.record_time.len()];
        for (i, row) in (0_u32..).zip(alive.row.values()) {
            position[*row as usize] = i;
        }
        Ok(Part { columns, time, position, rejected: alive.rejected })
    }

    fn null_keys(&self, alive: &mut Alive) -> Result<(), Error> {
        let key = alive.columns[self.key].clone();
        if key.null_count() == 0 {
            return Ok(());
        }
        for row in (0..key.len()).filter(|row| key.is_null(*row)) {
            alive.reject(row, "null_key", format!("{} is NULL", self.key_name));
        }
        alive.keep(&is_not_null(&key)?)
    }

    fn restrict(&self, program: &Program, alive: &mut Alive) -> Result<(), Error> {
        let evaluated = alive.evaluate(program)?;
        if evaluated.columns.is_empty() { Ok(()) } else { alive.keep(&all(&evaluated)?) }
    }

    fn relevant(&self, alive: &mut Alive, width: usize) -> Result<(), Error> {
        let branch = alive.columns.split_off(width);
        let evaluated = self.relevant.evaluate(&alive.columns, alive.row.len())?;
        alive.columns.extend(branch);
        for (row, detail) in &evaluated.bad {
            alive.reject(*row, "expression", detail.clone());
        }
        if let Some(good) = evaluated.good(alive.row.len()) {
            alive.keep(&good)?;
        }
        if evaluated.columns.is_empty() { Ok(()) } else { alive.keep(&all(&evaluated)?) }
    }

    /// A row needs a time to be placed by, and cannot have one that is yet to come.
    fn times(&self, alive: &mut Alive, column: usize) -> Result<(), Error> {
        let time = micros(&alive.columns[column])?;
        let mut good = Vec::with_capacity(time.len());
        for row in 0..time.len() {
            let fault = if alive.columns[column].is_null(row) {
                Some(("null_time", format!("{} is NULL", self.time_name)))
            } else if time.is_null(row) {
                Some(("time_out_of_range", format!("{} lies beyond what µs can count", self.time_name)))
            } else {
                let record_time = alive.input.record_time[alive.row.value(row) as usize];
                // Record times are in ms; a finer time within the same ms is not ahead.
                let ahead = time.value(row).saturating_sub(record_time.saturating_add(999));
                (ahead > 0)
                    .then(|| ("order_time_ahead", format!("{} lies after the record time", self.time_name)))
            };
            good.push(fault.is_none());
            if let Some((reason, detail)) = fault {
                alive.reject(row, reason, detail);
            }
        }
        alive.keep(&BooleanArray::from(good))
    }
}

/// The conjunction of all columns.
fn all(evaluated: &Evaluated) -> Result<BooleanArray, Error> {
    let mut mask = evaluated.mask(0)?;
    for column in 1..evaluated.columns.len() {
        mask = arrow::compute::and(&mask, &evaluated.mask(column)?)?;
    }
    Ok(mask)
}

/// A timestamp column in µs; NULL also where that is out of range.
pub(crate) fn micros(column: &ArrayRef) -> Result<Int64Array, Error> {
    let zone = match column.data_type() {
        DataType::Timestamp(_, zone) => zone.clone(),
        _ => None,
    };
    let micros = cast(column, &DataType::Timestamp(TimeUnit::Microsecond, zone))?;
    Ok(cast(&micros, &DataType::Int64)?.as_primitive::<Int64Type>().clone())
}

/// Rows of all branches in the order in which they are taken.
#[derive(Default)]
struct Merge {
    indices: Vec<(usize, usize)>,
    time: Vec<i64>,
    record_time: Vec<i64>,
    task_time: Vec<i64>,
    lane: Vec<u32>,
    place: Vec<i64>,
    cause: Vec<u32>,
    rejected: Vec<Rejected>,
}

impl Merge {
    fn finish(self, parts: &[Part], width: usize) -> Result<Taken, Error> {
        let columns = (0..width)
            .map(|column| {
                let arrays: Vec<&dyn Array> =
                    parts.iter().map(|part| part.columns[column].as_ref()).collect();
                interleave(&arrays, &self.indices)
            })
            .collect::<Result<_, _>>()?;
        let branch = self.indices.iter().map(|(input, _)| u32::try_from(*input).unwrap_or(NONE));
        let rows = Rows {
            columns,
            branch: UInt32Array::from_iter_values(branch),
            late: BooleanArray::from(vec![false; self.cause.len()]),
            time: Int64Array::from(self.time),
            record_time: Int64Array::from(self.record_time),
            task_time: Int64Array::from(self.task_time),
            lane: UInt32Array::from(self.lane),
            place: Int64Array::from(self.place),
            cause: UInt32Array::from(self.cause),
        };
        Ok(Taken { rows, rejected: self.rejected })
    }
}
