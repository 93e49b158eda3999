//! An experiment on the stream as one self-contained page.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use millrace_report::html::{document, escape, header, list, section};
use millrace_report::text::{p_value, short};
use millrace_schemas::envelope::ExperimentResult;

use super::said::word;
use super::status::Known;
use crate::text::day_and_minute;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 180.0;
const STYLE: &str = ".interval{fill:currentColor;opacity:.18}.line{fill:none;stroke:currentColor;stroke-width:1.5}\
    .zero{stroke:currentColor;stroke-dasharray:3 3;opacity:.6}td,th{text-align:left;padding:.2em .8em .2em 0}\
    svg{max-width:100%;height:auto}";

/// The page.
pub fn html(known: &Known<'_>) -> String {
    let last = known.last;
    let verdict = known.status.map(|status| status.detail.clone()).unwrap_or_default();
    let facts: Vec<(String, String)> = [
        ("kind", last.mode.clone()),
        ("topic", last.topic.clone()),
        ("state", word(last.state)),
        ("phase", (last.phase + 1).to_string()),
        ("step", (last.step + 1).to_string()),
        ("until", day_and_minute(last.window_end_ms)),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    let decisions: Vec<String> = known
        .decisions
        .iter()
        .map(|event| format!("{}: {}", day_and_minute(event.time_ms), event.detail))
        .collect();
    let body = [
        header(&format!("Experiment {}", known.name), &verdict, &facts),
        section("Comparisons", &table(&known.comparisons)),
        section("Differences with their intervals, window by window", &drawn(&known.history)),
        section("Decisions", &list(&decisions)),
    ];
    document(&format!("Experiment {}", known.name), STYLE, &body.concat(), "")
}

fn table(events: &[&ExperimentResult]) -> String {
    if events.is_empty() {
        return String::new();
    }
    let mut rows = String::new();
    for event in events {
        let text = |value: &Option<String>| escape(value.as_deref().unwrap_or_default());
        let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), short);
        let _ = write!(
            rows,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{} to {}</td><td>{}</td><td>{}</td></tr>",
            text(&event.metric),
            text(&event.arm),
            text(&event.segment),
            number(event.estimate),
            number(event.low),
            number(event.high),
            event.p_value.map_or_else(|| "-".to_owned(), p_value),
            event.units
        );
    }
    format!(
        "<table><thead><tr><th>metric</th><th>arm</th><th>segment</th><th>difference</th><th>interval</th><th>p</th>\
         <th>units</th></tr></thead><tbody>{rows}</tbody></table>"
    )
}

/// A drawing per metric and arm; segments are in the table alone.
fn drawn(events: &[&ExperimentResult]) -> String {
    let mut series: BTreeMap<String, Vec<[f64; 4]>> = BTreeMap::new();
    for event in events.iter().filter(|event| event.segment.is_none()) {
        let (Some(low), Some(high), Some(estimate)) = (event.low, event.high, event.estimate) else {
            continue;
        };
        let name = |value: &Option<String>| value.clone().unwrap_or_default();
        let name = format!("{} of {}", name(&event.metric), name(&event.arm));
        series.entry(name).or_default().push([event.window_end_ms as f64, low, estimate, high]);
    }
    let drawn =
        |(name, points): (&String, &Vec<[f64; 4]>)| format!("<h3>{}</h3>{}", escape(name), svg(name, points));
    series.iter().map(drawn).collect()
}

fn svg(name: &str, points: &[[f64; 4]]) -> String {
    let ends = points.iter().flat_map(|[_, low, _, high]| [*low, *high]);
    let (low, high) = ends.fold((0.0_f64, 0.0_f64), |(low, high), end| (low.min(end), high.max(end)));
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return String::new() };
    let (span, height) = ((last[0] - first[0]).max(1.0), (high - low).max(f64::MIN_POSITIVE));
    let x = |time: f64| WIDTH * (time - first[0]) / span;
    let y = |value: f64| HEIGHT * (high - value) / height;
    let path = |part: usize| points.iter().map(move |point| (point[0], point[part]));
    let along = |part: usize| {
        path(part).map(|(time, value)| format!("{:.1},{:.1}", x(time), y(value))).collect::<Vec<_>>()
    };
    let band = along(1).into_iter().chain(along(3).into_iter().rev()).collect::<Vec<_>>().join(" ");
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=img aria-label=\"{}: {} ({} to {})\"><polygon class=interval \
         points=\"{band}\"/><polyline class=line points=\"{}\"/><path class=zero d=\"M0 {zero:.1}H{WIDTH}\"/></svg>\
         <p>{} to {}</p>",
        escape(name),
        short(last[2]),
        short(last[1]),
        short(last[3]),
        along(2).join(" "),
        short(low),
        short(high),
        zero = y(0.0)
    )
}
