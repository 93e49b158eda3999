//! Publishes the payments and their labels, as fast as the services follow.

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use millrace_load::fraud::{Event, Stream};
use millrace_load::output::kafka::{Options, send_watched};
use millrace_runtime::Shutdown;
use millrace_runtime::embedded::{Amount, Flow, bound};
use millrace_topics::{Application, Partitioner};

use super::{SentAt, micros_since, sent};
use crate::embedded::Embedded;

/// Bytes of a record on the bus, roughly: what the bus keeps is bounded in bytes.
const RECORD_BYTES: u64 = 160;

/// Begins to publish.
pub fn start(
    embedded: &Embedded,
    app: &Application,
    stream: Stream,
    sent_at: SentAt,
    begin: Instant,
    shutdown: Shutdown,
) -> Result<JoinHandle<Result<()>>> {
    let options = Options::new(&embedded.environment.configuration.kafka_bootstrap, &app.name);
    let registry = embedded.environment.registry.clone();
    let gate = Gate { flow: embedded.flow.clone(), app: app.name.clone(), partitions: partitions(app)? };
    let run = move || {
        let mut before = |events: &[Event]| {
            let go = gate.pass(events, &shutdown);
            let now_us = micros_since(begin).max(1);
            for event in events {
                if let Event::Payment(payment) = event {
                    sent(&sent_at, usize::try_from(payment.tx_id).unwrap_or(usize::MAX), now_us);
                }
            }
            go
        };
        send_watched(stream, &options, registry.as_ref(), &mut before).map(drop)
    };
    Ok(std::thread::Builder::new().name("feed".into()).spawn(run)?)
}

fn partitions(app: &Application) -> Result<u32> {
    Ok(app.topic("transactions").context("the application has no topic transactions")?.kafka.partitions)
}

/// Lets events pass while no topic of the chain is about to overflow.
struct Gate {
    flow: Flow,
    app: String,
    partitions: u32,
}

impl Gate {
    /// Waits for room, then counts the events; false if the end is asked for.
    fn pass(&self, events: &[Event], shutdown: &Shutdown) -> bool {
        while !self.flow.wait_below(bound(), Duration::from_millis(100)) {
            if shutdown.requested() {
                return false;
            }
        }
        for event in events {
            let topic = match event {
                Event::Payment(_) => "transactions",
                Event::Label(_) => "labels",
            };
            let key = event.customer().to_string();
            let partition = Partitioner::Murmur2.partition(Some(key.as_bytes()), self.partitions);
            let partition = i32::try_from(partition).unwrap_or_default();
            self.flow.wrote(&format!("{}.{topic}", self.app), partition, Amount { rows: 1, bytes: RECORD_BYTES });
        }
        !shutdown.requested()
    }
}
