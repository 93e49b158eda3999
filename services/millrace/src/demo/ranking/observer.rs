//! Reads what the services write: lists, click feedback, dead letters.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use millrace_load::ranking::Shown;
use millrace_runtime::Shutdown;
use millrace_schemas::envelope::{ClickFeedback, Record as _};
use millrace_topics::Application;

use super::credited::Credited;
use super::view::Snapshot;
use crate::application::kafka_topics;
use crate::demo::topic::Topic;
use crate::embedded::Embedded;

#[derive(Default)]
struct Seen {
    lists: BTreeSet<String>,
    latest: Option<Shown>,
    time_ms: i64,
    rejected: u64,
    credited: Credited,
    seconds: f64,
    failure: Option<anyhow::Error>,
}

/// The reader of what the services write.
pub struct Observer {
    seen: Arc<Mutex<Seen>>,
    thread: Option<JoinHandle<()>>,
    rankers: [String; 2],
    total: u64,
}

impl Observer {
    /// Begins to read; `rankers` are the champion and the challenger, `total` is how many requests will come.
    pub fn start(
        embedded: &Embedded,
        app: &Application,
        rankers: [String; 2],
        total: u64,
        shutdown: Shutdown,
    ) -> Result<Self> {
        let topics = kafka_topics(app)?;
        let registry = &embedded.environment.registry;
        let open = |name: &str| Topic::open(&embedded.client, &embedded.flow, registry, &topics, name);
        let seen = Arc::new(Mutex::new(Seen::default()));
        let mut reader = Reader {
            lists: open("ranking.rankings")?,
            feedback: open("ranking.click-feedback")?,
            dead_letters: open("ranking.dead-letters")?,
            rankers: rankers.clone(),
            begin: Instant::now(),
            seen: seen.clone(),
        };
        let run = move || {
            while !shutdown.requested() {
                if let Err(error) = reader.step() {
                    lock(&reader.seen).failure = Some(error);
                    shutdown.request();
                }
            }
        };
        let thread = std::thread::Builder::new().name("observer".into()).spawn(run)?;
        Ok(Self { seen, thread: Some(thread), rankers, total })
    }

    /// How things stand.
    pub fn snapshot(&self) -> Snapshot {
        let seen = lock(&self.seen);
        Snapshot {
            total: self.total,
            lists: seen.lists.len() as u64,
            rejected: seen.rejected,
            stream_time_ms: seen.time_ms,
            seconds: seen.seconds,
            rankers: self.rankers.clone(),
            latest: seen.latest.clone(),
            clicks: seen.credited.clicks.clone(),
            outcomes: seen.credited.outcomes.clone(),
            now: seen.credited.now.clone(),
            growth: seen.credited.growth.clone(),
            notes: Vec::new(),
        }
        .with_notes()
    }

    /// What was seen; called after the end was asked for.
    pub fn stop(mut self) -> Result<Snapshot> {
        if let Some(thread) = self.thread.take() {
            thread.join().map_err(|_| anyhow!("the observer panicked"))?;
        }
        let failure = lock(&self.seen).failure.take();
        failure.map_or_else(|| Ok(self.snapshot()), Err)
    }
}

/// A panic of the reader ends the demo; what is behind the lock is whole at any time.
fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Reader {
    lists: Topic,
    feedback: Topic,
    dead_letters: Topic,
    rankers: [String; 2],
    begin: Instant,
    seen: Arc<Mutex<Seen>>,
}

impl Reader {
    fn step(&mut self) -> Result<()> {
        if let Some(rows) = self.lists.rows(Duration::from_millis(5))? {
            let lists = Shown::read(&rows)?;
            let mut seen = lock(&self.seen);
            for list in lists.into_iter().filter(|list| list.role == "serving") {
                seen.time_ms = seen.time_ms.max(list.time_ms);
                if seen.lists.insert(list.request.clone()) {
                    seen.latest = Some(list);
                }
            }
            seen.seconds = self.begin.elapsed().as_secs_f64();
        }
        if let Some(rows) = self.feedback.rows(Duration::ZERO)? {
            let feedback = ClickFeedback::from_batch(&rows)?;
            lock(&self.seen).credited.take(&feedback, &self.rankers);
        }
        if let Some(rows) = self.dead_letters.rows(Duration::ZERO)? {
            lock(&self.seen).rejected += rows.num_rows() as u64;
        }
        Ok(())
    }
}
