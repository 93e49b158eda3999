//! Detectors of the single rows of one partition.
//!
//! A detector's state depends on all values since it was made, and the log does not reach back forever. So at the end of
//! every stretch of `memory` of record time another one is made, which watches in silence for a stretch and then speaks
//! in the first one's place: what it says depends on at most two stretches of rows, from which it is rebuilt.

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use arrow::record_batch::RecordBatch;
use millrace_statistics::detectors::{Detector, Signal};
use millrace_topics::Watches;

use super::Declared;
use crate::service::Error;
use crate::service::notes::Maker;
use crate::service::stream::column;

/// The detectors of one partition.
pub struct RowDetectors {
    declared: Vec<Declared>,
    running: BTreeMap<(usize, Option<Maker>), Running>,
    /// The partition's time as far as its rows were seen here, in ms: a rebuild sees them from the first one needed on.
    time_ms: Option<i64>,
}

/// One detector, for the rows of one maker.
struct Running {
    speaks: Detector,
    learns: Detector,
    /// The stretch of the last row.
    stretch: i64,
    /// The offset of the first row of the stretch before, and of this one.
    firsts: (Option<i64>, i64),
}

/// A row at which a detector signals a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signalled {
    /// Index of the row.
    pub row: usize,
    /// Whose rows they are.
    pub maker: Option<Maker>,
    /// The detector's name.
    pub detector: String,
}

impl RowDetectors {
    /// Before the first row.
    pub fn new(declared: Vec<Declared>) -> Self {
        Self { declared, running: BTreeMap::new(), time_ms: None }
    }

    /// Takes rows in the order of their offsets; `makers` has one for each row of predictions.
    pub fn take(
        &mut self,
        rows: &RecordBatch,
        times_ms: &[i64],
        offsets: &[i64],
        makers: Option<&[Maker]>,
    ) -> Result<Vec<Signalled>, Error> {
        let mut signalled = Vec::new();
        if self.declared.is_empty() {
            return Ok(signalled);
        }
        let values = self.declared.iter().map(|one| values(rows, &one.table.watches));
        let values = values.collect::<Result<Vec<Float64Array>, _>>()?;
        for (row, (time_ms, offset)) in times_ms.iter().zip(offsets).enumerate() {
            self.time_ms = self.time_ms.max(Some(*time_ms));
            let maker = makers.map(|makers| &makers[row]);
            // Answers that nobody acted on are no stream of their own.
            if maker.is_some_and(|maker| !maker.serving) {
                continue;
            }
            for (index, values) in values.iter().enumerate().filter(|(_, values)| values.is_valid(row)) {
                if self.step(index, maker, values.value(row), *offset) {
                    let detector = self.declared[index].table.name.clone();
                    signalled.push(Signalled { row, maker: maker.cloned(), detector });
                }
            }
        }
        self.forget();
        Ok(signalled)
    }

    /// Takes values in their order, known as of a time, in ms; which detectors signal a change, and for whom.
    pub fn take_values(&mut self, values: &[(Maker, f64)], time_ms: i64) -> Vec<(String, Maker)> {
        self.time_ms = self.time_ms.max(Some(time_ms));
        let mut signalled = Vec::new();
        for (maker, value) in values.iter().filter(|(maker, _)| maker.serving) {
            for index in 0..self.declared.len() {
                if self.step(index, Some(maker), *value, 0) {
                    signalled.push((self.declared[index].table.name.clone(), maker.clone()));
                }
            }
        }
        self.forget();
        signalled
    }

    /// Takes one value; whether a change is signalled. A value that the detector does not take is left aside.
    fn step(&mut self, index: usize, maker: Option<&Maker>, value: f64, offset: i64) -> bool {
        let Declared { table, fresh } = &self.declared[index];
        let stretch = self.time_ms.unwrap_or_default().div_euclid(table.memory_ms);
        let running = self.running.entry((index, maker.cloned())).or_insert_with(|| Running {
            speaks: fresh.clone(),
            learns: fresh.clone(),
            stretch,
            firsts: (None, offset),
        });
        if running.stretch != stretch {
            let next = running.stretch.saturating_add(1) == stretch;
            let learnt = std::mem::replace(&mut running.learns, fresh.clone());
            running.speaks = if next { learnt } else { fresh.clone() };
            running.firsts = (next.then_some(running.firsts.1), offset);
            running.stretch = stretch;
        }
        let learns = running.learns.update(value);
        let speaks = running.speaks.update(value);
        learns.is_ok() && speaks.is_ok_and(|signal| signal == Signal::Drift)
    }

    /// Detectors without a row in this stretch and the one before start afresh.
    fn forget(&mut self) {
        let (declared, time_ms) = (&self.declared, self.time_ms.unwrap_or_default());
        self.running.retain(|(index, _), running| {
            let stretch = time_ms.div_euclid(declared[*index].table.memory_ms);
            running.stretch >= stretch.saturating_sub(1)
        });
    }

    /// The lowest offset that is needed to rebuild them.
    pub fn needed_from_offset(&self) -> Option<i64> {
        self.running.values().map(|running| running.firsts.0.unwrap_or(running.firsts.1)).min()
    }
}

fn values(rows: &RecordBatch, watches: &Watches) -> Result<Float64Array, Error> {
    let name = match watches {
        Watches::Rows(name) => name,
        _ => "score",
    };
    let values: &ArrayRef = column(rows, name)?;
    let values = cast(values, &DataType::Float64).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(values.as_primitive::<Float64Type>().clone())
}
