//! The users: a thread that reads lists and answers with impressions and clicks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use anyhow::{Result, anyhow};
use millrace_load::output::kafka::users::{Attend, answer};
use millrace_load::output::kafka::{Options, Watch};
use millrace_load::output::source::Visits;
use millrace_load::ranking::{Answers, Event, Ledger, Params, User, World};
use millrace_runtime::Shutdown;
use millrace_runtime::embedded::{Amount, Flow};
use millrace_topics::Application;

use super::RANKINGS;
use crate::embedded::Embedded;

const READER: &str = "users";

/// The running users.
pub struct Users {
    thread: JoinHandle<Result<Ledger>>,
    no_more_lists: Arc<AtomicBool>,
}

impl Users {
    /// Begins to read lists.
    pub fn start(
        embedded: &Embedded,
        app: &Application,
        world: Arc<World>,
        params: &Params,
        shutdown: Shutdown,
    ) -> Result<Self> {
        let options = Options::new(&embedded.environment.configuration.kafka_bootstrap, &app.name);
        let registry = embedded.environment.registry.clone();
        let no_more_lists = Arc::new(AtomicBool::new(false));
        embedded.flow.add_reader(READER, &format!("{}.{RANKINGS}", app.name));
        let mut day = Day { flow: embedded.flow.clone(), no_more_lists: no_more_lists.clone(), shutdown };
        let answers = Answers::new(User::new(world.clone(), params));
        let run = move || {
            let answered = answer(&Visits(world), answers, &options, &registry, &mut day);
            if answered.is_err() {
                day.shutdown.request();
            }
            answered
        };
        let thread = std::thread::Builder::new().name("users".into()).spawn(run)?;
        Ok(Self { thread, no_more_lists })
    }

    /// Says that no more lists come; what each request must have earned.
    pub fn stop(self) -> Result<Ledger> {
        self.no_more_lists.store(true, Ordering::Release);
        self.thread.join().map_err(|_| anyhow!("the users panicked"))?
    }
}

/// The users' day: it ends when no more lists come, or all is over.
struct Day {
    flow: Flow,
    no_more_lists: Arc<AtomicBool>,
    shutdown: Shutdown,
}

impl Watch<Event> for Day {
    fn record(&mut self, topic: &str, partition: i32, key: &[u8], payload: &[u8]) {
        self.flow.wrote(topic, partition, Amount::of_record(Some(key), Some(payload)));
    }
}

impl Attend for Day {
    fn go_on(&mut self, _: u64) -> bool {
        !self.no_more_lists.load(Ordering::Acquire) && !self.shutdown.requested()
    }

    fn read(&mut self, topic: &str, partition: i32, key: Option<&[u8]>, payload: Option<&[u8]>) {
        self.flow.read(READER, topic, partition, Amount::of_record(key, payload));
    }
}
