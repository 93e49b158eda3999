//! The way to the tasks that join predictions with labels: keyed by id, with every partition's time told to each of them.

use std::sync::Arc;

use millrace_runtime::task::{Batch, Effects, Progress, Task, TaskError};
use millrace_topics::{KafkaTopic, TaskKind};

use super::Error;
use super::grid::{Grid, reached};
use super::message::Message;
use super::notes::{JoinNote, Outcome, Place, RowNote};
use super::observe::{cause, passes};
use super::outputs::Outgoing;
use super::stream::{column, text};
use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use arrow::record_batch::RecordBatch;

/// For each partition of the join, a key that leads there.
#[derive(Debug, Clone)]
pub struct Router(Arc<[String]>);

impl Router {
    /// Of the topic that the join reads.
    pub fn new(topic: &KafkaTopic) -> Self {
        let leads_to = |partition: u32| {
            let key = |n: u64| format!("{PROGRESS}{n}");
            let leads = |key: &String| {
                topic.partitioner.partition(Some(key.as_bytes()), topic.partitions) == partition
            };
            (0..).map(key).find(leads).unwrap_or_default()
        };
        Self((0..topic.partitions).map(leads_to).collect())
    }

    /// Tells a partition's time, at rows with which it passes the end of a window, to every task of the join.
    pub fn tell_progress(&self, place: &Place, passes: &[(usize, i64)], out: &mut Outgoing<JoinNote>) {
        for (row, time_ms) in passes {
            for key in self.0.iter() {
                let head = JoinNote::Progress { place: place.clone(), time_ms: *time_ms };
                let message = Message { key: Some(key.clone()), time_ms: *time_ms, head, body: Vec::new() };
                out.push(cause(*row), message);
            }
        }
    }

    /// The keys that lead to every partition, in their order.
    pub fn keys(&self) -> &[String] {
        &self.0
    }
}

/// What keys of progress begin with; a NUL, so that no id of a person's is taken for one.
const PROGRESS: &str = "\u{0}progress-";

/// The output topic of the join, among those of the stage of labels.
const LABELS_BY_ID: usize = 0;
/// The output topic of the judge of rows.
const LABEL_TIMES: usize = 1;

/// What is taken of a topic of labels.
#[derive(Debug, Clone)]
pub struct LabelColumns {
    /// The topic's stem.
    pub stem: String,
    /// The column that is the prediction's id.
    pub id: String,
    /// The column that is the outcome.
    pub outcome: String,
    /// What the model predicts.
    pub task: TaskKind,
}

/// Passes the labels of one partition on, by id.
pub struct Labels {
    columns: LabelColumns,
    place: Place,
    grid: Grid,
    router: Router,
    time_ms: Option<i64>,
}

impl Labels {
    /// The task of a partition of the topic of labels.
    pub fn new(columns: LabelColumns, partition: i32, grid: Grid, router: Router) -> Self {
        let place = Place { topic: columns.stem.clone(), partition };
        Self { columns, place, grid, router, time_ms: None }
    }

    fn take(&mut self, batch: &Batch, effects: &mut Effects) -> Result<(), Error> {
        let Some(input) = batch.inputs.first() else { return Ok(()) };
        let times: Vec<i64> = input.meta.iter().map(|meta| meta.time_ms).collect();
        let reached = reached(self.time_ms, &times);
        let ids = text(&input.rows, &self.columns.id)?;
        let outcomes = outcomes(&input.rows, &self.columns)?;
        let mut out = Outgoing::default();
        for (row, outcome) in outcomes.into_iter().enumerate().filter(|(row, _)| ids.is_valid(*row)) {
            let head = JoinNote::Label { seen_ms: reached[row], outcome };
            let key = Some(ids.value(row).to_owned());
            out.push(cause(row), Message { key, time_ms: times[row], head, body: Vec::new() });
        }
        let passes = passes(self.grid, self.time_ms, &reached);
        self.router.tell_progress(&self.place, &passes, &mut out);
        // The clock looks for silent partitions where the judge of rows is.
        let mut times = Outgoing::default();
        for (row, time_ms) in passes {
            let head = RowNote::Progress { place: self.place.clone(), time_ms, silent: false };
            times.push(cause(row), Message { key: None, time_ms, head, body: Vec::new() });
        }
        self.time_ms = reached.last().copied().max(self.time_ms);
        out.finish(LABELS_BY_ID, effects)?;
        times.finish(LABEL_TIMES, effects)
    }
}

impl Task for Labels {
    fn apply(&mut self, batch: &Batch, effects: &mut Effects) -> Result<(), TaskError> {
        Ok(self.take(batch, effects)?)
    }

    fn progress(&self) -> Progress {
        Progress { task_time_ms: self.time_ms, rebuild_from: vec![None] }
    }

    fn restore(&mut self, committed: &Progress) {
        self.time_ms = self.time_ms.max(committed.task_time_ms);
    }
}

/// Per row what came true.
fn outcomes(rows: &RecordBatch, columns: &LabelColumns) -> Result<Vec<Option<Outcome>>, Error> {
    if columns.task == TaskKind::Multiclass {
        let classes = text(rows, &columns.outcome)?;
        return Ok((0..rows.num_rows())
            .map(|row| classes.is_valid(row).then(|| Outcome::Class(classes.value(row).to_owned())))
            .collect());
    }
    let numbers = cast(column(rows, &columns.outcome)?, &DataType::Float64);
    let numbers = numbers.map_err(|error| Error::Internal(error.to_string()))?;
    let numbers = numbers.as_primitive::<Float64Type>();
    let binary = columns.task == TaskKind::Binary;
    let number = |row: usize| {
        let value = Some(numbers.value(row)).filter(|value| numbers.is_valid(row) && value.is_finite())?;
        Some(Outcome::Number(if binary { f64::from(u8::from(value != 0.0)) } else { value }))
    };
    Ok((0..rows.num_rows()).map(number).collect())
}
