//! Writes to the online store; holds them back, one per key, while it is away.

use std::time::{Duration, Instant};

use hashbrown::{HashMap, HashSet};

use crate::store::{OnlineStore, StoreError, VersionedWrite};

/// A task: its stage's index and its partition number.
pub type TaskKey = (usize, i32);

/// How long the store is left alone after it did not answer: a call that times out holds the worker up.
const PAUSE: Duration = Duration::from_millis(250);
/// The longest pause, after many calls without an answer.
const LONGEST_PAUSE: Duration = Duration::from_secs(4);
/// Keys written in one round trip.
const ROUND_TRIP_KEYS: usize = 10_000;

/// One worker's writes to the online store.
pub struct StoreWriter {
    store: Option<Box<dyn OnlineStore>>,
    open: Box<dyn Fn() -> Result<Box<dyn OnlineStore>, StoreError> + Send>,
    waiting: HashMap<String, (TaskKey, VersionedWrite)>,
    most: usize,
    away_since: Option<Instant>,
    tried: Option<Instant>,
    pause: Duration,
}

impl StoreWriter {
    /// A writer that opens its connection when it first needs it, and holds `most` keys back while it cannot.
    pub fn new(
        open: impl Fn() -> Result<Box<dyn OnlineStore>, StoreError> + Send + 'static,
        most: usize,
    ) -> Self {
        Self {
            store: None,
            open: Box::new(open),
            waiting: HashMap::new(),
            most,
            away_since: None,
            tried: None,
            pause: PAUSE,
        }
    }

    /// Adds a task's writes, newest last; a key's newest write stands for all.
    pub fn add(&mut self, task: TaskKey, writes: impl IntoIterator<Item = VersionedWrite>) {
        for write in writes {
            self.waiting.insert(write.write.key.clone(), (task, write));
        }
    }

    /// Writes what waits. `Ok(false)`: the store is away, everything still waits. A store that did not answer just now is
    /// left alone for a while, unless `insist`.
    pub fn flush(&mut self, insist: bool) -> Result<bool, StoreError> {
        if self.waiting.is_empty() {
            return Ok(true);
        }
        if !insist && self.pausing() {
            return Ok(false);
        }
        match self.write_all() {
            Ok(()) => {
                self.tried = None;
                self.pause = PAUSE;
                if let Some(since) = self.away_since.take() {
                    tracing::info!(seconds = since.elapsed().as_secs_f64(), "the online store is back");
                }
                Ok(true)
            }
            Err(StoreError::Unavailable(why)) => {
                self.store = None;
                self.failed();
                if self.away_since.is_none() {
                    self.away_since = Some(Instant::now());
                    tracing::warn!(why, "the online store is away; writes wait");
                }
                Ok(false)
            }
            Err(refused) => Err(refused),
        }
    }

    fn write_all(&mut self) -> Result<(), StoreError> {
        let store = match &mut self.store {
            Some(store) => store,
            none => none.insert((self.open)()?),
        };
        let (tasks, writes): (Vec<_>, Vec<_>) = self.waiting.drain().map(|(_, waiting)| waiting).unzip();
        let result = writes.chunks(ROUND_TRIP_KEYS).try_for_each(|chunk| store.write(chunk));
        if result.is_err() {
            let back = tasks.into_iter().zip(writes);
            self.waiting.extend(back.map(|(task, write)| (write.write.key.clone(), (task, write))));
        }
        result
    }

    fn pausing(&self) -> bool {
        self.tried.is_some_and(|at| at.elapsed() < self.pause)
    }

    fn failed(&mut self) {
        self.pause = if self.tried.is_some() { (self.pause * 2).min(LONGEST_PAUSE) } else { PAUSE };
        self.tried = Some(Instant::now());
    }

    /// Opens the connection, for readiness; whether the store answers.
    pub fn reach(&mut self) -> Result<bool, StoreError> {
        if self.store.is_some() {
            return Ok(true);
        }
        if self.pausing() {
            return Ok(false);
        }
        match (self.open)() {
            Ok(store) => self.store = Some(store),
            Err(StoreError::Unavailable(_)) => self.failed(),
            Err(refused) => return Err(refused),
        }
        Ok(self.store.is_some())
    }

    /// Whether no more keys may be held back: the worker waits for the store then.
    pub fn full(&self) -> bool {
        self.waiting.len() >= self.most
    }

    /// Keys held back.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Whether the store is away.
    pub fn away(&self) -> bool {
        self.away_since.is_some()
    }

    /// The tasks whose writes wait.
    pub fn behind(&self) -> HashSet<TaskKey> {
        self.waiting.values().map(|(task, _)| *task).collect()
    }

    /// Forgets the writes of all tasks: another worker writes them again, from the committed store offset on.
    pub fn forget(&mut self) {
        self.waiting.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::store::{Hash, Version};
    use crate::task::KeyWrite;

    #[derive(Default)]
    struct Shared {
        away: bool,
        written: BTreeMap<String, i64>,
    }

    struct Fake(Arc<Mutex<Shared>>);

    impl OnlineStore for Fake {
        fn write(&mut self, writes: &[VersionedWrite]) -> Result<(), StoreError> {
            let mut shared = self.0.lock().unwrap();
            if shared.away {
                return Err(StoreError::Unavailable("test".into()));
            }
            for write in writes {
                shared.written.insert(write.write.key.clone(), write.version.offsets);
            }
            Ok(())
        }

        fn read(&mut self, _: &[String]) -> Result<Vec<Hash>, StoreError> {
            Ok(Vec::new())
        }
    }

    fn write(key: &str, offsets: i64) -> VersionedWrite {
        let write = KeyWrite { key: key.into(), fields: Vec::new(), ttl_ms: None };
        VersionedWrite { write, version: Version { epoch_ms: 0, offsets } }
    }

    #[test]
    fn an_outage_holds_one_write_per_key_back_and_ends_with_the_newest() {
        let shared = Arc::new(Mutex::new(Shared { away: true, ..Default::default() }));
        let store = shared.clone();
        let mut writer = StoreWriter::new(move || Ok(Box::new(Fake(store.clone()))), 2);
        writer.add((0, 3), [write("a", 1)]);
        assert!(!writer.flush(false).unwrap() && writer.away());
        writer.add((0, 3), [write("a", 2), write("b", 2)]);
        assert!(writer.full());
        assert_eq!(writer.behind(), HashSet::from([(0, 3)]));
        shared.lock().unwrap().away = false;
        assert!(!writer.flush(false).unwrap(), "it is left alone for a while");
        assert!(writer.flush(true).unwrap() && !writer.away());
        let written: Vec<_> = shared.lock().unwrap().written.clone().into_iter().collect();
        assert_eq!(written, [("a".to_owned(), 2), ("b".to_owned(), 2)]);
        assert!(writer.behind().is_empty());
    }
}
