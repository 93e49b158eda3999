//! How a running service is told to stop.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::error::Error;

/// A handle that anything may hold: ask for the end, or wait for it.
#[derive(Clone, Default)]
pub struct Shutdown(Arc<(Mutex<bool>, Condvar)>);

impl Shutdown {
    /// A handle nobody has used yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for the end.
    pub fn request(&self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.1.notify_all();
    }

    /// Whether the end was asked for.
    pub fn requested(&self) -> bool {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the end is asked for or `bound` has passed; whether it was asked for.
    pub fn wait(&self, bound: Duration) -> bool {
        let guard = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let result = self.0.1.wait_timeout_while(guard, bound, |requested| !*requested);
        *result.unwrap_or_else(PoisonError::into_inner).0
    }

    /// SIGINT and SIGTERM ask for the end; a second one ends the process at once, with exit code 130.
    pub fn on_signals(&self) -> Result<(), Error> {
        let io = |source| Error::Io { what: "cannot watch for signals".into(), source };
        let signals = [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM];
        let mut signals = signal_hook::iterator::Signals::new(signals).map_err(io)?;
        let shutdown = self.clone();
        let watch = move || {
            for signal in signals.forever() {
                if shutdown.requested() {
                    std::process::exit(130);
                }
                tracing::info!(signal, "draining; a second signal ends at once");
                shutdown.request();
            }
        };
        std::thread::Builder::new().name("signals".into()).spawn(watch).map_err(io)?;
        Ok(())
    }
}
