//! Requests in, lists out: the core of the scorer of rankings.

use std::sync::Arc;

use arrow::array::Array as _;
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use millrace_runtime::task::{Batch, Effects, Input, Output, Phase, Progress, Rejection, Task, TaskError};

use super::candidates::Candidates;
use super::list::{For, lists};
use super::ranked::rank;
use super::rows::{Known, Made, Rows};
use crate::answers::{Answers, ask};
use crate::deployed::{Deployed, Maker};
use crate::envelope::take;
use crate::serving::Serving;
use crate::stats::{BatchStats, StatsQueue};
use crate::version::Version;

/// Ranks the requests of one partition. Between two batches it takes the deployment that serves then.
pub struct RankingTask {
    serving: Serving,
    candidates: Candidates,
    rows: Rows,
    /// How long lists are.
    length: usize,
    stats: StatsQueue,
    partition: i32,
    task_time_ms: Option<i64>,
}

/// Requests that may have a list: each with its place in the batch's order.
struct Requests {
    columns: RecordBatch,
    order: Vec<u32>,
}

impl RankingTask {
    /// A task of a partition that makes lists of at most `length` items with what serves.
    pub fn new(
        serving: Serving,
        candidates: Candidates,
        rows: Rows,
        length: usize,
        stats: StatsQueue,
        partition: i32,
    ) -> Self {
        Self { serving, candidates, rows, length, stats, partition, task_time_ms: None }
    }

    fn rank(&self, batch: &Batch, input: &Input, effects: &mut Effects) -> Result<(), TaskError> {
        let deployed = self.serving.deployed().map_err(TaskError)?;
        let failed = |error: ArrowError| TaskError(format!("requests cannot be ranked: {error}"));
        let read = self.columns_read(&deployed);
        let requests = self.without_faults(batch, input, &read, effects).map_err(failed)?;
        if requests.order.is_empty() {
            return Ok(());
        }
        let items = self.candidates.items(&requests.columns);
        let candidates = self.candidates.rows(&requests.columns, &read).map_err(failed)?;
        let answers = ask_all(&deployed, &candidates)?;
        let makers = self.makers(&deployed, &requests).map_err(failed)?;
        let by_arm = by_arm(&makers, &items);
        let time_ms = input.meta.iter().map(|meta| meta.time_ms).max().unwrap_or_default();
        self.stats.tell(|| BatchStats::of_lists(self.partition, time_ms, &deployed, &by_arm, &answers));
        let said = deployed.versions.iter().zip(&answers);
        let ranked: Vec<_> = said.map(|(version, answers)| rank(version, answers, &items)).collect();
        let known = Known {
            deployed: &deployed,
            requests: &requests.columns,
            items: &items,
            ranked: &ranked,
            list_keys: &self.rows.list_keys(&requests.columns).map_err(failed)?,
        };
        let made = self.lists(&known, &requests.order, &makers, effects);
        if made.is_empty() {
            return Ok(());
        }
        let cause: Vec<u32> = made.iter().map(|made| requests.order[made.request as usize]).collect();
        let late: Vec<bool> =
            cause.iter().map(|place| input.meta[batch.order[*place as usize].row as usize].late).collect();
        effects.outputs.push(Output {
            topic: 0,
            rows: self.rows.rows(&made, &known).map_err(failed)?,
            late: if late.contains(&true) { late } else { Vec::new() },
            cause,
        });
        Ok(())
    }

    /// The columns that any version takes.
    fn columns_read(&self, deployed: &Deployed) -> Vec<usize> {
        let names = deployed.versions.iter().flat_map(|version| version.file().input_names());
        let mut read: Vec<usize> =
            names.filter_map(|name| self.candidates.schema().index_of(name).ok()).collect();
        read.sort_unstable();
        read.dedup();
        read
    }

    /// The requests of which lists can be made; the others are rejected.
    fn without_faults(
        &self,
        batch: &Batch,
        input: &Input,
        read: &[usize],
        effects: &mut Effects,
    ) -> Result<Requests, ArrowError> {
        let (mut kept, mut order) = (Vec::new(), Vec::new());
        for (place, taken) in (0..).zip(&batch.order) {
            let row = taken.row as usize;
            let fault = self.rows.fault(&input.rows, row);
            match fault.or_else(|| self.candidates.fault(&input.rows, row, read)) {
                Some((reason, detail)) => {
                    effects.rejected.push(Rejection { row: place, reason, detail });
                }
                None => {
                    kept.push(taken.row);
                    order.push(place);
                }
            }
        }
        Ok(Requests { columns: take(&input.rows, &kept)?, order })
    }

    /// Per request who makes its list.
    fn makers(&self, deployed: &Deployed, requests: &Requests) -> Result<Vec<Maker>, ArrowError> {
        let [ids, units] = self.rows.ids_and_units(&requests.columns)?;
        Ok((0..ids.len()).map(|row| deployed.arms.maker(units.value(row), ids.value(row))).collect())
    }

    /// The lists of all requests; one that has none is rejected.
    fn lists<'d>(
        &self,
        known: &Known<'d>,
        places: &[u32],
        makers: &[Maker],
        effects: &mut Effects,
    ) -> Vec<Made<'d>> {
        let mut made = Vec::with_capacity(places.len());
        for (row, (place, maker)) in places.iter().zip(makers).enumerate() {
            let ranked: Vec<_> = known.ranked.iter().map(|of_version| &of_version[row]).collect();
            let request = For { maker: *maker, list_key: &known.list_keys[row] };
            match lists(known.deployed, request, &ranked, self.length) {
                Ok(lists) => {
                    made.extend(lists.into_iter().map(|list| Made { request: row as u32, list }));
                }
                Err((reason, detail)) => {
                    effects.rejected.push(Rejection { row: *place, reason, detail });
                }
            }
        }
        made
    }
}

/// Per candidate, the arm whose list it is on; `None`: that of all rankers.
fn by_arm(makers: &[Maker], items: &[Vec<&str>]) -> Vec<Option<usize>> {
    let arm = |maker: &Maker| match maker {
        Maker::Together(_) => None,
        Maker::Alone(assigned) => Some(assigned.arm),
    };
    let each = makers.iter().zip(items);
    each.flat_map(|(maker, items)| std::iter::repeat_n(arm(maker), items.len())).collect()
}

/// What each version says of the candidates, each in one run on all of them.
fn ask_all(deployed: &Deployed, candidates: &RecordBatch) -> Result<Vec<Answers>, TaskError> {
    let all: Vec<u32> = (0..candidates.num_rows() as u32).collect();
    let of = |(index, version): (usize, &Arc<Version>)| {
        // Without the champion nothing goes on; what any other version breaks is its own lists.
        ask(version, candidates, &all, index != 0).map_err(|error| TaskError(error.to_string()))
    };
    deployed.versions.iter().enumerate().map(of).collect()
}

impl Task for RankingTask {
    fn apply(&mut self, batch: &Batch, effects: &mut Effects) -> Result<(), TaskError> {
        let [input] = batch.inputs.as_slice() else {
            return Err(TaskError(format!("rankings are made of one topic, not {}", batch.inputs.len())));
        };
        if batch.phase == Phase::Live && !batch.order.is_empty() {
            self.rank(batch, input, effects)?;
        }
        self.task_time_ms = self.task_time_ms.max(input.meta.iter().map(|meta| meta.time_ms).max());
        Ok(())
    }

    fn progress(&self) -> Progress {
        Progress { task_time_ms: self.task_time_ms, rebuild_from: vec![None] }
    }

    fn restore(&mut self, committed: &Progress) {
        self.task_time_ms = self.task_time_ms.max(committed.task_time_ms);
    }
}

#[cfg(test)]
mod tests;
