//! An open loop: when the n-th record is due does not depend on how earlier ones fared.

use std::time::Duration;

/// Chunks of records are sent at most this large, and at a rate at least a hundred times a second.
const MAX_CHUNK: usize = 1000;

/// At which pace records are sent.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    per_second: Option<f64>,
}

impl Pace {
    /// `per_second` records; `None`: as fast as they can be sent.
    pub fn new(per_second: Option<f64>) -> Self {
        Self { per_second }
    }

    /// How many records are sent at once.
    pub fn chunk(self) -> usize {
        self.per_second.map_or(MAX_CHUNK, |rate| ((rate / 100.0) as usize).clamp(1, MAX_CHUNK))
    }

    /// When a record is due, `sent` having gone before it: the time since the first one.
    pub fn due(self, sent: u64) -> Duration {
        self.per_second.map_or(Duration::ZERO, |rate| {
            Duration::try_from_secs_f64(sent as f64 / rate).unwrap_or(Duration::MAX)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_due_at_their_rate() {
        let pace = Pace::new(Some(2_000.0));
        assert_eq!(
            (pace.chunk(), pace.due(0), pace.due(3_000)),
            (20, Duration::ZERO, Duration::from_millis(1500))
        );
        assert_eq!((Pace::new(Some(0.5)).chunk(), Pace::new(Some(0.5)).due(1)), (1, Duration::from_secs(2)));
        assert_eq!((Pace::new(None).chunk(), Pace::new(None).due(u64::MAX)), (MAX_CHUNK, Duration::ZERO));
    }
}
