//! Feature rows in, predictions out: the core of the scorer.

use arrow::array::StringArray;
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use millrace_runtime::task::{Batch, Effects, Input, Output, Phase, Progress, Rejection, Task, TaskError};

use crate::answers::{Answer, Answers, ask};
use crate::deployed::{Assigned, Deployed};
use crate::envelope::{Envelope, Line, SERVING, SHADOW, take};
use crate::explore::{EXPLORE, Explore};
use crate::serving::Serving;
use crate::stats::{BatchStats, StatsQueue};

/// Scores one partition of a feature topic. Between two batches it takes the deployment that is in force then; within
/// one, all rows have the same.
pub struct ScorerTask {
    serving: Serving,
    envelope: Envelope,
    explore: Option<Explore>,
    stats: StatsQueue,
    partition: i32,
    task_time_ms: Option<i64>,
}

/// Rows that can become predictions: each with its place in the batch's order.
struct Rows {
    columns: RecordBatch,
    order: Vec<u32>,
}

impl ScorerTask {
    /// A task of a partition that writes predictions as `envelope` makes them, with what serves.
    pub fn new(
        serving: Serving,
        envelope: Envelope,
        explore: Option<Explore>,
        stats: StatsQueue,
        partition: i32,
    ) -> Self {
        Self { serving, envelope, explore, stats, partition, task_time_ms: None }
    }

    fn predict(&self, batch: &Batch, input: &Input, effects: &mut Effects) -> Result<(), TaskError> {
        let deployed = self.serving.deployed().map_err(TaskError)?;
        let failed = |error: ArrowError| TaskError(format!("feature rows cannot be scored: {error}"));
        let taken: Vec<u32> = batch.order.iter().map(|taken| taken.row).collect();
        let rows = self.usable(input, &taken, &mut effects.rejected).map_err(failed)?;
        let assigned = self.assign(&deployed, &rows.columns).map_err(failed)?;
        let answers = ask_all(&deployed, &rows.columns, &assigned)?;
        let time_ms = input.meta.iter().map(|meta| meta.time_ms).max().unwrap_or_default();
        self.stats.tell(|| BatchStats::of(self.partition, time_ms, &deployed, &assigned, &answers));
        let lines = self.lines(&deployed, &rows, (&assigned, &answers), &mut effects.rejected);
        let lines = lines.map_err(failed)?;
        if lines.is_empty() {
            return Ok(());
        }
        let predictions = self.envelope.rows(&rows.columns, deployed.offset, &lines).map_err(failed)?;
        let cause: Vec<u32> = lines.iter().map(|line| rows.order[line.row as usize]).collect();
        effects.outputs.push(Output {
            topic: 0,
            rows: predictions,
            late: late(input, &taken, &cause),
            cause,
        });
        Ok(())
    }

    /// The rows in the batch's order, without those that cannot become a prediction whatever their score.
    fn usable(
        &self,
        input: &Input,
        taken: &[u32],
        rejected: &mut Vec<Rejection>,
    ) -> Result<Rows, ArrowError> {
        let columns = take(&input.rows, taken)?;
        let mut order = Vec::with_capacity(taken.len());
        for row in (0_u32..).take(taken.len()) {
            match self.envelope.fault(&columns, row as usize) {
                None => order.push(row),
                Some((reason, detail)) => rejected.push(Rejection { row, reason, detail }),
            }
        }
        Ok(Rows { columns: take(&columns, &order)?, order })
    }

    /// Who answers for each row.
    fn assign(&self, deployed: &Deployed, rows: &RecordBatch) -> Result<Vec<Assigned>, ArrowError> {
        if deployed.arms.serving.len() == 1 {
            return Ok(vec![Assigned { arm: 0, propensity: 1.0 }; rows.num_rows()]);
        }
        let (units, ids) = (self.envelope.units(rows)?, self.envelope.ids(rows)?);
        let both = (0..rows.num_rows()).map(|row| (units.value(row), ids.value(row)));
        Ok(both.map(|(unit, id)| deployed.arms.assign(unit, id)).collect())
    }

    /// The predictions, event by event: the answer, then what shadows say. An event without an answer is rejected, for
    /// its one reason; a shadow that has none costs nothing but its own row.
    fn lines<'a>(
        &'a self,
        deployed: &'a Deployed,
        rows: &Rows,
        (assigned, answers): (&[Assigned], &[Answers]),
        rejected: &mut Vec<Rejection>,
    ) -> Result<Vec<Line<'a>>, ArrowError> {
        let ids = match &self.explore {
            Some(_) => Some(self.envelope.ids(&rows.columns)?),
            None => None,
        };
        let mut lines = Vec::with_capacity(rows.order.len() * (1 + deployed.arms.shadows.len()));
        for (row, (place, assigned)) in (0_u32..).zip(rows.order.iter().zip(assigned)) {
            let arm = &deployed.arms.serving[assigned.arm];
            let line = |version: usize, arm: &'a str, role: &'static str, score: f64| Line {
                row,
                version: deployed.versions[version].reference(),
                arm,
                role,
                score,
                decision: deployed.versions[version].file().decision.of(score),
                reason: "",
                propensity: assigned.propensity,
            };
            match answers[arm.version].answers[row as usize].score(&deployed.versions[arm.version]) {
                Err((reason, detail)) => rejected.push(Rejection { row: *place, reason, detail }),
                Ok(score) => {
                    let served = line(arm.version, &arm.name, SERVING, score);
                    lines.push(self.explored(served, ids.as_ref()));
                    for shadow in deployed.arms.shadows.iter().filter(|shadow| shadow.version != arm.version)
                    {
                        if let Answer::Score(score) = answers[shadow.version].answers[row as usize] {
                            lines.push(line(shadow.version, &shadow.name, SHADOW, score));
                        }
                    }
                }
            }
        }
        Ok(lines)
    }

    /// The answer as it is, or with the declared decision where the event is explored.
    fn explored<'a>(&'a self, line: Line<'a>, ids: Option<&StringArray>) -> Line<'a> {
        match (&self.explore, ids) {
            (Some(explore), Some(ids)) if explore.has(ids.value(line.row as usize)) => Line {
                decision: &explore.decision,
                reason: EXPLORE,
                propensity: line.propensity * explore.share(),
                ..line
            },
            _ => line,
        }
    }
}

/// Asks every version once, for the rows that it is needed for: those that it serves, all if it is a shadow.
fn ask_all(
    deployed: &Deployed,
    rows: &RecordBatch,
    assigned: &[Assigned],
) -> Result<Vec<Answers>, TaskError> {
    let arms = &deployed.arms;
    let ask_one = |(index, version)| {
        let shadow = arms.shadows.iter().any(|shadow| shadow.version == index);
        let needed = |arm: &Assigned| shadow || arms.serving[arm.arm].version == index;
        let asked: Vec<u32> =
            (0_u32..).zip(assigned).filter(|(_, arm)| needed(arm)).map(|(row, _)| row).collect();
        // Without the champion nothing goes on; what any other version breaks is its own rows.
        let may_fail = index != 0;
        ask(version, rows, &asked, may_fail).map_err(|error| TaskError(error.to_string()))
    };
    deployed.versions.iter().map(AsRef::as_ref).enumerate().map(ask_one).collect()
}

/// The mark of the rows that are predicted; empty if none has it.
fn late(input: &Input, taken: &[u32], cause: &[u32]) -> Vec<bool> {
    let marks: Vec<bool> =
        cause.iter().map(|place| input.meta[taken[*place as usize] as usize].late).collect();
    if marks.contains(&true) { marks } else { Vec::new() }
}

impl Task for ScorerTask {
    fn apply(&mut self, batch: &Batch, effects: &mut Effects) -> Result<(), TaskError> {
        let [input] = batch.inputs.as_slice() else {
            return Err(TaskError(format!("the scorer reads one topic, not {}", batch.inputs.len())));
        };
        if batch.phase == Phase::Live && !batch.order.is_empty() {
            self.predict(batch, input, effects)?;
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
