//! Runs a service: as many workers as configured, until the end is asked for or one fails.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::alignment::{Aligner, Rule};
use crate::environment::{Assignment, Environment};
use crate::error::Error;
use crate::service::{Service, Stage};
use crate::shutdown::Shutdown;
use crate::wake::Wake;
use crate::worker::{Setup, Worker};

/// What a run did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Report {
    /// Rows taken live, committed.
    pub rows_in: u64,
    /// Rows produced, dead letters left aside.
    pub rows_out: u64,
    /// Records sent to the dead letters.
    pub rejected: u64,
    /// Rows that the views' own SQL filtered.
    pub filtered: u64,
}

impl Report {
    /// Adds what another worker did.
    pub fn add(&mut self, other: Report) {
        self.rows_in += other.rows_in;
        self.rows_out += other.rows_out;
        self.rejected += other.rejected;
        self.filtered += other.filtered;
    }
}

/// Runs `service` until `shutdown` is requested or a worker fails. Blocks.
pub fn run(service: Service, environment: Environment, shutdown: Shutdown) -> Result<Report, Error> {
    check(&service)?;
    let workers = environment.configuration.workers;
    let wakes: Vec<Wake> = (0..workers).map(|_| Wake::default()).collect();
    let aligners: Vec<_> = service.stages.iter().map(|stage| aligner(stage, workers, &wakes)).collect();
    environment.readiness.require(service.ready.clone());
    if let Assignment::Fixed(flow) = &environment.assignment {
        for input in service.stages.iter().flat_map(|stage| &stage.inputs) {
            flow.add_reader(&service.group, &input.topic.name);
        }
    }
    let service = Arc::new(service);
    let stop = Shutdown::new();
    let (sender, ended) = mpsc::channel();
    let mut threads = Vec::new();
    for (number, wake) in wakes.into_iter().enumerate() {
        environment.readiness.wait_for(&name(&service, number), "it starts");
        let setup = Setup {
            number,
            service: service.clone(),
            environment: environment.clone(),
            aligners: aligners.clone(),
            wake,
            shutdown: shutdown.clone(),
            stop: stop.clone(),
        };
        let sender = sender.clone();
        let work = move || {
            let result = std::panic::catch_unwind(AssertUnwindSafe(|| match Worker::start(setup)? {
                Some(worker) => worker.run(),
                None => Ok(Report::default()),
            }));
            let result = result.unwrap_or_else(|panic| {
                Err(Error::Panic { worker: number, message: panic_message(panic.as_ref()) })
            });
            let _ = sender.send(result);
        };
        let thread = std::thread::Builder::new().name(name(&service, number)).spawn(work);
        threads.push(thread.map_err(|source| Error::Io { what: "cannot start a worker".into(), source })?);
    }
    drop(sender);
    let result = watch(&ended, &service, &environment, &shutdown, &stop);
    if matches!(result, Err(Error::Overrun(_))) {
        return result;
    }
    for thread in threads {
        let _ = thread.join();
    }
    result
}

/// Waits for all workers. One that fails ends the others; a shutdown that takes too long is not waited for.
fn watch(
    ended: &mpsc::Receiver<Result<Report, Error>>,
    service: &Service,
    environment: &Environment,
    shutdown: &Shutdown,
    stop: &Shutdown,
) -> Result<Report, Error> {
    let mut report = Report::default();
    let mut failure = None;
    let mut ending: Option<Instant> = None;
    // A worker that gives up at the bound still has to abort its transaction and to leave its group.
    let bound = environment.configuration.shutdown_bound() + Duration::from_secs(10);
    loop {
        match ended.recv_timeout(Duration::from_millis(200)) {
            Ok(Ok(one)) => report.add(one),
            Ok(Err(error)) => {
                tracing::error!(service = service.name, %error, "a worker failed");
                environment.readiness.fail(&error.to_string());
                stop.request();
                failure.get_or_insert(error);
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => return failure.map_or(Ok(report), Err),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                if shutdown.requested() || stop.requested() {
                    let since = *ending.get_or_insert_with(Instant::now);
                    if since.elapsed() > bound {
                        tracing::error!(service = service.name, "workers hang");
                        return Err(Error::Overrun(bound));
                    }
                }
            }
        }
    }
}

/// A worker's name.
pub fn name(service: &Service, number: usize) -> String {
    format!("{} worker {number}", service.name)
}

fn aligner(stage: &Stage, workers: usize, wakes: &[Wake]) -> Option<Aligner> {
    let alignment = stage.alignment?;
    let partitions = stage.inputs.iter().map(|i| i.topic.partitions).max().unwrap_or(0) as usize;
    let rule = Rule::new(alignment.max_skew_ms, stage.inputs.len(), partitions, workers);
    Some(Aligner::new(rule, wakes.to_vec(), alignment.max_wait_ms))
}

/// A topic's offsets belong to one stage of a group, and co-partitioned inputs have as many partitions each.
fn check(service: &Service) -> Result<(), Error> {
    let mut seen = std::collections::BTreeSet::new();
    for stage in &service.stages {
        let partitions: std::collections::BTreeSet<_> =
            stage.inputs.iter().map(|input| input.topic.partitions).collect();
        if partitions.len() != 1 {
            return Err(Error::Configuration(format!(
                "the inputs of {} must have equal numbers of partitions, not {partitions:?}",
                stage.name
            )));
        }
        for input in &stage.inputs {
            if !seen.insert(&input.topic.name) {
                return Err(Error::Configuration(format!(
                    "{} is read by two stages of {}",
                    input.topic.name, service.name
                )));
            }
        }
    }
    if seen.is_empty() {
        return Err(Error::Configuration(format!("{} reads no topic", service.name)));
    }
    Ok(())
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}
