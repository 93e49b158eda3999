//! Which runs are open, by the orders of the judge.

use std::collections::BTreeMap;

use millrace_topics::ExperimentDefinition;

use crate::service::note::Order;

/// The open runs, each with the offset of its start.
#[derive(Debug, Default)]
pub struct Runs(BTreeMap<String, (i64, ExperimentDefinition)>);

impl Runs {
    /// Takes an order.
    pub fn take(&mut self, order: Order, offset: i64) {
        match order {
            Order::Start { run, definition } => {
                self.0.insert(run, (offset, *definition));
            }
            Order::End { run } => {
                self.0.remove(&run);
            }
            Order::Deployed { .. } => {}
        }
    }

    /// What they are.
    pub fn open(&self) -> impl Iterator<Item = &ExperimentDefinition> {
        self.0.values().map(|(_, definition)| definition)
    }

    /// The first order that is still needed.
    pub fn since(&self) -> Option<i64> {
        self.0.values().map(|(offset, _)| *offset).min()
    }
}
