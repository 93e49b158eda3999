//! A random slice of the events whose decision does not hang on the score.

use millrace_experiments::assignment::hash::{BUCKETS, bucket};
use millrace_topics::ExploreTable;

/// The reason that the predictions of these events give.
pub const EXPLORE: &str = "explore";

/// Which events are explored, and what is decided on them. By hash of the event's id, so that a replay explores the same
/// ones, and no model has a say in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Explore {
    seed: String,
    buckets: u16,
    /// The decision.
    pub decision: String,
}

impl Explore {
    /// As the topic file of a prediction topic (by its stem) declares.
    pub fn new(topic: &str, table: &ExploreTable) -> Self {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // within 0 and 10,000
        let buckets = (table.share.clamp(0.0, 1.0) * f64::from(BUCKETS)).round() as u16;
        Self { seed: format!("__{EXPLORE}/{topic}"), buckets, decision: table.decision.clone() }
    }

    /// Whether the event is explored.
    pub fn has(&self, event: &str) -> bool {
        bucket(&self.seed, event) < self.buckets
    }

    /// The share of the events that are.
    pub fn share(&self) -> f64 {
        f64::from(self.buckets) / f64::from(BUCKETS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_declared_share_of_events_is_explored_whatever_arm_they_have() {
        let table = ExploreTable { share: 0.02, decision: "approve".into() };
        let explore = Explore::new("predictions", &table);
        let explored: Vec<String> =
            (0..50_000).map(|n| format!("t{n}")).filter(|id| explore.has(id)).collect();
        // 1,000 expected; the standard deviation is 31.
        assert!((860..1_140).contains(&explored.len()), "{}", explored.len());
        let half = explored.iter().filter(|id| bucket("some salt", id) < 5_000).count();
        assert!((400..600).contains(&half), "{half} of {} in one arm", explored.len());
        assert_eq!(explore.share(), 0.02);
    }
}
