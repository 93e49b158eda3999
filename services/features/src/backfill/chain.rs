//! All stages of a plan in one process, one lane per partition.

use arrow::array::{Array, BooleanArray, Int64Array, UInt32Array};
use arrow::record_batch::RecordBatch;

use super::Partitions;
use crate::error::Error;
use crate::exec::text::key_text;
use crate::exec::{Emitter, Intake, Lanes, Mode, Rejected, Rows, SourceRows, StageRunner};
use crate::plan::Plan;

/// A plan's stages, linked.
pub(super) struct Chain {
    intake: Intake,
    links: Vec<Link>,
    emitter: Emitter,
    between: Partitions,
}

/// One stage, and how rows get into it.
struct Link {
    runner: StageRunner,
    lanes: Lanes,
    /// For stages behind a hop.
    hop: Option<Hop>,
}

/// A repartition.
struct Hop {
    /// Where the stage's input slots are among the columns of the stage before.
    columns: Vec<usize>,
    /// Which of the input slots is the key.
    key: Option<usize>,
}

/// What a chunk of rows became.
pub(super) struct Taken {
    /// Rows that the view emits.
    pub rows: RecordBatch,
    /// Rows that were refused.
    pub rejected: Vec<Rejected>,
    /// How many emitted rows came too late to count.
    pub late: u64,
}

const BACKFILL: Mode = Mode { results: true, store: false };

impl Chain {
    pub(super) fn new(plan: &Plan, sources: Partitions, between: Partitions) -> Result<Self, Error> {
        let mut links: Vec<Link> = Vec::new();
        for (i, stage) in plan.stages.iter().enumerate() {
            let count = if i == 0 { sources.count } else { between.count } as usize;
            let hop = links.last().map(|before| {
                let at = |slot: &usize| before.runner.layout().iter().position(|known| known == slot);
                Hop {
                    columns: stage.input.iter().filter_map(at).collect(),
                    key: stage.key.and_then(|key| stage.input.iter().position(|slot| *slot == key)),
                }
            });
            links.push(Link { runner: StageRunner::new(plan, i, count, "")?, lanes: Lanes::new(count), hop });
        }
        let layout = links.last().map(|link| link.runner.layout()).unwrap_or_default();
        Ok(Self { intake: Intake::new(plan)?, emitter: Emitter::new(plan, layout)?, links, between })
    }

    /// Takes rows of the sources in an order of (source, row).
    pub(super) fn take(
        &mut self,
        inputs: &[SourceRows],
        order: impl Iterator<Item = (usize, usize)>,
    ) -> Result<Taken, Error> {
        let Some((first, _)) = self.links.split_first_mut() else {
            return Err(Error::Backfill("the plan has no stage".to_owned()));
        };
        let taken = self.intake.take(inputs, order, &mut first.lanes)?;
        let (mut rows, mut rejected) = (taken.rows, taken.rejected);
        for link in &mut self.links {
            if let Some(hop) = &link.hop {
                rows = hop.repartition(rows, self.between, &mut link.lanes)?;
            }
            let ran = link.runner.run(rows, BACKFILL, None)?;
            rejected.extend(ran.rejected);
            rows = ran.rows;
        }
        let emitted = self.emitter.emit(rows, &mut rejected)?;
        Ok(Taken { rows: emitted.rows, rejected, late: late(&emitted.late) })
    }
}

fn late(marks: &BooleanArray) -> u64 {
    marks.true_count() as u64
}

impl Hop {
    fn repartition(&self, rows: Rows, partitions: Partitions, lanes: &mut Lanes) -> Result<Rows, Error> {
        let columns: Vec<_> = self.columns.iter().map(|column| rows.columns[*column].clone()).collect();
        let lane = match self.key {
            Some(key) => lanes_of(&key_text(&columns[key])?, partitions),
            None => UInt32Array::from(vec![0; rows.len()]),
        };
        let times = rows.record_time.values().iter().zip(rows.time.values()).zip(lane.values());
        let task_time = times.map(|((record, time), lane)| lanes.advance(*lane, *record).max(*time));
        Ok(Rows { task_time: Int64Array::from_iter_values(task_time), columns, lane, ..rows })
    }
}

/// The partition of each key.
pub(super) fn lanes_of(keys: &arrow::array::StringArray, partitions: Partitions) -> UInt32Array {
    let partition = |row: usize| {
        let key = keys.is_valid(row).then(|| keys.value(row).as_bytes());
        partitions.partitioner.partition(key, partitions.count)
    };
    UInt32Array::from_iter_values((0..keys.len()).map(partition))
}
