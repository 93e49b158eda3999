//! Waiting for a condition, with a bound: no test sleeps for a fixed time and hopes.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

const INTERVAL: Duration = Duration::from_millis(20);

/// Asks until `condition` gives a value. Ends with an error that names `what` after `bound`, or at once when the
/// condition itself fails.
pub fn until<T>(what: &str, bound: Duration, mut condition: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let deadline = Instant::now() + bound;
    loop {
        if let Some(value) = condition()? {
            return Ok(value);
        }
        if Instant::now() >= deadline {
            bail!("{what}: not within {bound:?}");
        }
        std::thread::sleep(INTERVAL);
    }
}
