//! What is measured of the stage, named in one place.

use std::sync::Arc;

use metrics::{Counter, Gauge, counter, gauge};
use millrace_schemas::envelope::{ClickFeedback, FeedbackKind};

use super::book::{Book, Tally};
use super::feedback::UNMATCHED;

const VERDICTS: [&str; 8] =
    ["credited", "duplicate", "late", "early", "not_shown", "not_in_list", "common_prefix", UNMATCHED];

/// The numbers of one partition's task.
#[derive(Clone)]
pub struct Measures {
    clicks: Arc<[Counter; 8]>,
    outcomes: Counter,
    crowded_out: Counter,
    impressions_unmatched: Counter,
    sizes: [Gauge; 3],
    counted: Tally,
}

impl Measures {
    /// Of an application's task.
    pub fn new(app: &str, partition: i32) -> Self {
        let labels = [("app", app.to_owned()), ("partition", partition.to_string())];
        let of = |verdict: &'static str| {
            let [app, partition] = labels.clone();
            counter!("millrace_clicks_total", &[app, partition, ("verdict", verdict.to_owned())])
        };
        Self {
            clicks: Arc::new(VERDICTS.map(of)),
            outcomes: counter!("millrace_clicks_outcomes_total", &labels),
            crowded_out: counter!("millrace_clicks_lists_crowded_out_total", &labels),
            impressions_unmatched: counter!("millrace_clicks_impressions_unmatched_total", &labels),
            sizes: [
                gauge!("millrace_clicks_open_lists", &labels),
                gauge!("millrace_clicks_remembered_lists", &labels),
                gauge!("millrace_clicks_waiting_rows", &labels),
            ],
            counted: Tally::default(),
        }
    }

    /// What was said for the first time.
    pub fn said(&self, all: &[ClickFeedback]) {
        let mut clicks = [0_u64; 8];
        let mut outcomes = 0;
        for one in all {
            match one.kind {
                FeedbackKind::Outcome => outcomes += 1,
                FeedbackKind::Click => {
                    let place = VERDICTS.iter().position(|verdict| *verdict == one.verdict);
                    if let Some(count) = place.and_then(|place| clicks.get_mut(place)) {
                        *count += 1;
                    }
                }
            }
        }
        self.clicks.iter().zip(clicks).for_each(|(counter, count)| counter.increment(count));
        self.outcomes.increment(outcomes);
    }

    /// What a task holds now, and has met.
    pub fn holds(&mut self, book: &Book) {
        #[allow(clippy::cast_precision_loss)]
        self.sizes.iter().zip(book.sizes()).for_each(|(gauge, size)| gauge.set(size as f64));
        let tally = book.tally();
        let more = |now: u64, before: u64| now.saturating_sub(before);
        let crowded_out = more(tally.crowded_out, self.counted.crowded_out);
        if crowded_out > 0 {
            tracing::warn!(
                crowded_out,
                "too many lists are remembered: the oldest are forgotten early; raise click_feedback.max_lists"
            );
        }
        self.crowded_out.increment(crowded_out);
        let unmatched = more(tally.impressions_unmatched, self.counted.impressions_unmatched);
        self.impressions_unmatched.increment(unmatched);
        self.counted = tally;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verdict_is_counted() {
        let outcome = crate::interleave::credit::Outcome::default();
        let all: Vec<&str> = outcome.counts().iter().map(|(verdict, _)| verdict.name()).collect();
        assert_eq!(all, VERDICTS[..7]);
    }
}
