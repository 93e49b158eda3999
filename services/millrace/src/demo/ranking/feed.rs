//! Publishes the requests, as fast as services and users follow.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Result;
use millrace_load::output::kafka::{Options, Watch, send_watched};
use millrace_load::output::source::Visits;
use millrace_load::ranking::{Event, Request, World};
use millrace_runtime::Shutdown;
use millrace_runtime::embedded::{Amount, Flow};
use millrace_topics::Application;

use crate::embedded::Embedded;

/// Records that any partition holds unread at most, far below what the bus keeps: requests are large.
const IN_FLIGHT: Amount = Amount { rows: 300, bytes: 1 << 20 };
/// Requests that are sent at once.
const AT_ONCE: usize = 100;

/// Begins to publish.
pub fn start(
    embedded: &Embedded,
    app: &Application,
    world: Arc<World>,
    requests: Vec<Request>,
    shutdown: Shutdown,
) -> Result<JoinHandle<Result<()>>> {
    let options = Options::new(&embedded.environment.configuration.kafka_bootstrap, &app.name);
    let registry = embedded.environment.registry.clone();
    let mut gate = Gate { flow: embedded.flow.clone(), shutdown };
    let run = move || {
        let events = requests.into_iter().map(Event::Request);
        let sent = send_watched(&Visits(world), events, &options, registry.as_ref(), &mut gate);
        if sent.is_err() {
            gate.shutdown.request();
        }
        sent.map(drop)
    };
    Ok(std::thread::Builder::new().name("feed".into()).spawn(run)?)
}

/// Lets requests pass while no topic of the chain is about to overflow.
struct Gate {
    flow: Flow,
    shutdown: Shutdown,
}

impl Watch<Event> for Gate {
    fn at_most(&self) -> usize {
        AT_ONCE
    }

    fn before(&mut self, _: &[Event]) -> bool {
        while !self.flow.wait_below(IN_FLIGHT, Duration::from_millis(100)) {
            if self.shutdown.requested() {
                return false;
            }
        }
        !self.shutdown.requested()
    }

    fn record(&mut self, topic: &str, partition: i32, key: &[u8], payload: &[u8]) {
        self.flow.wrote(topic, partition, Amount::of_record(Some(key), Some(payload)));
    }
}
