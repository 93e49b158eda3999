//! As one self-contained page.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use millrace_report::html::{document, escape, header, list, section};
use millrace_report::text::day_and_minute;
use millrace_report::{Point, Series};
use millrace_schemas::envelope::ExperimentResult;

use super::figures::{PHASES, columns, decided, facts, notes, phase, step, window};
use super::known::Known;
use crate::report::page::STYLE;

/// A drawing tells no more than so many windows apart.
const DRAWN_WINDOWS: usize = 120;

/// The page.
pub fn html(known: &Known<'_>) -> String {
    let verdict = known.status.unwrap_or(known.last);
    let title = format!("Experiment {}", known.name);
    let body = [
        header(&title, &verdict.detail, &named(known)),
        section("Arm less control", &comparisons(&known.comparisons)),
        section("Window by window", &drawn(&known.history)),
        section("Phases", &phases(known)),
        section("Decisions", &decisions(&known.decisions)),
        section("How to read this", &list(&reading(known))),
    ];
    document(&title, STYLE, &body.concat(), "")
}

fn named(known: &Known<'_>) -> Vec<(String, String)> {
    let last = known.last;
    let mut named = vec![
        ("kind", last.mode.clone()),
        ("topic", last.topic.clone()),
        ("state", last.state.to_string()),
        ("phase", last.phase.to_string()),
    ];
    named.extend(step(last).map(|step| ("step", step.to_string())));
    if let Some(status) = known.status {
        named.push(("counted", window(status)));
        named.extend(facts(status));
    }
    named.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn table(head: &[&str], rows: &str) -> String {
    let head: String = head.iter().map(|name| format!("<th>{}</th>", escape(name))).collect();
    format!("<div class=scroll><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>")
}

fn row(cells: &[String]) -> String {
    cells.iter().map(|cell| format!("<td>{}</td>", escape(cell))).collect()
}

/// A row of figures per comparison, and what stands beside it below them.
fn comparisons(events: &[&ExperimentResult]) -> String {
    if events.is_empty() {
        return String::new();
    }
    let (names, figures) = columns(events);
    let mut rows = String::new();
    for (event, figures) in events.iter().zip(figures) {
        let _ = write!(rows, "<tr class=figures>{}</tr>", row(&figures));
        let notes: String =
            notes(event).iter().map(|note| format!("<p class=small>{}</p>", escape(note))).collect();
        let _ = write!(rows, "<tr><td class=notes colspan={}>{notes}</td></tr>", names.len());
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    table(&names, &rows)
}

fn phases(known: &Known<'_>) -> String {
    if known.phases.len() < 2 {
        return String::new();
    }
    let rows = known.phases.iter().map(|status| format!("<tr>{}</tr>", row(&phase(status))));
    table(&PHASES, &rows.collect::<String>())
}

fn decisions(events: &[&ExperimentResult]) -> String {
    if events.is_empty() {
        return String::new();
    }
    let line = |event: &&ExperimentResult| {
        let cells = [day_and_minute(event.time_ms), decided(event), event.by.clone(), event.detail.clone()];
        format!("<tr>{}</tr>", row(&cells))
    };
    table(&["when", "what", "by", "why"], &events.iter().map(line).collect::<String>())
}

/// A drawing per metric and arm; segments are in the table alone.
fn drawn(events: &[&ExperimentResult]) -> String {
    let mut series: BTreeMap<(String, String), Vec<&ExperimentResult>> = BTreeMap::new();
    for event in events.iter().filter(|event| event.segment.is_none()) {
        let name = |value: &Option<String>| value.clone().unwrap_or_default();
        let less = format!("{} less {}", name(&event.arm), name(&event.control));
        series.entry((name(&event.metric), less)).or_default().push(event);
    }
    let figure = |((metric, less), events): (&(String, String), &Vec<&ExperimentResult>)| {
        let every = events.len().div_ceil(DRAWN_WINDOWS).max(1);
        // Every so many, the last one always.
        let points = events.iter().rev().step_by(every).rev().map(|event| point(event)).collect();
        let name = format!("{metric}: {less}");
        let drawn = Series { name: name.clone(), points, against: Some(0.0) }.svg();
        match drawn.is_empty() {
            true => String::new(),
            false => format!("<figure><figcaption>{}</figcaption>{drawn}</figure>", escape(&name)),
        }
    };
    series.iter().map(figure).collect()
}

fn point(event: &ExperimentResult) -> Point {
    Point {
        window: format!("until {}", day_and_minute(event.window_end_ms)),
        value: event.estimate,
        interval: event.low.zip(event.high),
        mature: true,
    }
}

fn reading(known: &Known<'_>) -> Vec<String> {
    let has = |name: &str| known.comparisons.iter().any(|event| event.values.contains_key(name));
    let mut notes = vec![
        "Differences are the arm less the control; intervals that lie on one side of 0 show one.".to_owned(),
    ];
    if has("running_p_value") {
        notes.push(
            "Intervals and p-values hold at any look after the burn-in; those of one look hold only if they are \
             looked at once, at an end fixed beforehand. p-values are corrected for the number of arms (Holm)."
                .to_owned(),
        );
    }
    let shares = |event: &&ExperimentResult| event.method.as_deref() == Some("newcombe");
    if known.comparisons.iter().any(shares) {
        notes.push(
            "Errors, missing inputs and latency are shares of requests; of latency those slower than what 99 % of the \
             control's are faster than."
                .to_owned(),
        );
    }
    if has("raw_p_value") {
        notes.push("Means are adjusted by what units did before their first exposure (CUPED).".to_owned());
    }
    if !known.phases.is_empty() {
        notes.push(
            "A unit is concluded from once its window and the label horizon are over. A small p of the sample ratio \
             says that units went missing on the way: then nothing is concluded."
                .to_owned(),
        );
    }
    notes
}
