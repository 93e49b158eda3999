//! Detectors of the sequence of final window values: all partitions together.

use std::collections::BTreeMap;

use millrace_schemas::envelope::{DriftEvent, DriftKind, Subject};
use millrace_statistics::detectors::{Detector, Signal};
use millrace_topics::Watches;

use super::Declared;

/// The detectors, per model version: a new one starts afresh.
#[derive(Debug, Clone, Default)]
pub struct WindowDetectors {
    declared: Vec<Declared>,
    running: BTreeMap<(usize, Option<String>, Option<String>), Detector>,
    /// Windows that begin before are not watched, in ms.
    from_ms: Option<i64>,
}

impl WindowDetectors {
    /// Before the first window.
    pub fn new(declared: Vec<Declared>, from_ms: Option<i64>) -> Self {
        Self { declared, running: BTreeMap::new(), from_ms }
    }

    /// Takes what was said of a window for good, `means` by column; a finding for each detector that took a value, drifted
    /// or not.
    pub fn take(
        &mut self,
        events: &[DriftEvent],
        means: &BTreeMap<String, f64>,
        served: Option<&(String, String)>,
    ) -> Vec<DriftEvent> {
        let mut findings = Vec::new();
        for (index, declared) in self.declared.iter().enumerate() {
            let Some((event, name, value)) = value(&declared.table.watches, events, means, served) else {
                continue;
            };
            if self.from_ms.is_some_and(|from_ms| event.window_start_ms < from_ms) {
                continue;
            }
            let key = (index, event.model.clone(), event.version.clone());
            let detector = self.running.entry(key).or_insert_with(|| declared.fresh.clone());
            let before = detector.observed();
            let Ok(signal) = detector.update(value) else { continue };
            findings.push(finding(event, declared, (name, value), signal, before));
        }
        findings
    }
}

/// The value that a detector watches, its name, and the summary of the window that it is of.
fn value<'e>(
    watches: &Watches,
    events: &'e [DriftEvent],
    means: &BTreeMap<String, f64>,
    served: Option<&(String, String)>,
) -> Option<(&'e DriftEvent, String, f64)> {
    let summary = |subject: Subject| {
        let of = move |event: &&DriftEvent| event.kind == DriftKind::Summary && event.subject == subject;
        events.iter().filter(of)
    };
    match watches {
        Watches::Mean(column) => {
            let value = *means.get(column)?;
            Some((summary(Subject::Dataset).next()?, column.clone(), value))
        }
        Watches::Metric(metric) => {
            let (model, version) = served?;
            let is = |event: &&DriftEvent| {
                event.model.as_ref() == Some(model) && event.version.as_ref() == Some(version)
            };
            let summary = summary(Subject::Performance).find(is)?;
            Some((summary, metric.clone(), *summary.values.get(metric)?))
        }
        Watches::Rows(_) | Watches::Scores | Watches::Errors => None,
    }
}

fn finding(
    window: &DriftEvent,
    declared: &Declared,
    (name, value): (String, f64),
    signal: Signal,
    before: u64,
) -> DriftEvent {
    let drifted = signal == Signal::Drift;
    let mut event = DriftEvent {
        kind: DriftKind::Finding,
        subject: Subject::Detector,
        method: declared.method(),
        statistic: Some(value),
        effect: Some(f64::from(u8::from(drifted))),
        threshold: Some(1.0),
        reference: format!("the {before} windows before"),
        drifted,
        severity: f64::from(u8::from(drifted)),
        rows: window.rows,
        ..about(window)
    };
    event.detail = match drifted {
        true => {
            format!("{} on {name} of each window signals a change: it is {value} now.", declared.table.method)
        }
        false => String::new(),
    };
    event.column = Some(name);
    event.seal();
    event
}

/// Which window of what an event is about.
fn about(event: &DriftEvent) -> DriftEvent {
    DriftEvent {
        status: event.status,
        revision: event.revision,
        time_ms: event.time_ms,
        window_start_ms: event.window_start_ms,
        window_end_ms: event.window_end_ms,
        window: event.window.clone(),
        app: event.app.clone(),
        topic: event.topic.clone(),
        model: event.model.clone(),
        version: event.version.clone(),
        arm: event.arm.clone(),
        ..DriftEvent::default()
    }
}
