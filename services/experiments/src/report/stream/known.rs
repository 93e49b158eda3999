//! What is known of one experiment since its last start.

use std::collections::BTreeMap;

use millrace_schemas::envelope::{Decided, ExperimentResult, ResultKind};

/// What is known of one experiment: since its last start.
pub struct Known<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its last event.
    pub last: &'a ExperimentResult,
    /// The comparisons of the last window that has any.
    pub comparisons: Vec<&'a ExperimentResult>,
    /// The status of the last window.
    pub status: Option<&'a ExperimentResult>,
    /// Per phase that has figures of units, the last status.
    pub phases: Vec<&'a ExperimentResult>,
    /// Every decision and every command that was refused, in order.
    pub decisions: Vec<&'a ExperimentResult>,
    /// Comparisons of every window, in order.
    pub history: Vec<&'a ExperimentResult>,
}

impl<'a> Known<'a> {
    /// Of the events of all experiments, in the order of their topic; none where nothing was ever said of this one.
    pub fn of(events: &'a [ExperimentResult], name: &'a str) -> Option<Self> {
        let all: Vec<&ExperimentResult> = events.iter().filter(|event| event.experiment == name).collect();
        let from = all.iter().rposition(|event| event.decision == Some(Decided::Start)).unwrap_or(0);
        let all = &all[from..];
        let last = *all.last()?;
        let of = |kind: ResultKind| all.iter().copied().filter(move |event| event.kind == kind);
        let history: Vec<&ExperimentResult> = of(ResultKind::Comparison).collect();
        let end_ms = history.iter().map(|event| event.window_end_ms).max();
        let comparisons =
            history.iter().copied().filter(|event| Some(event.window_end_ms) == end_ms).collect();
        let windows = || of(ResultKind::Status).filter(|event| !is_refusal(event));
        let phases: BTreeMap<i32, &ExperimentResult> = windows()
            .filter(|event| event.values.contains_key("mature_units"))
            .map(|event| (event.phase, event))
            .collect();
        let said = |event: &&ExperimentResult| event.kind == ResultKind::Decision || is_refusal(event);
        Some(Self {
            name,
            last,
            comparisons,
            status: windows().next_back(),
            phases: phases.into_values().collect(),
            decisions: all.iter().copied().filter(said).collect(),
            history,
        })
    }
}

/// Refusals of commands are told by a status that has no figures.
fn is_refusal(event: &ExperimentResult) -> bool {
    event.kind == ResultKind::Status && event.values.is_empty() && event.detail.starts_with("refused")
}
