//! The page of an application's drift topic.

use std::collections::{BTreeMap, BTreeSet};

use millrace_report::text::{short, thousands};
use millrace_report::{Point, Series};
use millrace_schemas::envelope::{DriftEvent, DriftKind, DriftStatus, Subject};
use serde::Deserialize;

use super::display::Bins;
use super::page::{Cause, Chart, ColumnCard, Page, Timeline};
use crate::cause::about;

/// Subjects that the time line shows: those of the greatest severity.
const STRIPS: usize = 40;
/// Names that a cause lists as its consequences.
const FOLLOWERS: usize = 12;
/// Metrics that are drawn, where a window has them.
const DRAWN: [(&str, &str); 6] = [
    ("auc_roc", "AUC ROC"),
    ("average_precision", "Average precision"),
    ("precision", "Precision at the threshold"),
    ("recall", "Recall at the threshold"),
    ("mae", "Mean absolute error"),
    ("accuracy", "Accuracy"),
];

/// The page of drift events, whatever their order. An event that a later one replaces (final after provisional, a
/// revision after that) is left out. `day` shows a time in ms.
pub fn page_of_events(title: &str, events: &[DriftEvent], day: &dyn Fn(i64) -> String) -> Page {
    let events = standing(events);
    let windows: BTreeSet<(i64, i64)> =
        events.iter().map(|event| (event.window_end_ms, event.window_start_ms)).collect();
    let causes = causes(&events, day);
    let verdict = match (windows.len(), causes.first()) {
        (0, _) => "No window has been judged in this period.".to_owned(),
        (some, None) => format!("Nothing drifted in {some} windows."),
        (some, Some(first)) => {
            format!("{} causes of drift in {some} windows; the gravest: {}.", causes.len(), first.title)
        }
    };
    Page {
        title: title.to_owned(),
        verdict,
        facts: facts(&events, &windows, day),
        timeline: timeline(&events, &windows, day),
        series: series(&events, day),
        columns: columns(&events, day),
        notes: notes(&events),
        causes,
    }
}

/// The last word on every subject and window.
fn standing(events: &[DriftEvent]) -> Vec<&DriftEvent> {
    // A window's provisional findings fall with it, also those that the final judgement does not repeat.
    let stage = |event: &DriftEvent| (event.status != DriftStatus::Provisional, event.revision);
    let window = |event: &DriftEvent| {
        let of_outcomes = matches!(event.subject, Subject::Performance | Subject::Fairness);
        let maker = (event.model.clone(), event.version.clone(), event.arm.clone());
        (event.topic.clone(), event.window_start_ms, event.window_end_ms, of_outcomes, maker)
    };
    let mut last: BTreeMap<_, (bool, i32)> = BTreeMap::new();
    for event in events {
        let known = last.entry(window(event)).or_insert(stage(event));
        *known = (*known).max(stage(event));
    }
    let mut seen = BTreeSet::new();
    let standing = events.iter().filter(|event| last.get(&window(event)) == Some(&stage(event)));
    standing.filter(|event| seen.insert(event.id.as_str())).collect()
}

/// `amount in country=DE`.
fn name(event: &DriftEvent) -> String {
    let what = match (&event.column, event.subject) {
        (Some(column), _) => column.clone(),
        (None, Subject::Dataset) => format!("all columns of {}", event.topic),
        (None, _) => format!("{} of {}", event.method, event.topic),
    };
    match &event.segment {
        Some(segment) => format!("{what} in {segment}"),
        None => what,
    }
}

fn facts(
    events: &[&DriftEvent],
    windows: &BTreeSet<(i64, i64)>,
    day: &dyn Fn(i64) -> String,
) -> Vec<(String, String)> {
    let mut facts = Vec::new();
    let mut fact = |name: &str, value: String| facts.push((name.to_owned(), value));
    let starts = windows.iter().map(|(_, start)| *start).min();
    if let (Some(start), Some((end, _))) = (starts, windows.last()) {
        fact("period", format!("{} to {}", day(start), day(*end)));
    }
    let listed = |of: &dyn Fn(&DriftEvent) -> Option<String>| {
        let all: BTreeSet<String> = events.iter().filter_map(|event| of(event)).collect();
        all.into_iter().collect::<Vec<_>>().join(", ")
    };
    fact("windows", format!("{} of {}", windows.len(), listed(&|e| Some(e.window.clone()))));
    let models = listed(&|e| Some(format!("{}/{}", e.model.as_ref()?, e.version.as_ref()?)));
    if !models.is_empty() {
        fact("model", models);
    }
    facts
}

/// Causes of all windows, by their root; the gravest first.
fn causes(events: &[&DriftEvent], day: &dyn Fn(i64) -> String) -> Vec<Cause> {
    // By window and root: what moved along may be of another topic, or have been told days later.
    let mut groups: BTreeMap<(i64, i64, String), Vec<&DriftEvent>> = BTreeMap::new();
    for event in events.iter().filter(|event| event.kind == DriftKind::Finding && event.drifted) {
        let root = event.root.clone().unwrap_or_else(|| about(event));
        groups.entry((event.window_end_ms, event.window_start_ms, root)).or_default().push(event);
    }
    struct Found<'a> {
        worst: &'a DriftEvent,
        first_ms: i64,
        windows: usize,
        follows: BTreeSet<String>,
    }
    let mut found: BTreeMap<String, Found<'_>> = BTreeMap::new();
    for group in groups.values() {
        let grave = |a: &&&DriftEvent, b: &&&DriftEvent| a.severity.total_cmp(&b.severity);
        let heads = group.iter().filter(|event| event.root.is_none());
        let Some(root) = heads.max_by(grave).or_else(|| group.iter().max_by(grave)) else { continue };
        let one = found.entry(name(root)).or_insert_with(|| Found {
            worst: root,
            first_ms: root.window_start_ms,
            windows: 0,
            follows: BTreeSet::new(),
        });
        one.windows += 1;
        one.first_ms = one.first_ms.min(root.window_start_ms);
        if root.severity > one.worst.severity {
            one.worst = root;
        }
        one.follows.extend(group.iter().map(|event| name(event)).filter(|other| *other != name(root)));
    }
    let mut causes: Vec<Cause> = found
        .into_iter()
        .map(|(title, found)| {
            let since = match found.windows {
                1 => format!("In the window from {}.", day(found.first_ms)),
                some => format!("In {some} windows, from {} on.", day(found.first_ms)),
            };
            let more = found.follows.len().saturating_sub(FOLLOWERS);
            let mut follows: Vec<String> = found.follows.into_iter().take(FOLLOWERS).collect();
            if more > 0 {
                follows.push(format!("{more} more"));
            }
            Cause {
                severity: found.worst.severity,
                sentence: format!("{} {since}", found.worst.detail),
                follows,
                chart: found.worst.distributions.get(&title).map(|shown| drawn(shown)).unwrap_or_default(),
                title,
            }
        })
        .collect();
    causes.sort_by(|a, b| b.severity.total_cmp(&a.severity).then_with(|| a.title.cmp(&b.title)));
    causes
}

fn timeline(events: &[&DriftEvent], windows: &BTreeSet<(i64, i64)>, day: &dyn Fn(i64) -> String) -> Timeline {
    let place: BTreeMap<(i64, i64), usize> =
        windows.iter().enumerate().map(|(i, window)| (*window, i)).collect();
    let mut rows: BTreeMap<String, Vec<Option<f64>>> = BTreeMap::new();
    for event in events.iter().filter(|event| event.kind == DriftKind::Finding && event.drifted) {
        let cells = rows.entry(name(event)).or_insert_with(|| vec![None; windows.len()]);
        let at = place.get(&(event.window_end_ms, event.window_start_ms)).copied();
        if let Some(cell) = at.and_then(|at| cells.get_mut(at)) {
            *cell = Some(cell.unwrap_or_default().max(event.severity));
        }
    }
    let worst = |cells: &[Option<f64>]| cells.iter().flatten().copied().fold(0.0, f64::max);
    let mut rows: Vec<(String, Vec<Option<f64>>)> = rows.into_iter().collect();
    rows.sort_by(|a, b| worst(&b.1).total_cmp(&worst(&a.1)));
    rows.truncate(STRIPS);
    if rows.is_empty() {
        return Timeline::default();
    }
    Timeline { windows: windows.iter().map(|(_, start)| day(*start)).collect(), rows }
}

/// Metrics of the whole, per model version.
fn series(events: &[&DriftEvent], day: &dyn Fn(i64) -> String) -> Vec<Series> {
    let mut summaries: Vec<&&DriftEvent> = events
        .iter()
        .filter(|event| event.kind == DriftKind::Summary && event.subject == Subject::Performance)
        .collect();
    summaries.sort_by_key(|event| event.window_end_ms);
    let makers: BTreeSet<(String, String)> = summaries.iter().map(|event| maker(event)).collect();
    let mut series = Vec::new();
    for (maker_name, (metric, title)) in makers.iter().flat_map(|maker| DRAWN.map(|drawn| (maker, drawn))) {
        let of = summaries.iter().filter(|event| maker(event) == *maker_name);
        let points: Vec<Point> = of
            .map(|event| {
                let value = |name: &str| event.values.get(name).copied();
                Point {
                    window: day(event.window_start_ms),
                    value: value(metric),
                    interval: value(&format!("{metric}.low")).zip(value(&format!("{metric}.high"))),
                    mature: event.status != DriftStatus::Provisional,
                }
            })
            .collect();
        if points.iter().any(|point| point.value.is_some()) {
            series.push(Series { name: format!("{title}, {}", maker_name.0), points, against: None });
        }
    }
    series
}

fn maker(event: &DriftEvent) -> (String, String) {
    let name =
        format!("{}/{}", event.model.as_deref().unwrap_or("-"), event.version.as_deref().unwrap_or("-"));
    (name, event.arm.clone().unwrap_or_default())
}

#[derive(Deserialize)]
struct Shown {
    bins: Vec<String>,
    reference: Vec<u64>,
    current: Vec<u64>,
}

/// The columns in their gravest window; those that stayed quiet in the last one.
fn columns(events: &[&DriftEvent], day: &dyn Fn(i64) -> String) -> Vec<ColumnCard> {
    let mut cards: BTreeMap<String, (f64, &DriftEvent, String)> = BTreeMap::new();
    for event in events {
        for (name, shown) in &event.distributions {
            let severity = if event.kind == DriftKind::Finding { event.severity } else { 0.0 };
            let newer = |(known, of, _): &(f64, &DriftEvent, String)| {
                severity > *known || severity == *known && event.window_end_ms > of.window_end_ms
            };
            if cards.get(name).is_none_or(newer) {
                cards.insert(name.clone(), (severity, event, shown.clone()));
            }
        }
    }
    let mut cards: Vec<ColumnCard> = cards
        .into_iter()
        .map(|(name, (severity, event, shown))| card(name, severity, event, &shown, day))
        .collect();
    cards.sort_by(|a, b| {
        b.severity.unwrap_or(-1.0).total_cmp(&a.severity.unwrap_or(-1.0)).then_with(|| a.name.cmp(&b.name))
    });
    cards
}

fn card(
    name: String,
    severity: f64,
    event: &DriftEvent,
    shown: &str,
    day: &dyn Fn(i64) -> String,
) -> ColumnCard {
    let mut facts = vec![("window from".to_owned(), day(event.window_start_ms))];
    if event.kind == DriftKind::Finding {
        let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), short);
        let figures = format!("{} of {}", number(event.effect), number(event.threshold));
        facts.push((event.method.clone(), figures));
        if let Some(p) = event.p_value {
            facts.push(("p".to_owned(), format!("{p:.2e}")));
        }
        let rows = |rows: i64| thousands(rows.unsigned_abs());
        facts.push((
            "rows".to_owned(),
            format!("{} against {}", rows(event.rows), rows(event.reference_rows)),
        ));
    }
    ColumnCard { name, severity: Some(severity), facts, chart: drawn(shown) }
}

/// The distributions that an event carries.
fn drawn(shown: &str) -> Chart {
    let bins = serde_json::from_str::<Shown>(shown).map(|shown| Bins {
        names: shown.bins,
        reference: shown.reference,
        current: shown.current,
    });
    bins.unwrap_or_default().chart()
}

/// What the last window could not judge.
fn notes(events: &[&DriftEvent]) -> Vec<String> {
    let summaries = events.iter().filter(|event| event.kind == DriftKind::Summary);
    let mut last: BTreeMap<&str, &&DriftEvent> = BTreeMap::new();
    for event in summaries {
        let known = last.entry(event.topic.as_str()).or_insert(event);
        if event.window_end_ms > known.window_end_ms {
            *known = event;
        }
    }
    last.values()
        .filter(|event| !event.detail.is_empty())
        .map(|e| format!("{}: {}", e.topic, e.detail))
        .collect()
}

#[cfg(test)]
#[path = "of_events_tests.rs"]
mod tests;
