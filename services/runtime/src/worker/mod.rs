//! One worker: an OS thread that owns a consumer, a producer and the tasks of its partitions.

mod advance;
mod assign;
mod commit;
mod start;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use start::Setup;

use crate::dead_letters::DeadLetters;
use crate::environment::Environment;
use crate::error::Error;
use crate::kafka::consumer::Inlet;
use crate::kafka::producer::Outlet;
use crate::metrics::{StageMetrics, WorkerMetrics};
use crate::output::{PendingBatch, StoreWriter, TaskKey};
use crate::run::Report;
use crate::running::{ParkedTask, RunningTask};
use crate::service::Service;
use crate::shutdown::Shutdown;
use crate::stage::RunningStage;
use crate::wake::Wake;

/// How long a worker without work sleeps at most: events of the clients and the end are looked for then.
const NAP: Duration = Duration::from_millis(100);
/// How long a worker waits before it tries again what a system around it did not answer.
const RETRY: Duration = Duration::from_millis(200);
/// How often gauges are set.
const GAUGES: Duration = Duration::from_secs(1);

/// One worker. Fields are dropped in this order: queues before the consumer that they belong to.
pub struct Worker {
    number: usize,
    service: Arc<Service>,
    environment: Environment,
    shutdown: Shutdown,
    stop: Shutdown,
    wake: Wake,
    tasks: BTreeMap<TaskKey, RunningTask>,
    parked: BTreeMap<TaskKey, ParkedTask>,
    pending: Vec<PendingBatch>,
    /// Whether the pending batches have arrived, so that only the commit of their offsets is due.
    delivered: bool,
    stages: Vec<RunningStage>,
    letters: DeadLetters,
    store: StoreWriter,
    store_reached: bool,
    stage_metrics: Vec<StageMetrics>,
    metrics: WorkerMetrics,
    report: Report,
    /// Taken by the pending batches.
    uncommitted: Report,
    ready: bool,
    assigned: bool,
    checked: bool,
    initialised: bool,
    gauges_at: Instant,
    outlet: Outlet,
    inlet: Inlet,
}

impl Worker {
    /// Works until the end is asked for.
    pub fn run(mut self) -> Result<Report, Error> {
        while !self.ending() {
            self.inlet.serve()?;
            self.rebalance()?;
            if !self.prepared()? {
                self.pause();
                continue;
            }
            if self.uncommitted() && !self.commit()? {
                self.pause();
                continue;
            }
            let busy = self.advance()?;
            let committed = self.commit()?;
            self.set_gauges();
            if !committed {
                self.pause();
            } else if !busy {
                self.wake.wait(NAP);
            }
        }
        self.end()?;
        Ok(self.report)
    }

    fn ending(&self) -> bool {
        self.shutdown.requested() || self.stop.requested()
    }

    /// Waits before something is tried again; the end cuts it short.
    fn pause(&self) {
        self.shutdown.wait(RETRY);
    }

    /// Whether rows may be taken: the service says it is ready, the producer is initialised.
    fn prepared(&mut self) -> Result<bool, Error> {
        if !self.initialised {
            self.initialised = self.outlet.initialise()?;
        }
        if !self.ready {
            match (self.service.ready)() {
                Ok(()) => self.ready = true,
                Err(missing) => tracing::debug!(missing, "the service is not ready"),
            }
        }
        if !self.store_reached {
            self.store_reached = self.store.reach()?;
        }
        self.tell_readiness();
        Ok(self.initialised && self.ready)
    }

    fn tell_readiness(&self) {
        let name = crate::run::name(&self.service, self.number);
        let rebuilding = self.tasks.values().filter(|t| t.rebuilding()).count();
        let missing = if !self.assigned {
            "no partitions yet".to_owned()
        } else if !self.initialised {
            "Kafka does not answer its producer yet".to_owned()
        } else if rebuilding > 0 {
            format!("{rebuilding} tasks rebuild their state")
        } else if !self.store_reached {
            "the online store does not answer yet".to_owned()
        } else {
            self.environment.readiness.done(&name);
            return;
        };
        self.environment.readiness.wait_for(&name, &missing);
    }

    fn set_gauges(&mut self) {
        if self.gauges_at.elapsed() < GAUGES {
            return;
        }
        self.gauges_at = Instant::now();
        for (key, task) in &self.tasks {
            if let Some(metrics) = self.stage_metrics.get(key.0) {
                metrics.task(key.1, task.state_size(), task.held_rows(), task.rebuilding());
            }
        }
        #[allow(clippy::cast_precision_loss)]
        self.metrics.store_waiting.set(self.store.waiting() as f64);
        self.metrics.store_away.set(if self.store.away() { 1.0 } else { 0.0 });
    }

    /// Commits what was taken, within the bound, and leaves the group.
    fn end(&mut self) -> Result<(), Error> {
        let deadline = Instant::now() + self.environment.configuration.shutdown_bound();
        while self.uncommitted() && !self.commit()? {
            if Instant::now() >= deadline {
                tracing::warn!("the last rows were not committed in time; they are taken again");
                break;
            }
            self.inlet.serve()?;
            std::thread::park_timeout(RETRY);
        }
        if self.store.waiting() > 0 && !self.store.flush(true)? {
            tracing::warn!("the online store is away; what it lacks is written after the next start");
        }
        self.tasks.clear();
        self.inlet.unassign()
    }
}
