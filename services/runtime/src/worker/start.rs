//! Sets a worker up.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use super::Worker;
use crate::alignment::Aligner;
use crate::config::Delivery;
use crate::dead_letters::DeadLetters;
use crate::environment::{Assignment, Environment};
use crate::error::Error;
use crate::kafka::consumer::Inlet;
use crate::kafka::options;
use crate::kafka::producer::{Outlet, SET_BYTES};
use crate::kafka::set_limits::SetLimits;
use crate::metrics::{StageMetrics, WorkerMetrics};
use crate::output::StoreWriter;
use crate::run::Report;
use crate::service::Service;
use crate::shutdown::Shutdown;
use crate::stage::RunningStage;
use crate::wake::Wake;

/// What a worker is made of.
pub struct Setup {
    /// Its number, from 0.
    pub number: usize,
    /// What it runs.
    pub service: Arc<Service>,
    /// What it runs in.
    pub environment: Environment,
    /// Per stage.
    pub aligners: Vec<Option<Aligner>>,
    /// What wakes it.
    pub wake: Wake,
    /// Asks the process to end.
    pub shutdown: Shutdown,
    /// Asks the workers of this service to end.
    pub stop: Shutdown,
}

impl Setup {
    fn embedded(&self) -> bool {
        matches!(self.environment.assignment, Assignment::Fixed(_))
    }

    fn exactly_once(&self) -> bool {
        !self.embedded() && self.environment.configuration.delivery == Delivery::ExactlyOnce
    }

    /// Whether rows may be written once more: a restart under at-least-once delivery does that.
    fn repeats(&self) -> bool {
        !self.embedded() && !self.exactly_once()
    }

    /// The stages and the dead letters; `Ok(None)`: the registry does not answer yet.
    fn schemas(&self) -> Result<Option<(Vec<RunningStage>, DeadLetters)>, Error> {
        let registry = &self.environment.registry;
        let mut stages = Vec::new();
        for (stage, aligner) in self.service.stages.iter().zip(&self.aligners) {
            match RunningStage::open(stage, registry, aligner.clone(), self.repeats())? {
                Some(stage) => stages.push(stage),
                None => return Ok(None),
            }
        }
        Ok(DeadLetters::open(&self.service, registry.as_ref())?.map(|letters| (stages, letters)))
    }

    fn outlet(&self) -> Result<Outlet, Error> {
        let configuration = &self.environment.configuration;
        let id = format!("{}.{}.{}", self.service.group, configuration.instance, self.number);
        let config = options::producer(configuration, self.exactly_once().then_some(id.as_str()));
        // Who says how large sets are need not be told.
        let asks = self.repeats() && !configuration.kafka.contains_key(SET_BYTES);
        let limits = asks.then(|| {
            let outputs = self.service.stages.iter().flat_map(|stage| &stage.outputs);
            let topics = outputs.chain([&self.service.dead_letters]).map(|topic| topic.name.clone());
            SetLimits::new(configuration.kafka_client(), topics.collect())
        });
        Outlet::open(config, limits)
    }

    fn inlet(&self) -> Result<Inlet, Error> {
        let config = options::consumer(&self.environment.configuration, &self.service.group, self.embedded());
        let inlet = Inlet::open(&config, &self.service.group, self.wake.clone())?;
        if !self.embedded() {
            let inputs = self.service.stages.iter().flat_map(|stage| &stage.inputs);
            let topics: Vec<_> = inputs.map(|input| input.topic.name.as_str()).collect();
            inlet.subscribe(&topics)?;
        }
        Ok(inlet)
    }
}

impl Worker {
    /// Opens what a worker needs; waits for the schema registry. `None`: the end was asked for meanwhile.
    pub fn start(setup: Setup) -> Result<Option<Self>, Error> {
        let (stages, letters) = loop {
            if setup.shutdown.requested() || setup.stop.requested() {
                return Ok(None);
            }
            match setup.schemas()? {
                Some(schemas) => break schemas,
                None => {
                    setup.environment.readiness.wait_for(
                        &crate::run::name(&setup.service, setup.number),
                        "the schema registry does not answer yet",
                    );
                    setup.shutdown.wait(super::RETRY);
                }
            }
        };
        let open_store = setup.environment.open_store.clone();
        let backlog = setup.environment.configuration.store_backlog;
        let name = &setup.service.name;
        Ok(Some(Self {
            number: setup.number,
            tasks: BTreeMap::new(),
            parked: BTreeMap::new(),
            pending: Vec::new(),
            delivered: false,
            stage_metrics: stages.iter().map(|s| StageMetrics::new(name, &s.stage.name)).collect(),
            stages,
            letters,
            store: StoreWriter::new(move || open_store(), backlog),
            store_reached: false,
            metrics: WorkerMetrics::new(name, setup.number),
            report: Report::default(),
            uncommitted: Report::default(),
            ready: false,
            assigned: false,
            checked: false,
            initialised: false,
            gauges_at: Instant::now(),
            outlet: setup.outlet()?,
            inlet: setup.inlet()?,
            service: setup.service,
            environment: setup.environment,
            shutdown: setup.shutdown,
            stop: setup.stop,
            wake: setup.wake,
        }))
    }
}
