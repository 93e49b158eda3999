//! What moved by itself, and what only moved along.
//!
//! Findings of one window are gathered by place (a column, the scores, the metrics, the labels), each place is headed by
//! its most telling finding, and places that another one explains join its group: columns computed from a column that
//! moved, scores and metrics behind it, the whole of a column of which one segment moved. An effect never begins before
//! its cause. Groups are ranked by severity.

mod depends;
mod explain;
mod lineage;
mod place;

use millrace_schemas::envelope::DriftEvent;

pub use depends::Depends;
pub use lineage::of_view;

use explain::Graph;
use place::Place;

/// Findings that share a root cause.
#[derive(Debug, Clone, PartialEq)]
pub struct Cause {
    /// The finding at the root, by its index.
    pub root: usize,
    /// All findings of the group, the root too, by ascending index.
    pub findings: Vec<usize>,
    /// The greatest severity among them.
    pub severity: f64,
}

/// Groups the drifted findings of one window under their root causes, the most severe first, and writes groups and ranks
/// into them. Findings that did not drift are looked at (a segment that stayed as it was tells where a change is) and
/// left as they are.
///
/// `onset_ms` says since when a subject has drifted ([`crate::alarm::Alarms::since_ms`]); without an answer it is the
/// window's end. Onsets that lie no further apart than `tolerance_ms` are not told apart.
pub fn group(
    events: &mut [DriftEvent],
    depends: &Depends,
    onset_ms: impl Fn(&DriftEvent) -> Option<i64>,
    tolerance_ms: i64,
) -> Vec<Cause> {
    let places = place::gather(events, onset_ms);
    let roots = Graph::new(&places, events, depends, tolerance_ms).roots();
    let mut causes: Vec<(Cause, &Place)> = Vec::new();
    for (at, root) in roots.iter().enumerate().filter(|(at, root)| at == *root) {
        let members = places.iter().zip(&roots).filter(|(_, of)| *of == root).map(|(place, _)| place);
        let mut findings: Vec<usize> = members.clone().flat_map(|place| place.findings.clone()).collect();
        findings.sort_unstable();
        let weighty = members.filter(|place| !place.name.is_dataset() || places[at].name.is_dataset());
        let severity = weighty.map(|place| place.severity).fold(0.0, f64::max);
        causes.push((Cause { root: places[at].head, findings, severity }, &places[at]));
    }
    causes.sort_by(|(a, x), (b, y)| b.severity.total_cmp(&a.severity).then_with(|| x.name.cmp(&y.name)));
    let causes: Vec<Cause> = causes.into_iter().map(|(cause, _)| cause).collect();
    for (rank, cause) in (1..).zip(&causes) {
        mark(events, cause, rank);
    }
    causes
}

fn mark(events: &mut [DriftEvent], cause: &Cause, rank: i32) {
    let root = about(&events[cause.root]);
    for &index in &cause.findings {
        let event = &mut events[index];
        (event.cause_group, event.rank) = (Some(rank), Some(rank));
        if index != cause.root {
            goes_with(event, &root);
        }
    }
}

fn goes_with(event: &mut DriftEvent, root: &str) {
    event.root = Some(root.to_owned());
    if !event.detail.is_empty() {
        let stop = if event.detail.ends_with('.') { "" } else { "." };
        event.detail = format!("{}{stop} It goes with {root}.", event.detail);
    }
}

/// Groups findings under causes that were told before: `past` are roots of windows that overlap the findings' own, each
/// with since when it has drifted. What none of them explains is grouped by itself ([`group`]).
///
/// A finding under a past root gets that one's group and rank, by which reports of the window know it.
pub fn group_after(
    events: &mut [DriftEvent],
    past: &[(DriftEvent, i64)],
    depends: &Depends,
    onset_ms: impl Fn(&DriftEvent) -> Option<i64>,
    tolerance_ms: i64,
) {
    let roots = past.iter().map(|(event, _)| DriftEvent { root: None, ..event.clone() });
    let mut all: Vec<DriftEvent> = events.iter().cloned().chain(roots).collect();
    let since = |event: &DriftEvent| {
        let known = past.iter().find(|(other, _)| other.id == event.id);
        known.map_or_else(|| onset_ms(event), |(_, since_ms)| Some(*since_ms))
    };
    let mut explained = vec![false; events.len()];
    for cause in group(&mut all, depends, since, tolerance_ms) {
        let Some((root, _)) = cause.root.checked_sub(events.len()).and_then(|at| past.get(at)) else {
            continue;
        };
        let own = explained.len();
        for index in cause.findings.into_iter().filter(|index| *index < own) {
            explained[index] = true;
            (events[index].cause_group, events[index].rank) = (root.cause_group, root.rank);
            goes_with(&mut events[index], &about(root));
        }
    }
    let (mut places, mut rest) = (Vec::new(), Vec::new());
    for index in (0..events.len()).filter(|index| !explained[*index]) {
        places.push(index);
        rest.push(events[index].clone());
    }
    group(&mut rest, depends, onset_ms, tolerance_ms);
    for (index, event) in places.into_iter().zip(rest) {
        events[index] = event;
    }
}

/// `amount in country=NE`.
pub(crate) fn about(event: &DriftEvent) -> String {
    let name = event.column.clone().unwrap_or_else(|| format!("{} of {}", event.method, event.topic));
    event.segment.as_ref().map_or(name.clone(), |segment| format!("{name} in {segment}"))
}

#[cfg(test)]
mod tests;
