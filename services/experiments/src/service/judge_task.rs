//! The judge as the shell runs it: reads the journal, writes results and the orders of observers.

use std::collections::BTreeMap;

use millrace_runtime::task::{Batch, Effects, Output, Progress, Task, TaskError};
use millrace_schemas::envelope::{ExperimentResult, Record as _};

use super::Error;
use super::judge::{Judge, Said};
use super::note::{Assembler, Message, Note, Order, Outgoing, cause};
use super::silence::Waited;
use super::tasks::Watched;

/// The output topic of results; those of orders come after it.
const RESULTS: usize = 0;

/// Where orders go.
#[derive(Debug, Clone)]
pub struct Route {
    /// The stem of the topic of predictions or rankings whose orders go there; none: those of all.
    pub topic: Option<String>,
    /// Whether deployments are told there, too.
    pub deployments: bool,
    /// Keys that lead to each of its partitions.
    pub keys: Vec<String>,
}

impl Route {
    fn takes(&self, order: &Order, topic: &str) -> bool {
        let deployed = matches!(order, Order::Deployed { .. });
        (self.deployments || !deployed) && self.topic.as_ref().is_none_or(|own| own == topic)
    }
}

/// The task. There is one.
pub struct JudgeTask {
    judge: Judge,
    routes: Vec<Route>,
    assembler: Assembler<Note>,
    watched: Watched<Waited>,
    /// The stem of the topic of each run.
    runs: BTreeMap<String, String>,
    time_ms: Option<i64>,
}

impl JudgeTask {
    /// Of a judge; whom it waits for it tells `watched`.
    pub fn new(judge: Judge, routes: Vec<Route>, watched: Watched<Waited>) -> Self {
        let (assembler, runs) = (Assembler::default(), BTreeMap::new());
        Self { judge, routes, assembler, watched, runs, time_ms: None }
    }

    fn take(&mut self, batch: &Batch, effects: &mut Effects) -> Result<(), Error> {
        let Some(input) = batch.inputs.first() else { return Ok(()) };
        let mut results: Vec<(u32, ExperimentResult)> = Vec::new();
        let mut orders: Vec<Outgoing<Order>> = self.routes.iter().map(|_| Outgoing::default()).collect();
        for (row, meta) in input.meta.iter().enumerate() {
            self.time_ms = self.time_ms.max(Some(meta.time_ms));
            let Some((note, first)) = self.assembler.take(&input.rows, row, meta.offset)? else { continue };
            let Said { results: said, orders: told } = self.judge.take(note.head, &note.body, first)?;
            results.extend(said.into_iter().map(|event| (cause(row), event)));
            for order in told {
                self.send(order, cause(row), &mut orders);
            }
        }
        if !batch.phase.is_new() {
            return Ok(());
        }
        self.watched.tell(self.judge.waited());
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

    /// To every partition of whoever counts. The record time is the least there is: orders are taken before any row that is
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
        for (route, out) in self.routes.iter().zip(orders).filter(|(route, _)| route.takes(&order, &topic)) {
            for key in &route.keys {
                out.push(cause, Message { key: Some(key.clone()), ..Message::of(0, order.clone()) });
            }
        }
    }
}

impl Task for JudgeTask {
    fn apply(&mut self, batch: &Batch, effects: &mut Effects) -> Result<(), TaskError> {
        Ok(self.take(batch, effects)?)
    }

    fn progress(&self) -> Progress {
        let needed = [self.judge.first_needed(), self.assembler.first_open()];
        Progress { task_time_ms: self.time_ms, rebuild_from: vec![needed.into_iter().flatten().min()] }
    }

    fn restore(&mut self, committed: &Progress) {
        self.time_ms = self.time_ms.max(committed.task_time_ms);
        self.watched.tell(self.judge.waited());
    }

    fn state_size(&self) -> (u64, u64) {
        (self.judge.open() as u64, self.assembler.open_bytes() as u64)
    }
}
