//! A view in one process, for tests: every stage and partition, their logs, and the online store.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::concat_batches;
use arrow::datatypes::{SchemaRef, TimestampMillisecondType};
use arrow::record_batch::RecordBatch;
use arrow::util::pretty::pretty_format_batches;
use millrace_runtime::task::{Batch, Effects, Input, Origin, Phase, Progress, RowMeta, Taken, Task};
use millrace_topics::Partitioner;

use super::StageTask;
use crate::exec::text::key_text;
use crate::plan::Plan;

/// A record: one row with what the shell knows of it.
#[derive(Clone)]
struct Record {
    row: RecordBatch,
    meta: RowMeta,
}

/// All partitions of one stage: a log per partition and input, and the task that reads them.
pub(super) struct Partition {
    pub task: StageTask,
    logs: Vec<Vec<Record>>,
}

/// A view in one process: every stage, every partition, the store.
pub(super) struct Run {
    pub plan: Plan,
    partitions: u32,
    pub stages: Vec<Vec<Partition>>,
    pub emitted: Vec<RecordBatch>,
    pub late: Vec<bool>,
    pub store: BTreeMap<String, Vec<String>>,
    pub rejected: Vec<(&'static str, String)>,
    pub filtered: u64,
}

impl Run {
    pub(super) fn new(plan: &Plan, partitions: u32) -> Self {
        let stages = (0..plan.stages.len())
            .map(|stage| {
                let inputs = if stage == 0 { plan.sources.len() } else { 1 };
                (0..partitions.cast_signed())
                    .map(|partition| Partition {
                        task: StageTask::new(plan, stage, partition, "millrace:app:view").unwrap(),
                        logs: vec![Vec::new(); inputs],
                    })
                    .collect()
            })
            .collect();
        Self {
            plan: plan.clone(),
            partitions,
            stages,
            emitted: Vec::new(),
            late: Vec::new(),
            store: BTreeMap::new(),
            rejected: Vec::new(),
            filtered: 0,
        }
    }

    /// Takes rows of the sources, given as (source, row) in the order in which they come, `cut` at a time.
    pub(super) fn take(&mut self, rows: &[(usize, RecordBatch)], cut: usize, phase: Phase) {
        for chunk in rows.chunks(cut) {
            let mut fresh: Vec<Vec<(usize, Record)>> = vec![Vec::new(); self.partitions as usize];
            for (source, row) in chunk {
                let named = &self.plan.sources[*source];
                let time = row
                    .column_by_name(&named.time)
                    .unwrap()
                    .as_primitive::<TimestampMillisecondType>()
                    .value(0);
                let partition = self.partition(row.column_by_name(&named.key).unwrap());
                let log = &self.stages[0][partition as usize].logs[*source];
                let offset = i64::try_from(
                    log.len() + fresh[partition as usize].iter().filter(|(s, _)| s == source).count(),
                )
                .unwrap();
                let origin =
                    Origin { topic: named.name.as_str().into(), partition: partition.cast_signed(), offset };
                let meta = RowMeta { offset, time_ms: time, origin, traceparent: None, late: false };
                fresh[partition as usize].push((*source, Record { row: row.clone(), meta }));
            }
            for (partition, fresh) in fresh.into_iter().enumerate() {
                self.apply(0, partition, fresh, phase);
            }
        }
    }

    /// The schemas of a stage's inputs.
    fn schemas(&self, stage: usize) -> Vec<SchemaRef> {
        match stage {
            0 => self.plan.sources.iter().map(|source| source.schema.clone()).collect(),
            _ => vec![Arc::new(super::internal_schema(&self.plan, stage))],
        }
    }

    fn partition(&self, key: &ArrayRef) -> u32 {
        let text = key_text(key).unwrap();
        Partitioner::Murmur2.partition(text.is_valid(0).then(|| text.value(0).as_bytes()), self.partitions)
    }

    /// One batch of one task, and all that it causes behind it.
    fn apply(&mut self, stage: usize, partition: usize, fresh: Vec<(usize, Record)>, phase: Phase) {
        if fresh.is_empty() {
            return;
        }
        let batch = batch(&self.schemas(stage), &fresh, phase);
        let mut effects = Effects::default();
        self.stages[stage][partition].task.apply(&batch, &mut effects).unwrap();
        for (input, record) in &fresh {
            self.stages[stage][partition].logs[*input].push(record.clone());
        }
        self.filtered += effects.filtered;
        self.rejected.extend(effects.rejected.into_iter().map(|r| (r.reason, r.detail)));
        for write in effects.writes {
            let fields = write.fields.iter().map(|(name, text)| format!("{name}={text}")).collect();
            self.store.insert(write.key, fields);
        }
        let mut next: Vec<Vec<(usize, Record)>> = vec![Vec::new(); self.partitions as usize];
        for output in effects.outputs {
            if stage + 1 == self.plan.stages.len() {
                let unmarked = vec![false; output.rows.num_rows()];
                self.late.extend(if output.late.is_empty() { &unmarked } else { &output.late });
                self.emitted.push(output.rows);
                continue;
            }
            for row in 0..output.rows.num_rows() {
                let one = output.rows.slice(row, 1);
                let key = self.plan.stages[stage + 1].key.unwrap();
                let to = self.partition(one.column_by_name(&self.plan.slots[key].name).unwrap()) as usize;
                let time =
                    one.column_by_name("_time").unwrap().as_primitive::<TimestampMillisecondType>().value(0);
                let offset =
                    i64::try_from(self.stages[stage + 1][to].logs[0].len() + next[to].len()).unwrap();
                let cause = &fresh[output.cause[row] as usize].1.meta;
                let late = output.late.get(row).copied().unwrap_or_default();
                let meta = RowMeta { offset, time_ms: time, late, ..cause.clone() };
                next[to].push((0, Record { row: one, meta }));
            }
        }
        for (to, rows) in next.into_iter().enumerate() {
            // A later stage's rows are live whatever their source's were: they say themselves if they are warm.
            self.apply(stage + 1, to, rows, Phase::Live);
        }
    }

    /// Replaces every task by one that is rebuilt from its logs, as the shell would after a crash.
    pub(super) fn restart(&mut self, phase: Phase) {
        for stage in 0..self.stages.len() {
            let schemas = self.schemas(stage);
            for partition in 0..self.stages[stage].len() {
                let old = &self.stages[stage][partition];
                let committed = old.task.progress();
                let number = i32::try_from(partition).unwrap();
                let mut task = StageTask::new(&self.plan, stage, number, "millrace:app:view").unwrap();
                task.restore(&committed);
                let mut rows: Vec<(usize, Record)> = Vec::new();
                for (input, log) in old.logs.iter().enumerate() {
                    let Some(from) = committed.rebuild_from[input] else { continue };
                    rows.extend(log.iter().filter(|r| r.meta.offset >= from).map(|r| (input, r.clone())));
                }
                rows.sort_by_key(|(input, record)| (record.meta.time_ms, *input, record.meta.offset));
                let mut effects = Effects::default();
                for chunk in rows.chunks(50) {
                    task.apply(&batch(&schemas, chunk, phase), &mut effects).unwrap();
                }
                assert!(effects.outputs.is_empty() && effects.rejected.is_empty());
                for write in effects.writes {
                    let fields: Vec<String> =
                        write.fields.iter().map(|(name, text)| format!("{name}={text}")).collect();
                    assert_eq!(
                        self.store.get(&write.key),
                        Some(&fields),
                        "a rebuilt store is the old one: {}",
                        write.key
                    );
                }
                task.restore(&committed);
                assert_eq!(task.progress().task_time_ms, committed.task_time_ms);
                self.stages[stage][partition].task = task;
            }
        }
    }

    pub(super) fn rows(&self) -> RecordBatch {
        concat_batches(&self.plan.output_schema, &self.emitted).unwrap()
    }

    pub(super) fn table(&self) -> String {
        pretty_format_batches(&[self.rows()]).unwrap().to_string()
    }

    pub(super) fn progress(&self) -> Vec<Progress> {
        self.stages.iter().flatten().map(|partition| partition.task.progress()).collect()
    }
}

fn batch(schemas: &[SchemaRef], rows: &[(usize, Record)], phase: Phase) -> Batch {
    let mut batch = Batch { inputs: Vec::new(), order: Vec::new(), phase };
    for (input, schema) in schemas.iter().enumerate() {
        let own: Vec<&Record> = rows.iter().filter(|(i, _)| *i == input).map(|(_, record)| record).collect();
        let rows = concat_batches(schema, own.iter().map(|record| &record.row)).unwrap();
        batch.inputs.push(Input { rows, meta: own.iter().map(|record| record.meta.clone()).collect() });
    }
    let mut next = vec![0; schemas.len()];
    for (input, _) in rows {
        batch.order.push(Taken { input: u32::try_from(*input).unwrap(), row: next[*input] });
        next[*input] += 1;
    }
    batch
}
