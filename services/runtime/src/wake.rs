//! How a worker without work is woken.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Wakes one worker; kept by everything that may give it work. A call made while the worker is busy is not lost.
#[derive(Clone, Default)]
pub struct Wake(Arc<(Mutex<bool>, Condvar)>);

impl Wake {
    /// There may be work.
    pub fn wake(&self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.1.notify_one();
    }

    /// Waits for [`wake`](Self::wake), or until `bound` has passed.
    pub fn wait(&self, bound: Duration) {
        let guard = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let result = self.0.1.wait_timeout_while(guard, bound, |woken| !*woken);
        *result.unwrap_or_else(PoisonError::into_inner).0 = false;
    }
}
