//! What is said of a click, and of a request.

use millrace_schemas::envelope::{ClickFeedback, FeedbackKind};

use super::entry::Entry;
use super::waiting::Click;
use crate::interleave::credit::{Outcome, Verdict};

/// The verdict of a click whose list did not come within the horizon.
pub const UNMATCHED: &str = "unmatched";

/// Where a task's rows lie: with an offset it names one for ever.
#[derive(Debug, Clone)]
pub struct Ids {
    rankings: String,
    clicks: String,
    partition: String,
}

impl Ids {
    /// Of a task of these topics.
    pub fn new(rankings: &str, clicks: &str, partition: i32) -> Self {
        Self { rankings: rankings.into(), clicks: clicks.into(), partition: partition.to_string() }
    }

    fn of(&self, kind: &str, topic: &str, offset: i64) -> String {
        ClickFeedback::id_of(&[kind, topic, &self.partition, &offset.to_string()])
    }

    /// A click of no list.
    pub fn unmatched(&self, click: Click) -> ClickFeedback {
        ClickFeedback {
            id: self.of("click", &self.clicks, click.offset),
            time_ms: click.time_ms,
            kind: FeedbackKind::Click,
            request: click.request,
            unit: click.unit,
            deployment: -1,
            arm: String::new(),
            method: String::new(),
            rankers: Vec::new(),
            credit: Vec::new(),
            verdict: UNMATCHED.into(),
            click: Some(click.id),
            item: Some(click.item),
            position: None,
            team: None,
            delay: None,
            list_time_ms: click.time_ms,
            counts: Default::default(),
        }
    }

    /// A click on a list. After the list has closed every click is late; its position is not known any more.
    pub fn click(&self, click: Click, entry: &mut Entry, horizon_ms: i64) -> ClickFeedback {
        let delay_ms = click.time_ms.saturating_sub(entry.time_ms);
        let made = entry.made.clone();
        let mut feedback = ClickFeedback {
            deployment: made.deployment,
            arm: made.arm.clone(),
            method: made.method.clone(),
            rankers: made.rankers.clone(),
            credit: vec![0.0; made.rankers.len()],
            verdict: Verdict::Late.name().into(),
            delay: Some(delay_ms),
            list_time_ms: entry.time_ms,
            ..self.unmatched(click)
        };
        let Some(open) = entry.open() else { return feedback };
        let item = feedback.item.as_deref().unwrap_or_default();
        let position = open.items.position(item);
        let team = position.and_then(|position| open.ledger.list().slots().get(position)?.team);
        feedback.team = team.and_then(|team| made.rankers.get(team as usize)).cloned();
        feedback.position = position.and_then(|position| i32::try_from(position + 1).ok());
        // The ledger is not told of late clicks: how many come before the list closes is chance, and outcomes are not.
        if delay_ms <= horizon_ms {
            let id = feedback.click.as_deref().unwrap_or_default();
            let judged = open.ledger.click(id, position, feedback.time_ms);
            feedback.verdict = judged.verdict.name().into();
            feedback.credit = judged.credit;
        }
        feedback
    }

    /// What all clicks on a list earned together.
    pub fn outcome(&self, request: &str, entry: &Entry, outcome: Outcome, horizon_ms: i64) -> ClickFeedback {
        let made = &entry.made;
        let verdict = match outcome.winner() {
            _ if outcome.credited == 0 => "none",
            Some(winner) => made.rankers.get(winner).map_or("tie", String::as_str),
            None => "tie",
        };
        let counts = outcome.counts().into_iter().filter(|(_, count)| *count > 0);
        let counts = counts.map(|(verdict, count)| (verdict.name().to_owned(), i64::try_from(count).ok()));
        ClickFeedback {
            id: self.of("outcome", &self.rankings, entry.offset),
            time_ms: entry.time_ms.saturating_add(horizon_ms),
            kind: FeedbackKind::Outcome,
            request: request.to_owned(),
            unit: entry.unit.clone(),
            deployment: made.deployment,
            arm: made.arm.clone(),
            method: made.method.clone(),
            rankers: made.rankers.clone(),
            verdict: verdict.to_owned(),
            click: None,
            item: None,
            position: None,
            team: None,
            delay: None,
            list_time_ms: entry.time_ms,
            counts: counts.collect(),
            credit: outcome.credit,
        }
    }
}
