//! Keeps partitions of a stage side by side in record time, so that catching up looks like living.
//!
//! [`Rule`] decides; [`Aligner`] shares one rule among the workers of a process and wakes those that may go on.

mod rule;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use rule::{Limit, Place, Rule};

use crate::wake::Wake;

/// One stage's rule, shared by the workers of this process.
#[derive(Clone)]
pub struct Aligner {
    rule: Arc<Mutex<Rule>>,
    wakes: Arc<Vec<Wake>>,
    max_wait_ms: i64,
    max_skew_ms: i64,
}

impl Aligner {
    /// Shares `rule` among the workers that `wakes` wake; waits end after `max_wait_ms` of wall time.
    pub fn new(rule: Rule, wakes: Vec<Wake>, max_wait_ms: i64) -> Self {
        let max_skew_ms = rule.max_skew_ms();
        Self { rule: Arc::new(Mutex::new(rule)), wakes: Arc::new(wakes), max_wait_ms, max_skew_ms }
    }

    /// After how long a wait ends, in ms of wall time.
    pub fn max_wait_ms(&self) -> i64 {
        self.max_wait_ms
    }

    /// See [`Rule::assign`].
    pub fn assign(&self, worker: usize, partitions: &[i32]) {
        self.rule().assign(worker, partitions);
        self.wake_all();
    }

    /// See [`Rule::revoke`].
    pub fn revoke(&self, worker: usize) {
        self.rule().revoke(worker);
    }

    /// See [`Rule::ask`].
    pub fn ask(&self, partition: i32, time_ms: i64) {
        if self.rule().ask(partition, time_ms) {
            self.wake_all();
        }
    }

    /// See [`Rule::asked`].
    pub fn asked(&self, input: usize, partition: i32) -> Option<i64> {
        self.rule().asked(input, partition)
    }

    /// How far partitions may be apart, in ms of record time.
    pub fn max_skew_ms(&self) -> i64 {
        self.max_skew_ms
    }

    /// Publishes the places of a task's inputs.
    pub fn publish(&self, partition: i32, places: impl Iterator<Item = Place>) {
        let mut rule = self.rule();
        let moved =
            places.enumerate().fold(false, |moved, (i, place)| rule.publish(i, partition, place) | moved);
        drop(rule);
        if moved {
            self.wake_all();
        }
    }

    /// See [`Rule::limit`].
    pub fn limit(&self, partition: i32) -> Limit {
        self.rule().limit(partition)
    }

    /// See [`Rule::drop_blockers`].
    pub fn drop_blockers(&self, partition: i32, time_ms: i64) -> usize {
        self.rule().drop_blockers(partition, time_ms)
    }

    fn wake_all(&self) {
        self.wakes.iter().for_each(Wake::wake);
    }

    fn rule(&self) -> MutexGuard<'_, Rule> {
        self.rule.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
