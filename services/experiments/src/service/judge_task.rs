//! The judge as the shell runs it: reads the journal, writes results and the orders of observers.

use std::collections::BTreeMap;

use millrace_runtime::task::{Batch, Effects, Output, Progress, Task, TaskError};
use millrace_schemas::envelope::{ExperimentResult, Record as _};

use super::Error;
use super::judge::{Judge, Said};
use super::note::{Message, Note, Order, Outgoing, cause, decode};

/// The output topic of results; those of orders come after it.
const RESULTS: usize = 0;

/// Where orders go: per topic, keys that lead to each of its partitions.
#[derive(Debug, Clone, Default)]
pub struct Routes(pub Vec<(String, Vec<String>)>);

/// The task. There is one.
pub struct JudgeTask {
    judge: Judge,
    routes: Routes,
    /// The stem of the topic of each run.
    runs: BTreeMap<String, String>,
    time_ms: Option<i64>,
}

impl JudgeTask {
    /// See [`Judge::new`].
    pub fn new(places: BTreeMap<String, usize>, feedback: BTreeMap<String, usize>, routes: Routes) -> Self {
        Self { judge: Judge::new(places, feedback), routes, runs: BTreeMap::new(), time_ms: None }
    }

    fn take(&mut self, batch: &Batch, effects: &mut Effects) -> Result<(), Error> {
        let Some(input) = batch.inputs.first() else { return Ok(()) };
        let mut results: Vec<(u32, ExperimentResult)> = Vec::new();
        let mut orders: Vec<Outgoing<Order>> = self.routes.0.iter().map(|_| Outgoing::default()).collect();
        for (row, meta) in input.meta.iter().enumerate() {
            let (note, body) = decode::<Note>(&input.rows, row)?;
            let Said { results: said, orders: told } = self.judge.take(note, &body, meta.offset)?;
            self.time_ms = self.time_ms.max(Some(meta.time_ms));
            results.extend(said.into_iter().map(|event| (cause(row), event)));
            for order in told {
                self.send(order, cause(row), &mut orders);
            }
        }
        if !batch.phase.is_new() {
            return Ok(());
        }
        if !results.is_empty() {
            let (cause, events): (Vec<u32>, Vec<ExperimentResult>) = results.into_iter().unzip();
            let rows = ExperimentResult::to_batch(&events).map_err(Error::internal)?;
            effects.outputs.push(Output { topic: RESULTS, rows, cause, late: Vec::new() });
        }
        for (at, orders) in orders.into_iter().enumerate() {
            orders.finish(RESULTS + 1 + at, effects)?;
        }
        Ok(())
    }

    /// To every partition of its topic. The record time is the least there is: orders are taken before any row that is
    /// at hand, when they come and when they are taken again.
    fn send(&mut self, order: Order, cause: u32, orders: &mut [Outgoing<Order>]) {
        let topic = match &order {
            Order::Start { run, definition } => {
                self.runs.insert(run.clone(), definition.topic.clone());
                definition.topic.clone()
            }
            Order::End { run } => self.runs.remove(run).unwrap_or_default(),
            Order::Deployed { topic, .. } => topic.clone(),
        };
        for ((stem, keys), out) in self.routes.0.iter().zip(orders) {
            if *stem == topic {
                for key in keys {
                    out.push(cause, Message { key: Some(key.clone()), ..Message::of(0, order.clone()) });
                }
            }
        }
    }
}

impl Task for JudgeTask {
    fn apply(&mut self, batch: &Batch, effects: &mut Effects) -> Result<(), TaskError> {
        Ok(self.take(batch, effects)?)
    }

    fn progress(&self) -> Progress {
        Progress { task_time_ms: self.time_ms, rebuild_from: vec![self.judge.first_needed()] }
    }

    fn restore(&mut self, committed: &Progress) {
        self.time_ms = self.time_ms.max(committed.task_time_ms);
    }

    fn state_size(&self) -> (u64, u64) {
        (self.judge.open() as u64, 0)
    }
}
