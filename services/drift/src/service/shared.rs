//! What the tasks of one process tell its clock: partitions' times, and whether it is this process's turn to write.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::notes::Place;

/// A partition's time as it was told last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// In ms.
    pub time_ms: i64,
    /// Whether the clock told it, since the partition is silent.
    pub silent: bool,
}

/// Every partition's time. Whoever runs the judge knows it, and writes for silent partitions.
#[derive(Debug, Default)]
pub struct Clocks(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    owners: usize,
    told: BTreeMap<Place, Told>,
    ticked_ms: Option<i64>,
}

impl Clocks {
    /// A judge's task is here.
    pub fn join(&self) {
        self.state().owners += 1;
    }

    /// It is gone.
    pub fn leave(&self) {
        let mut state = self.state();
        state.owners = state.owners.saturating_sub(1);
        if state.owners == 0 {
            *state = State::default();
        }
    }

    /// Whether a judge's task is here.
    pub fn owned(&self) -> bool {
        self.state().owners > 0
    }

    /// A partition's time is waited for, whether it tells one or not.
    pub fn expect(&self, place: &Place) {
        let never = Told { time_ms: i64::MIN, silent: false };
        self.state().told.entry(place.clone()).or_insert(never);
    }

    /// A partition's time was told.
    pub fn told(&self, place: &Place, time_ms: i64, silent: bool) {
        self.state().told.insert(place.clone(), Told { time_ms, silent });
    }

    /// A tick was taken.
    pub fn ticked(&self, time_ms: i64) {
        let mut state = self.state();
        state.ticked_ms = state.ticked_ms.max(Some(time_ms));
    }

    /// Every partition's time, and the last tick.
    pub fn read(&self) -> (BTreeMap<Place, Told>, Option<i64>) {
        let state = self.state();
        (state.told.clone(), state.ticked_ms)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
