//! Publishes the payments and their labels, as fast as the services follow.

use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Result;
use millrace_load::fraud::{Event, Stream};
use millrace_load::output::kafka::{Options, Watch, send_watched};
use millrace_load::output::source::Payments;
use millrace_runtime::Shutdown;
use millrace_runtime::embedded::{Amount, Flow};
use millrace_topics::Application;

use super::course::Course;
use crate::embedded::Embedded;

/// Records that any partition holds unread at most: far below what the bus keeps, and few, since at full speed latency is
/// what lies in the queues.
const IN_FLIGHT: Amount = Amount { rows: 500, bytes: 1 << 20 };

/// How often those sent ahead are looked for.
const WARM: Duration = Duration::from_millis(1);

/// Begins to publish.
pub fn start(
    embedded: &Embedded,
    app: &Application,
    stream: Stream,
    course: Course,
    shutdown: Shutdown,
) -> Result<JoinHandle<Result<()>>> {
    let options = Options::new(&embedded.environment.configuration.kafka_bootstrap, &app.name);
    let registry = embedded.environment.registry.clone();
    let mut gate = Gate { flow: embedded.flow.clone(), course, shutdown };
    let run = move || {
        let sent = send_watched(&Payments, stream, &options, registry.as_ref(), &mut gate);
        if sent.is_err() {
            gate.shutdown.request();
        }
        sent.map(drop)
    };
    Ok(std::thread::Builder::new().name("feed".into()).spawn(run)?)
}

/// Lets events pass while no topic of the chain is about to overflow.
struct Gate {
    flow: Flow,
    course: Course,
    shutdown: Shutdown,
}

impl Watch<Event> for Gate {
    fn at_most(&self) -> usize {
        // The first events of all are payments: labels come days later.
        if self.course.published() == 0 { self.course.ahead() } else { usize::MAX }
    }

    fn before(&mut self, events: &[Event]) -> bool {
        while self.course.published() > 0 && !self.course.warm() {
            if self.shutdown.wait(WARM) {
                return false;
            }
        }
        while !self.flow.wait_below(IN_FLIGHT, Duration::from_millis(100)) {
            if self.shutdown.requested() {
                return false;
            }
        }
        let now_us = self.course.now_us();
        for event in events {
            if let Event::Payment(payment) = event {
                self.course.sent(usize::try_from(payment.tx_id).unwrap_or(usize::MAX), now_us);
            }
        }
        !self.shutdown.requested()
    }

    fn record(&mut self, topic: &str, partition: i32, key: &[u8], payload: &[u8]) {
        self.flow.wrote(topic, partition, Amount::of_record(Some(key), Some(payload)));
    }
}
