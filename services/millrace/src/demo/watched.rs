//! What the drift service said on the way: causes, how precise the alerts were, requests to train again.

use std::collections::{BTreeMap, BTreeSet};

use millrace_schemas::envelope::{DriftEvent, DriftKind, DriftStatus, RetrainRequest, Subject};
use serde::Serialize;

use crate::text::day_and_minute;

/// What was said, for the view and for the summary.
#[derive(Debug, Default, Clone, Serialize)]
pub struct Watched {
    /// Windows that were judged for good.
    pub windows: usize,
    #[serde(skip)]
    judged: BTreeSet<i64>,
    /// The gravest cause of each window that had one, oldest first.
    pub causes: Vec<Cause>,
    /// Everything at the root of a cause, of every window that was judged for good, in the order of the reports.
    pub roots: Vec<Root>,
    /// The precision of alerts on labels, per window of predictions, oldest first.
    pub precision: Vec<Precision>,
    /// Requests to train again.
    pub retrain_requests: Vec<Request>,
}

/// The gravest cause of a window.
#[derive(Debug, Clone, Serialize)]
pub struct Cause {
    /// The window's day.
    pub window: String,
    /// What it is about: `amount in country=DE`.
    pub what: String,
    /// Effect over threshold.
    pub severity: f64,
    /// What happened, in a sentence.
    pub detail: String,
}

/// What is at the root of a cause.
#[derive(Debug, Clone, Serialize)]
pub struct Root {
    /// What was watched: `features`.
    pub topic: String,
    /// What of it: `data`, `performance`, ...
    pub subject: Subject,
    /// By which measure or metric.
    pub method: String,
    /// Its place among the causes of its window, from 1.
    pub rank: i32,
    /// What it is, and in which window.
    #[serde(flatten)]
    pub cause: Cause,
}

/// How many alerts of a window were frauds.
#[derive(Debug, Clone, Serialize)]
pub struct Precision {
    /// The window's day.
    pub window: String,
    /// The share, on labels that came days later.
    pub precision: f64,
}

/// A request to train again.
#[derive(Debug, Clone, Serialize)]
pub struct Request {
    /// When it was written, in the stream's time.
    pub time: String,
    /// The trigger that fired.
    pub trigger: String,
    /// Its evidence.
    pub reason: String,
}

impl Watched {
    /// Takes reports in the order in which they were written.
    pub fn reports(&mut self, events: &[DriftEvent]) {
        let mut gravest: BTreeMap<(i64, &str), &DriftEvent> = BTreeMap::new();
        for event in events.iter().filter(|event| event.status == DriftStatus::Final) {
            match (event.kind, event.subject) {
                (DriftKind::Summary, Subject::Performance) => self.measured(event),
                (DriftKind::Summary, Subject::Dataset) if event.threshold.is_some() => {
                    self.judged.insert(event.window_end_ms);
                    self.windows = self.judged.len();
                }
                (DriftKind::Finding, _) if event.root.is_none() => {
                    self.roots.push(Root::of(event));
                    if event.rank != Some(1) {
                        continue;
                    }
                    let known = gravest.entry((event.window_end_ms, event.topic.as_str())).or_insert(event);
                    if event.severity > known.severity {
                        *known = event;
                    }
                }
                _ => {}
            }
        }
        self.causes.extend(gravest.into_values().map(Cause::of));
    }

    fn measured(&mut self, event: &DriftEvent) {
        if let Some(precision) = event.values.get("precision") {
            self.precision.push(Precision { window: day(event.window_start_ms), precision: *precision });
        }
    }

    /// Takes requests to train again.
    pub fn requests(&mut self, requests: Vec<RetrainRequest>) {
        self.retrain_requests.extend(requests.into_iter().map(|request| Request {
            time: day(request.time_ms),
            trigger: request.trigger,
            reason: request.reason,
        }));
    }

    /// What was found, for the end of the demo.
    pub fn summary(&self) -> Vec<String> {
        let mut lines = vec![
            String::new(),
            format!("drift: {} windows watched, {} with a cause", self.windows, self.causes.len()),
        ];
        if let Some(first) = self.causes.first() {
            lines.push(format!("  {}  {}: {}", first.window, first.what, first.detail));
        }
        let precision: Vec<String> = self.precision.iter().map(|p| format!("{:.2}", p.precision)).collect();
        if let (Some(first), Some(last)) = (self.precision.first(), self.precision.last()) {
            let newest = precision.len().saturating_sub(10);
            lines.push(format!(
                "  precision of alerts on labels, last {} windows of {} to {}: {}",
                precision.len() - newest,
                first.window,
                last.window,
                precision[newest..].join(" ")
            ));
        }
        for request in &self.retrain_requests {
            lines.push(format!(
                "  {}  retrain requested by `{}`: {}",
                request.time, request.trigger, request.reason
            ));
        }
        lines
    }

    /// The newest of each kind, a line each, for the live view.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(cause) = self.causes.last() {
            lines.push(format!(
                "{}  drifted: {} ({:.1} x threshold)  {}",
                cause.window, cause.what, cause.severity, cause.detail
            ));
        }
        if let (Some(first), Some(last)) = (self.precision.first(), self.precision.last()) {
            lines.push(format!(
                "{}  precision of alerts, on labels: {:.2} (was {:.2} on {})",
                last.window, last.precision, first.precision, first.window
            ));
        }
        if let Some(request) = self.retrain_requests.last() {
            lines.push(format!(
                "{}  retrain requested by `{}`: {}",
                request.time, request.trigger, request.reason
            ));
        }
        if lines.is_empty() {
            lines.push(format!("{} windows watched, nothing drifted", self.windows));
        }
        lines
    }
}

impl Root {
    fn of(event: &DriftEvent) -> Self {
        Self {
            topic: event.topic.clone(),
            subject: event.subject,
            method: event.method.clone(),
            rank: event.rank.unwrap_or_default(),
            cause: Cause::of(event),
        }
    }
}

impl Cause {
    fn of(event: &DriftEvent) -> Self {
        let what = event.column.clone().unwrap_or_else(|| format!("{} of {}", event.method, event.topic));
        Self {
            window: day(event.window_start_ms),
            what: event.segment.as_ref().map_or(what.clone(), |segment| format!("{what} in {segment}")),
            severity: event.severity,
            detail: event.detail.clone(),
        }
    }
}

fn day(ms: i64) -> String {
    day_and_minute(ms).split(' ').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000;

    fn event(day: i64, column: &str, severity: f64, detail: &str) -> DriftEvent {
        DriftEvent {
            window_start_ms: day * DAY,
            window_end_ms: (day + 1) * DAY,
            column: Some(column.into()),
            severity,
            rank: Some(1),
            detail: detail.into(),
            ..DriftEvent::default()
        }
    }

    #[test]
    fn the_root_of_the_gravest_cause_is_told_for_each_window() {
        let mut watched = Watched::default();
        assert_eq!(watched.lines(), ["0 windows watched, nothing drifted"]);
        watched.reports(&[
            event(1, "amount", 2.0, "amount rose."),
            DriftEvent { root: Some("amount".into()), ..event(1, "average", 3.0, "average rose.") },
            event(2, "amount", 2.5, "amount rose much."),
        ]);
        let told: Vec<(&str, f64)> = watched.causes.iter().map(|c| (c.what.as_str(), c.severity)).collect();
        assert_eq!(told, [("amount", 2.0), ("amount", 2.5)]);
        assert_eq!(watched.lines(), ["1970-01-03  drifted: amount (2.5 x threshold)  amount rose much."]);
    }
}
