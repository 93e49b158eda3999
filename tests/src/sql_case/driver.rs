//! Runs the stages of a service without a bus: rows are routed by the topics' own partitioners, in a fixed order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use arrow::array::{Array, AsArray};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Int64Type, TimeUnit};
use arrow::record_batch::RecordBatch;
use millrace_runtime::service::{InputTopic, Service};
use millrace_runtime::task::{
    Batch, Effects, Input, KeyWrite, Origin, Phase, Progress, RowMeta, Taken, Task,
};
use millrace_topics::KafkaTopic;

use crate::rows::column;

/// A row on its way, with its place in the order of the whole run.
#[derive(Debug, Clone)]
pub struct Row {
    columns: RecordBatch,
    meta: RowMeta,
    place: usize,
}

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// The rows of the last topic, in the order of their causes.
    pub rows: RecordBatch,
    /// For each, whether it is marked late.
    pub late: Vec<bool>,
    /// The reasons of rejected rows.
    pub rejected: Vec<String>,
    /// The online store in the end.
    pub store: BTreeMap<String, KeyWrite>,
}

/// Runs `service` over the rows of its sources, by Kafka name. Rows are taken in batches of at most `batch`; with
/// `stop`, every task is dropped half-way, rebuilt from the log as its last commit says, and goes on.
pub fn run(
    service: &Service,
    sources: &BTreeMap<String, RecordBatch>,
    batch: usize,
    stop: bool,
) -> Result<Outcome> {
    let mut run = Run {
        service,
        lanes: BTreeMap::new(),
        results: Vec::new(),
        rejected: Vec::new(),
        store: BTreeMap::new(),
    };
    let rows = run.source_rows(sources)?;
    let (before, after) = rows.split_at(if stop { rows.len() / 2 } else { rows.len() });
    run.take(before, batch)?;
    if stop {
        run.restart(batch)?;
        run.take(after, batch)?;
    }
    run.finish()
}

/// One task with the log of what it reads.
struct Lane {
    task: Box<dyn Task>,
    /// Per input, every row that lies in the partition.
    log: Vec<Vec<Row>>,
    /// Per input, how many of them were taken.
    taken: Vec<usize>,
}

struct Run<'a> {
    service: &'a Service,
    lanes: BTreeMap<(usize, i32), Lane>,
    results: Vec<(Row, bool)>,
    rejected: Vec<String>,
    store: BTreeMap<String, KeyWrite>,
}

impl Run<'_> {
    /// All source rows in the order in which they are taken: the next rows of all partitions, merged by record time.
    fn source_rows(&self, sources: &BTreeMap<String, RecordBatch>) -> Result<Vec<(String, i32, Row)>> {
        let inputs = self.service.stages.iter().flat_map(|stage| &stage.inputs);
        let inputs: Vec<&InputTopic> =
            inputs.filter(|input| sources.contains_key(&input.topic.name)).collect();
        let mut queues = BTreeMap::new();
        for (place, input) in inputs.iter().enumerate() {
            let rows = &sources[&input.topic.name];
            let (partitions, times) = (partitions(&input.topic, rows)?, times(input, rows)?);
            for (i, partition) in partitions.into_iter().enumerate() {
                let queue: &mut Vec<Row> = queues.entry((place, partition)).or_default();
                let offset = i64::try_from(queue.len())? + 10;
                let topic: Arc<str> = input.topic.name.as_str().into();
                let origin = Origin { topic, partition, offset };
                let meta = RowMeta { offset, time_ms: times[i], origin, traceparent: None, late: false };
                queue.push(Row { columns: rows.slice(i, 1), meta, place: 0 });
            }
        }
        let order = merge(queues.iter().map(|(key, rows)| (*key, rows.as_slice())).collect());
        let rows = order.into_iter().enumerate().map(|(place, ((input, partition), row))| {
            (inputs[input].topic.name.clone(), partition, Row { place, ..row })
        });
        Ok(rows.collect())
    }

    /// Lets rows arrive and be taken, batch by batch.
    fn take(&mut self, rows: &[(String, i32, Row)], batch: usize) -> Result<()> {
        for rows in rows.chunks(batch) {
            for (topic, partition, row) in rows {
                self.arrive(topic, *partition, row.clone())?;
            }
            self.advance()?;
        }
        Ok(())
    }

    /// Puts a row into the log of the task that reads it.
    fn arrive(&mut self, topic: &str, partition: i32, mut row: Row) -> Result<()> {
        let inputs = self
            .service
            .stages
            .iter()
            .enumerate()
            .flat_map(|(stage, s)| s.inputs.iter().enumerate().map(move |(input, i)| (stage, input, i)));
        let mut readers = inputs.filter(|(_, _, input)| input.topic.name == topic);
        let (stage, input, _) = readers.next().with_context(|| format!("nothing reads {topic}"))?;
        let key = (stage, partition);
        if !self.lanes.contains_key(&key) {
            let inputs = self.service.stages[stage].inputs.len();
            let task = (self.service.stages[stage].task)(partition)?;
            self.lanes.insert(key, Lane { task, log: vec![Vec::new(); inputs], taken: vec![0; inputs] });
        }
        let log = &mut self.lanes.get_mut(&key).context("a lane")?.log[input];
        row.meta.offset = i64::try_from(log.len())? + 10;
        log.push(row);
        Ok(())
    }

    /// Lets every stage take what has arrived, the first stage first.
    fn advance(&mut self) -> Result<()> {
        for stage in 0..self.service.stages.len() {
            let mut outputs = Vec::new();
            for ((_, _), lane) in self.lanes.range_mut((stage, i32::MIN)..=(stage, i32::MAX)) {
                let arrived: Vec<(usize, &[Row])> =
                    lane.log.iter().enumerate().map(|(i, log)| (i, &log[lane.taken[i]..])).collect();
                let order = merge(arrived);
                lane.taken = lane.log.iter().map(Vec::len).collect();
                let inputs = &self.service.stages[stage].inputs;
                let (effects, order) = take(&mut *lane.task, inputs, order, Phase::Live)?;
                ensure_each_row_has_one_outcome(&effects, order.len())?;
                for write in effects.writes {
                    self.store.insert(write.key.clone(), write);
                }
                self.rejected.extend(effects.rejected.iter().map(|rejection| rejection.reason.to_string()));
                for output in effects.outputs {
                    for (i, cause) in output.cause.iter().enumerate() {
                        let cause = &order[*cause as usize];
                        let late = output.late.get(i).copied().unwrap_or(false);
                        let meta = RowMeta { late, ..cause.meta.clone() };
                        let columns = output.rows.slice(i, 1);
                        outputs.push((output.topic, Row { columns, meta, place: cause.place }, late));
                    }
                }
            }
            outputs.sort_by_key(|(_, row, _)| row.place);
            for (topic, row, late) in outputs {
                self.leave(stage, topic, row, late)?;
            }
        }
        Ok(())
    }

    /// A row goes to the stage that reads its topic, or to the results.
    fn leave(&mut self, stage: usize, topic: usize, mut row: Row, late: bool) -> Result<()> {
        let topic = &self.service.stages[stage].outputs[topic];
        let inputs = self.service.stages.iter().flat_map(|stage| &stage.inputs);
        let reader = inputs.clone().find(|input| input.topic.name == topic.name);
        let Some(reader) = reader else {
            self.results.push((row, late));
            return Ok(());
        };
        let partition = partitions(topic, &row.columns)?[0];
        row.meta.time_ms = times(reader, &row.columns)?[0];
        self.arrive(&topic.name.clone(), partition, row)
    }

    /// Drops every task, and rebuilds each from its log as the last commit says.
    fn restart(&mut self, batch: usize) -> Result<()> {
        for ((stage, partition), lane) in &mut self.lanes {
            let progress = lane.task.progress();
            lane.task = (self.service.stages[*stage].task)(*partition)?;
            lane.task.restore(&progress);
            let kept = lane.log.iter().enumerate().map(|(input, log)| {
                let from = progress.rebuild_from.get(input).copied().flatten();
                let from =
                    from.map_or(lane.taken[input], |from| log.partition_point(|row| row.meta.offset < from));
                (input, &log[from..lane.taken[input]])
            });
            let rows = merge(kept.collect());
            for rows in rows.chunks(batch) {
                let inputs = &self.service.stages[*stage].inputs;
                let (effects, _) = take(&mut *lane.task, inputs, rows.to_vec(), Phase::Rebuild)?;
                ensure!(
                    effects.outputs.iter().all(|output| output.rows.num_rows() == 0)
                        && effects.writes.is_empty(),
                    "a rebuild is silent"
                );
            }
            lane.task.restore(&progress);
            ensure_goes_on(&progress, &lane.task.progress())?;
        }
        Ok(())
    }

    fn finish(self) -> Result<Outcome> {
        let output =
            self.service.stages.last().and_then(|stage| stage.outputs.last()).context("no output")?;
        let schema = output.schema.as_ref().context("the last topic has no schema")?.arrow().clone();
        let rows = concat_batches(&schema, self.results.iter().map(|(row, _)| &row.columns))?;
        let late = self.results.iter().map(|(_, late)| *late).collect();
        Ok(Outcome { rows, late, rejected: self.rejected, store: self.store })
    }
}

/// A rebuilt task has the task time of its commit, and needs no row that the commit could do without.
fn ensure_goes_on(committed: &Progress, rebuilt: &Progress) -> Result<()> {
    let needs_more = |(before, after): (&Option<i64>, &Option<i64>)| match (before, after) {
        (Some(before), Some(after)) => after < before,
        (before, after) => before.is_none() && after.is_some(),
    };
    let more = committed.rebuild_from.iter().zip(&rebuilt.rebuild_from).any(needs_more);
    ensure!(
        committed.task_time_ms == rebuilt.task_time_ms && !more,
        "a rebuilt task has the progress {rebuilt:?}, its commit {committed:?}"
    );
    Ok(())
}

/// Merges queues as a task does: of the next rows the one with the least record time, ties by the queues' order.
fn merge<K: Copy>(queues: Vec<(K, &[Row])>) -> Vec<(K, Row)> {
    let mut next = vec![0; queues.len()];
    let mut merged = Vec::new();
    loop {
        let heads =
            queues.iter().enumerate().filter_map(|(i, (_, rows))| Some((rows.get(next[i])?.meta.time_ms, i)));
        let Some((_, i)) = heads.min() else { return merged };
        merged.push((queues[i].0, queues[i].1[next[i]].clone()));
        next[i] += 1;
    }
}

/// Hands rows to a task as one batch.
fn take(
    task: &mut dyn Task,
    inputs: &[InputTopic],
    order: Vec<(usize, Row)>,
    phase: Phase,
) -> Result<(Effects, Vec<Row>)> {
    let mut per_input: Vec<Vec<&Row>> = vec![Vec::new(); inputs.len()];
    let mut taken = Vec::new();
    for (input, row) in &order {
        taken.push(Taken { input: u32::try_from(*input)?, row: u32::try_from(per_input[*input].len())? });
        per_input[*input].push(row);
    }
    let inputs = inputs.iter().zip(per_input).map(|(input, rows)| {
        let schema = input.topic.schema.as_ref().context("an input without a schema")?.arrow().clone();
        let columns = concat_batches(&schema, rows.iter().map(|row| &row.columns))?;
        Ok(Input { rows: columns, meta: rows.iter().map(|row| row.meta.clone()).collect() })
    });
    let batch = Batch { inputs: inputs.collect::<Result<Vec<_>>>()?, order: taken, phase };
    let mut effects = Effects::default();
    task.apply(&batch, &mut effects)?;
    Ok((effects, order.into_iter().map(|(_, row)| row).collect()))
}

/// A row is the cause of outputs, or filtered, or rejected.
fn ensure_each_row_has_one_outcome(effects: &Effects, rows: usize) -> Result<()> {
    let emitted: BTreeSet<u32> =
        effects.outputs.iter().flat_map(|output| output.cause.iter().copied()).collect();
    let rejected: BTreeSet<u32> = effects.rejected.iter().map(|rejection| rejection.row).collect();
    ensure!(emitted.is_disjoint(&rejected), "a row was emitted and rejected");
    let outcomes = emitted.len() + rejected.len() + usize::try_from(effects.filtered)?;
    ensure!(outcomes == rows, "{rows} rows had {outcomes} outcomes");
    Ok(())
}

fn partitions(topic: &KafkaTopic, rows: &RecordBatch) -> Result<Vec<i32>> {
    let Some(key) = &topic.key else { return Ok(vec![0; rows.num_rows()]) };
    let keys = cast(column(rows, key)?, &DataType::Utf8)?;
    let keys = keys.as_string::<i32>();
    let partition = |key: Option<&str>| topic.partitioner.partition(key.map(str::as_bytes), topic.partitions);
    keys.iter().map(|key| Ok(i32::try_from(partition(key))?)).collect()
}

fn times(input: &InputTopic, rows: &RecordBatch) -> Result<Vec<i64>> {
    let times = column(rows, &input.time)?;
    let times = match times.data_type() {
        DataType::Timestamp(_, zone) => {
            cast(times, &DataType::Timestamp(TimeUnit::Millisecond, zone.clone()))?
        }
        _ => times.clone(),
    };
    let times = cast(&times, &DataType::Int64)?;
    ensure!(times.null_count() == 0, "{} is NULL", input.time);
    Ok(times.as_primitive::<Int64Type>().values().to_vec())
}
