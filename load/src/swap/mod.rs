//! How long payments wait for their prediction while the version that serves is swapped, and before.
//!
//! Payments come at a constant rate, whatever becomes of them. A repetition swaps the champion several times; *during* is
//! from the moment before a deployment is written until a while after the last answer under the one before it, *before* is
//! as long and ends there.

mod arrivals;
mod table;

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, ensure};
use millrace_runtime::clock::now_ms;
use millrace_schemas::envelope::Deployment;
use millrace_schemas::{ConfluentRegistry, SchemaRegistry};
use millrace_topics::Application;
use millrace_topics::deployments::Deployments;

use crate::fraud::{self, Event};
use crate::output::kafka::{self, Options, Watch};
use crate::output::source::Payments;
use arrivals::Arrivals;
pub use table::{Measured, Stretch, table};

/// The stem of the topic whose champion is swapped.
const PREDICTIONS: &str = "predictions";
/// How long the answers after a swap belong to it.
const AFTER: Duration = Duration::from_millis(500);
/// Between two swaps at least; no stretch is longer.
const CALM: Duration = Duration::from_secs(4);
/// Nothing that is waited for takes as long.
const BOUND: Duration = Duration::from_secs(120);

/// What is measured.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Where Kafka and the application's services are; `rate` says how many payments come in a second.
    pub options: Options,
    /// The application.
    pub application: Application,
    /// Versions of the champion's model that take turns.
    pub versions: Vec<String>,
    /// Swaps of a repetition.
    pub swaps: usize,
    /// Repetitions.
    pub repetitions: usize,
}

/// Runs all repetitions on one stream.
///
/// # Errors
/// Services that do not answer, a swap that nobody follows, a stream that ends.
pub fn run(plan: &Plan) -> Result<Vec<Measured>> {
    ensure!(plan.versions.len() > 1, "a swap needs two versions that take turns");
    ensure!(plan.options.rate.is_some(), "payments come at a rate");
    let registry: Arc<dyn SchemaRegistry> = Arc::new(ConfluentRegistry::new(&plan.options.registry)?);
    let arrivals = Arrivals::new(&plan.options, &format!("{}.{PREDICTIONS}", plan.options.app), &registry)?;
    let done = Done::default();
    thread::scope(|scope| {
        let reading = scope.spawn(|| done.after(|| arrivals.follow(&done)));
        let sending = scope.spawn(|| done.after(|| publish(&plan.options, &done)));
        let measured = done.after(|| measure(plan, &registry, &arrivals, &done));
        for (what, thread) in [("reading predictions", reading), ("sending payments", sending)] {
            thread.join().map_err(|_| anyhow!("{what} panicked"))?.context(what)?;
        }
        measured
    })
}

/// Set when any part has ended: the others end, too.
#[derive(Default)]
struct Done(std::sync::atomic::AtomicBool);

impl Done {
    fn is_set(&self) -> bool {
        self.0.load(std::sync::atomic::Ordering::Acquire)
    }

    fn after<T>(&self, part: impl FnOnce() -> T) -> T {
        let result = part();
        self.0.store(true, std::sync::atomic::Ordering::Release);
        result
    }
}

impl Watch<Event> for &Done {
    fn before(&mut self, _: &[Event]) -> bool {
        !self.is_set()
    }
}

fn publish(options: &Options, mut done: &Done) -> Result<()> {
    let params = fraud::Params::default();
    let payments = fraud::stream(&params).filter(|event| matches!(event, Event::Payment(_)));
    let registry = ConfluentRegistry::new(&options.registry)?;
    kafka::send_watched(&Payments, payments, options, &registry, &mut done).map(drop)
}

fn measure(
    plan: &Plan,
    registry: &Arc<dyn SchemaRegistry>,
    arrivals: &Arrivals,
    done: &Done,
) -> Result<Vec<Measured>> {
    let client = plan.options.client();
    let deployments = Deployments::new(&client, registry.clone(), &plan.application, true)?;
    let wait = |what: &str, reached: &dyn Fn() -> bool| -> Result<()> {
        let began = Instant::now();
        while !reached() {
            ensure!(!done.is_set() && began.elapsed() < BOUND, "{what}: not within {BOUND:?}");
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    };
    wait("predictions; do the services run?", &|| arrivals.count() > 0)?;
    let mut versions = plan.versions.iter().cycle();
    let mut all = Vec::new();
    for _ in 0..plan.repetitions {
        let mut swaps = Vec::new();
        for version in versions.by_ref().take(plan.swaps) {
            thread::sleep(CALM);
            let present = deployments.read()?;
            let found = present.iter().rev().find(|(_, one)| one.topic == PREDICTIONS);
            let (seen, now) = found.context("nothing is deployed")?;
            let next = Deployment { version: version.clone(), time_ms: now_ms(), ..now.clone() };
            ensure!(next.version != now.version, "version {version} serves already: name others");
            let began = Instant::now();
            let offset = deployments.write(next, Some(*seen))?;
            wait("the new version's answers", &|| arrivals.all_since(offset))?;
            let switched = arrivals.last_before(offset).unwrap_or(began).max(began);
            thread::sleep(AFTER);
            swaps.push((began, switched));
        }
        all.push(measured(&swaps, arrivals));
    }
    Ok(all)
}

/// Of swaps that began and were over at these moments.
fn measured(swaps: &[(Instant, Instant)], arrivals: &Arrivals) -> Measured {
    let (mut before, mut during, mut took) = (Vec::new(), Vec::new(), Duration::ZERO);
    for (began, switched) in swaps {
        let length = (*switched + AFTER - *began).min(CALM);
        before.extend(arrivals.waits(*began - length, *began));
        during.extend(arrivals.waits(*began, *began + length));
        took = took.max(*switched - *began);
    }
    Measured { before: Stretch::of(before), during: Stretch::of(during), took }
}
