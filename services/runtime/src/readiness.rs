//! Whether a process is ready: a latch that every worker and every service of it must open.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

type Check = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

#[derive(Default)]
struct State {
    waiting: BTreeMap<String, String>,
    checks: Vec<Check>,
    failed: Option<String>,
    opened: bool,
}

/// A latch shared by the services of a process: open once nothing is waited for any more, and open from then on.
#[derive(Clone, Default)]
pub struct Readiness(Arc<Mutex<State>>);

impl Readiness {
    /// A latch that waits for nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// `what` is waited for, because of `why`.
    pub fn wait_for(&self, what: &str, why: &str) {
        self.state().waiting.insert(what.to_owned(), why.to_owned());
    }

    /// `what` is no longer waited for.
    pub fn done(&self, what: &str) {
        self.state().waiting.remove(what);
    }

    /// The process is not ready while `check` fails; asked until the latch is open.
    pub fn require(&self, check: Check) {
        self.state().checks.push(check);
    }

    /// Something ended for good: the process is neither ready nor alive.
    pub fn fail(&self, why: &str) {
        self.state().failed.get_or_insert_with(|| why.to_owned());
    }

    /// Whether nothing ended for good; else what.
    pub fn live(&self) -> Result<(), String> {
        self.state().failed.clone().map_or(Ok(()), Err)
    }

    /// Whether the latch is open; else all that is waited for, a line each.
    pub fn ready(&self) -> Result<(), String> {
        self.live()?;
        let (mut missing, checks) = {
            let state = self.state();
            if state.opened {
                return Ok(());
            }
            let missing: Vec<_> = state.waiting.iter().map(|(what, why)| format!("{what}: {why}")).collect();
            (missing, state.checks.clone())
        };
        missing.extend(checks.iter().filter_map(|check| check().err()));
        if missing.is_empty() {
            self.state().opened = true;
            Ok(())
        } else {
            Err(missing.join("\n"))
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latch_opens_when_all_is_done_and_stays_open() {
        let readiness = Readiness::new();
        readiness.wait_for("worker 0", "no partitions yet");
        let deployed = Arc::new(Mutex::new(false));
        let seen = deployed.clone();
        readiness.require(Arc::new(
            move || {
                if *seen.lock().unwrap() { Ok(()) } else { Err("no deployment".into()) }
            },
        ));
        assert_eq!(readiness.ready().unwrap_err(), "worker 0: no partitions yet\nno deployment");
        readiness.done("worker 0");
        *deployed.lock().unwrap() = true;
        assert_eq!(readiness.ready(), Ok(()));
        readiness.wait_for("worker 0", "a rebalance");
        assert_eq!(readiness.ready(), Ok(()));
        readiness.fail("worker 1 panicked");
        assert!(readiness.ready().is_err() && readiness.live().is_err());
    }
}
