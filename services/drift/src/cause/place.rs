//! Where findings are, and which of a place's findings speaks for it.

use std::collections::{BTreeMap, BTreeSet};

use millrace_schemas::envelope::{DriftEvent, DriftKind, Subject};

/// The name of a place. The order breaks ties between groups of equal severity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Name {
    /// A topic's rows as such: how many come, and when.
    Stream(String),
    /// The stream of labels.
    Labels,
    /// A column, whatever topic it is in.
    Column(String),
    /// A model's scores.
    Scores,
    /// Metrics on labels, and their estimates.
    Metrics,
    /// All columns together.
    Dataset,
}

impl Name {
    fn of(event: &DriftEvent) -> Self {
        match (event.subject, &event.column) {
            (Subject::Labels, _) => Self::Labels,
            (Subject::Prediction, _) => Self::Scores,
            (Subject::Performance | Subject::Estimate | Subject::Fairness, _) => Self::Metrics,
            (Subject::Dataset, _) | (Subject::Domain, None) => Self::Dataset,
            (_, Some(column)) => Self::Column(column.clone()),
            (Subject::Detector, None) => Self::Metrics,
            (Subject::Data | Subject::Quality | Subject::Skew, None) => Self::Stream(event.topic.clone()),
        }
    }

    pub(super) fn is_dataset(&self) -> bool {
        *self == Self::Dataset
    }
}

/// The drifted findings of one place.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) name: Name,
    /// The finding that speaks for it.
    pub(super) head: usize,
    /// The segment that the change is confined to.
    pub(super) segment: Option<String>,
    pub(super) findings: Vec<usize>,
    pub(super) severity: f64,
    pub(super) onset_ms: i64,
}

/// A change confined to a segment is diluted in the whole at least so much.
const DILUTION: f64 = 0.7;

/// Gathers the drifted findings by place.
pub(super) fn gather(events: &[DriftEvent], onset_ms: impl Fn(&DriftEvent) -> Option<i64>) -> Vec<Place> {
    let mut by_name: BTreeMap<Name, Vec<usize>> = BTreeMap::new();
    for (index, event) in events.iter().enumerate() {
        if event.kind == DriftKind::Finding && event.drifted {
            by_name.entry(Name::of(event)).or_default().push(index);
        }
    }
    let place = |(name, findings): (Name, Vec<usize>)| {
        let head = head(events, &name, &findings);
        Place {
            head,
            segment: events[head].segment.clone(),
            severity: findings.iter().map(|i| events[*i].severity).fold(0.0, f64::max),
            onset_ms: findings
                .iter()
                .map(|i| onset_ms(&events[*i]).unwrap_or(events[*i].window_end_ms))
                .min()
                .unwrap_or_default(),
            name,
            findings,
        }
    };
    by_name.into_iter().map(place).collect()
}

/// The finding that speaks for a place: of served rows that differ from recomputed ones first, then of the segment that
/// the change is confined to, then of all rows; the most severe of these. Metrics speak before their estimates.
fn head(events: &[DriftEvent], name: &Name, findings: &[usize]) -> usize {
    let local = confined_to(events, name, findings);
    let key = |index: &usize| {
        let event = &events[*index];
        let first = match event.subject {
            Subject::Skew => 2,
            Subject::Estimate | Subject::Fairness => 0,
            _ => 1,
        };
        let where_it_is = match (&local, &event.segment) {
            (Some(local), Some(segment)) if local == segment => 2,
            (_, None) => 1,
            _ => 0,
        };
        (first, where_it_is)
    };
    let best = findings.iter().copied().max_by(|a, b| {
        let severities = events[*a].severity.total_cmp(&events[*b].severity);
        key(a).cmp(&key(b)).then(severities).then(b.cmp(a))
    });
    best.unwrap_or_default()
}

/// The segment that a place's change is confined to: at most half of the segments that were judged beside it drifted,
/// and all rows together moved clearly less, or not at all.
fn confined_to(events: &[DriftEvent], name: &Name, findings: &[usize]) -> Option<String> {
    let here: Vec<&DriftEvent> =
        events.iter().filter(|e| e.kind == DriftKind::Finding && Name::of(e) == *name).collect();
    let segments_of = |column: &str, drifted: bool| -> BTreeSet<&str> {
        let of_column = here.iter().filter_map(|e| Some((e, e.segment.as_deref()?)));
        of_column.filter(|(e, s)| key_of(s) == column && (e.drifted || !drifted)).map(|(_, s)| s).collect()
    };
    let effect_of_all = |event: &DriftEvent| {
        let same = |e: &&&DriftEvent| {
            e.segment.is_none()
                && e.subject == event.subject
                && e.method == event.method
                && e.column == event.column
        };
        here.iter().find(same).and_then(|e| e.effect)
    };
    let confined = |index: &&usize| {
        let event = &events[**index];
        let Some(segment) = &event.segment else { return false };
        let (judged, drifted) = (segments_of(key_of(segment), false), segments_of(key_of(segment), true));
        let diluted = match (effect_of_all(event), event.effect) {
            (Some(all), Some(own)) => all.abs() < DILUTION * own.abs(),
            _ => true,
        };
        2 * drifted.len() <= judged.len() && diluted
    };
    let found = findings.iter().filter(confined);
    let worst = found.max_by(|a, b| events[**a].severity.total_cmp(&events[**b].severity).then(b.cmp(a)))?;
    events[*worst].segment.clone()
}

/// The column of a segment: `country` of `country=NE`.
pub(super) fn key_of(segment: &str) -> &str {
    segment.split_once('=').map_or(segment, |(column, _)| column)
}
