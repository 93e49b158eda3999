//! What the feed and the observer tell each other: when each payment was published, and how many have come through.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Payments that are sent ahead, at most: enough for every partition to have some.
const AHEAD: usize = 100;

/// The course of a run; its clones share it.
#[derive(Clone)]
pub struct Course {
    begin: Instant,
    ahead: usize,
    /// In µs since the beginning; the index is the payment's position. 0: not published yet.
    sent: Arc<[AtomicU64]>,
    settled: Arc<AtomicU64>,
}

impl Course {
    /// A run of this many payments that begins now.
    pub fn begin(payments: usize) -> Self {
        Self {
            begin: Instant::now(),
            ahead: AHEAD.min(payments.div_ceil(2)),
            sent: (0..payments).map(|_| AtomicU64::new(0)).collect(),
            settled: Arc::default(),
        }
    }

    /// How many payments are sent ahead, and no others before they have come through: they meet services that only just
    /// start, so their latency tells nothing of the path.
    pub fn ahead(&self) -> usize {
        self.ahead
    }

    /// Since the beginning.
    pub fn now_us(&self) -> u64 {
        u64::try_from(self.begin.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// A payment is published at this moment.
    pub fn sent(&self, payment: usize, at_us: u64) {
        if let Some(slot) = self.sent.get(payment) {
            slot.store(at_us.max(1), Ordering::Relaxed);
        }
    }

    /// How many payments are published.
    pub fn published(&self) -> usize {
        self.sent.partition_point(|at| at.load(Ordering::Relaxed) > 0)
    }

    /// How long ago a payment was published, in µs; `None` for those sent ahead.
    pub fn latency_us(&self, payment: usize, now_us: u64) -> Option<u64> {
        let sent = self.sent.get(payment).filter(|_| payment >= self.ahead)?;
        Some(now_us.saturating_sub(sent.load(Ordering::Relaxed)))
    }

    /// This many payments have their prediction, or their dead letter.
    pub fn settle(&self, payments: u64) {
        self.settled.store(payments, Ordering::Release);
    }

    /// Whether those sent ahead have come through.
    pub fn warm(&self) -> bool {
        self.settled.load(Ordering::Acquire) >= self.ahead as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latency_is_measured_of_payments_that_find_the_services_at_work() {
        let course = Course::begin(1_000);
        assert_eq!(course.ahead(), AHEAD);
        (0..AHEAD + 1).for_each(|payment| course.sent(payment, 10));
        assert_eq!(course.published(), AHEAD + 1);
        assert_eq!(course.latency_us(AHEAD - 1, 600_000), None);
        assert_eq!(course.latency_us(AHEAD, 600_000), Some(599_990));
        assert!(!course.warm());
        course.settle(AHEAD as u64);
        assert!(course.warm());
    }

    #[test]
    fn of_few_payments_half_are_sent_ahead() {
        assert_eq!([1, 2, 7, 200, 600_000].map(|n| Course::begin(n).ahead()), [1, 1, 4, 100, 100]);
    }
}
