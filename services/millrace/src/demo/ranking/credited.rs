//! What click feedback says: clicks by verdict, and whom users prefer.

use std::collections::{BTreeMap, BTreeSet};

use millrace_experiments::interleave::credit::compare;
use millrace_experiments::interleave::preference::{Preference, Summary};
use millrace_schemas::envelope::{ClickFeedback, FeedbackKind};

/// The level of intervals is 1 less this, and a ranker is preferred where p is below it.
pub const ALPHA: f64 = 0.05;

/// All feedback so far.
#[derive(Debug, Clone, Default)]
pub struct Credited {
    seen: BTreeSet<String>,
    /// Clicks by verdict.
    pub clicks: BTreeMap<String, u64>,
    /// By request, what both rankers earned, the champion first: of interleaved lists whose horizon has closed.
    pub outcomes: BTreeMap<String, [f64; 2]>,
    /// What users said of the challenger.
    preference: Preference,
    /// The preference at 10, 20, 40, ... users with one.
    pub growth: Vec<Summary>,
    /// The preference now.
    pub now: Option<Summary>,
}

impl Credited {
    /// Takes feedback; `rankers` are the champion and the challenger.
    pub fn take(&mut self, feedback: &[ClickFeedback], rankers: &[String; 2]) {
        for event in feedback {
            // Delivery is at least once here: an equal repeat.
            if !self.seen.insert(event.id.clone()) {
                continue;
            }
            match event.kind {
                FeedbackKind::Click => *self.clicks.entry(event.verdict.clone()).or_default() += 1,
                FeedbackKind::Outcome => self.outcome(event, rankers),
            }
        }
        self.now = (!self.outcomes.is_empty()).then(|| self.preference.summary(ALPHA));
    }

    fn outcome(&mut self, event: &ClickFeedback, rankers: &[String; 2]) {
        let earned = |ranker: &String| {
            let place = event.rankers.iter().position(|name| name == ranker)?;
            event.credit.get(place).copied()
        };
        let [Some(champion), Some(challenger)] = rankers.each_ref().map(earned) else { return };
        self.outcomes.insert(event.request.clone(), [champion, challenger]);
        self.preference.add(&event.unit, compare(challenger, champion));
        let next = 10_u64 << self.growth.len();
        if self.outcomes.len() as u64 >= next {
            let summary = self.preference.summary(ALPHA);
            if summary.wins + summary.losses >= next {
                self.growth.push(summary);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(n: u32, credit: [f64; 2]) -> ClickFeedback {
        ClickFeedback {
            id: n.to_string(),
            time_ms: 0,
            kind: FeedbackKind::Outcome,
            request: format!("r{n}"),
            unit: format!("u{n}"),
            deployment: 1,
            arm: "interleave".into(),
            method: "team_draft".into(),
            rankers: vec!["m/1".into(), "m/2".into()],
            credit: credit.to_vec(),
            verdict: String::new(),
            click: None,
            item: None,
            position: None,
            team: None,
            delay: None,
            list_time_ms: 0,
            counts: BTreeMap::new(),
        }
    }

    #[test]
    fn the_challengers_wins_are_counted_once_a_request() {
        let rankers = ["m/1".to_owned(), "m/2".to_owned()];
        let mut credited = Credited::default();
        let events: Vec<ClickFeedback> = (0..40).map(|n| outcome(n, [1.0, f64::from(n % 4)])).collect();
        credited.take(&events, &rankers);
        credited.take(&events[..5], &rankers);
        let now = credited.now.clone().unwrap();
        assert_eq!((now.wins, now.losses, now.ties), (20, 10, 10));
        assert_eq!(credited.outcomes.len(), 40);
        assert_eq!(credited.growth.len(), 2, "at 10 and 20 users with a preference");
        let mut single = outcome(99, [1.0, 0.0]);
        single.rankers.truncate(1);
        credited.take(&[single], &rankers);
        assert_eq!(credited.outcomes.len(), 40, "a list of one ranker compares nobody");
    }
}
