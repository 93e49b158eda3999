//! Causes of drift in windows that were judged before: labels come days later, and by then what made the metrics fall has
//! long been told.
//!
//! A fall in performance belongs under what drifted in the same window of predictions, or in one that overlaps it, of
//! the same model version. Both are told in the journal; an outcome that is told before the rows of its window are
//! waits for them, so that it does not depend on which of their judges is ahead.

use std::collections::BTreeMap;

use millrace_schemas::envelope::{DriftEvent, DriftKind, Subject};

use super::notes::Span;

/// Roots of causes, as long as outcomes of their windows may come.
#[derive(Debug, Default)]
pub struct PastCauses {
    keep_ms: i64,
    /// By the window's end.
    roots: BTreeMap<i64, Vec<PastCause>>,
}

/// The root of a cause in a window that was judged for good.
#[derive(Debug, Clone, PartialEq)]
pub struct PastCause {
    /// The finding at the root.
    pub event: DriftEvent,
    /// The end of the first window in which it drifted, in ms.
    pub since_ms: i64,
}

impl PastCauses {
    /// None yet; windows that ended so long before the last one, in ms, are forgotten.
    pub fn new(keep_ms: i64) -> Self {
        Self { keep_ms, roots: BTreeMap::new() }
    }

    /// Takes the findings of a window that was judged for good, marked with their causes.
    pub fn take(
        &mut self,
        window: Span,
        events: &[DriftEvent],
        since_ms: impl Fn(&DriftEvent) -> Option<i64>,
    ) {
        let roots = events.iter().filter(|event| is_root(event)).map(|event| PastCause {
            since_ms: since_ms(event).unwrap_or(window.end_ms),
            // What was drawn is not needed again.
            event: DriftEvent { distributions: BTreeMap::new(), ..event.clone() },
        });
        let roots: Vec<PastCause> = roots.collect();
        if !roots.is_empty() {
            self.roots.entry(window.end_ms).or_default().extend(roots);
        }
        let before_ms = window.end_ms.saturating_sub(self.keep_ms);
        self.roots = self.roots.split_off(&before_ms);
    }

    /// Those of windows that overlap this one.
    pub fn overlapping(&self, window: Span) -> impl Iterator<Item = &PastCause> {
        let later = self.roots.range(window.start_ms.saturating_add(1)..).flat_map(|(_, roots)| roots);
        later.filter(move |cause| cause.event.window_start_ms < window.end_ms)
    }
}

impl PastCause {
    /// Whether it is about the model version that an event is about; what is about no model is about all.
    pub fn concerns(&self, event: &DriftEvent) -> bool {
        let same = |own: &Option<String>, other: &Option<String>| own.is_none() || own == other;
        same(&self.event.model, &event.model) && same(&self.event.version, &event.version)
    }
}

/// Metrics do not explain metrics, and all columns together say only that something moved.
fn is_root(event: &DriftEvent) -> bool {
    event.kind == DriftKind::Finding
        && event.drifted
        && event.root.is_none()
        && !matches!(
            event.subject,
            Subject::Performance
                | Subject::Estimate
                | Subject::Fairness
                | Subject::Detector
                | Subject::Dataset
        )
}

/// Whether something is said of metrics that what drifted in the window may be behind.
pub fn is_of_outcomes(events: &[DriftEvent]) -> bool {
    let metrics = |event: &&DriftEvent| matches!(event.subject, Subject::Performance | Subject::Fairness);
    events.iter().filter(metrics).any(|event| event.kind == DriftKind::Finding && event.drifted)
}
