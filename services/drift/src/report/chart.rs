//! Drawings of a page, as inline SVG of few bytes: a thousand columns must fit into one page.

use std::fmt::Write as _;

use super::html::escape;
use super::page::{Chart, Point, Series, Timeline};

const WIDTH: f64 = 240.0;
const HEIGHT: f64 = 64.0;
/// A time line shows the newest windows only.
const MAX_WINDOWS: usize = 400;

/// Two distributions: the reference as an area behind, the current rows as bars before it.
pub(super) fn distributions(chart: &Chart) -> String {
    let n = chart.bins.len();
    let top = chart.reference.iter().chain(&chart.current).copied().fold(0.0, f64::max);
    if n == 0 || top <= 0.0 {
        return String::new();
    }
    let step = WIDTH / n as f64;
    let y = |share: f64| HEIGHT * (1.0 - share / top);
    let mut area = format!("M0 {HEIGHT}");
    let mut bars = String::new();
    for (i, (reference, current)) in chart.reference.iter().zip(&chart.current).enumerate() {
        let x = i as f64 * step;
        let _ = write!(area, "V{:.1}H{:.1}", y(*reference), x + step);
        if *current > 0.0 {
            let _ = write!(
                bars,
                "M{:.1} {HEIGHT}V{:.1}h{:.1}V{HEIGHT}z",
                x + step * 0.25,
                y(*current),
                step * 0.5
            );
        }
    }
    let (first, last) = (chart.bins.first(), chart.bins.last());
    let ends = match (first, last) {
        (Some(first), Some(last)) if n > 1 => {
            format!("<p class=ends><span>{}</span><span>{}</span></p>", escape(first), escape(last))
        }
        (Some(only), _) => format!("<p class=ends><span>{}</span></p>", escape(only)),
        _ => String::new(),
    };
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=img aria-label=\"reference and current distribution\">\
         <path class=r d=\"{area}V{HEIGHT}z\"/><path class=c d=\"{bars}\"/></svg>{ends}"
    )
}

/// One strip a subject, one cell a window.
pub(super) fn timeline(timeline: &Timeline) -> String {
    let skip = timeline.windows.len().saturating_sub(MAX_WINDOWS);
    let windows = &timeline.windows[skip..];
    let (Some(first), Some(last)) = (windows.first(), windows.last()) else { return String::new() };
    let mut out = String::from("<div class=strips>");
    for (name, cells) in &timeline.rows {
        let _ = write!(out, "<span class=name>{}</span><svg viewBox=\"0 0 ", escape(name));
        let _ = write!(out, "{} 10\" preserveAspectRatio=none>", windows.len());
        for (i, severity) in cells.iter().skip(skip).enumerate() {
            if let Some(level) = severity.and_then(level) {
                let window = windows.get(i).map_or("", String::as_str);
                let _ = write!(
                    out,
                    "<rect x={i} width=1 height=10 class={level}><title>{}: {:.1} x its threshold</title></rect>",
                    escape(window),
                    severity.unwrap_or_default()
                );
            }
        }
        out.push_str("</svg>");
    }
    let _ = write!(
        out,
        "<span></span><p class=ends><span>{}</span><span>{}</span></p></div>",
        escape(first),
        escape(last)
    );
    out
}

/// How a severity is shown: from 1 on a subject has drifted.
pub(super) fn level(severity: f64) -> Option<&'static str> {
    match severity {
        s if s >= 3.0 => Some("high"),
        s if s >= 1.5 => Some("medium"),
        s if s >= 1.0 => Some("low"),
        _ => None,
    }
}

/// A metric with its interval; immature points are hollow.
pub(super) fn series(series: &Series) -> String {
    let values = || series.points.iter().filter_map(|p| p.value);
    if values().next().is_none() {
        return String::new();
    }
    let ends = || series.points.iter().filter(|p| p.value.is_some()).filter_map(|p| p.interval);
    let low = values().chain(ends().map(|i| i.0)).fold(f64::INFINITY, f64::min);
    let high = values().chain(ends().map(|i| i.1)).fold(f64::NEG_INFINITY, f64::max);
    let span = if high > low { high - low } else { 1.0 };
    let (width, height) = (720.0, 120.0);
    let step = width / series.points.len() as f64;
    let y = |v: f64| 4.0 + (height - 8.0) * (1.0 - (v - low) / span);
    let mut out = format!("<svg class=series viewBox=\"0 0 {width} {height}\" role=img>");
    let mut line = String::new();
    for (i, point) in series.points.iter().enumerate() {
        let Some(value) = point.value else { continue };
        let x = (i as f64 + 0.5) * step;
        if let Some((low, high)) = point.interval {
            let _ = write!(out, "<path class=band d=\"M{x:.1} {:.1}V{:.1}\"/>", y(low), y(high));
        }
        let _ = write!(line, "{}{x:.1} {:.1}", if line.is_empty() { "M" } else { "L" }, y(value));
        let _ = write!(out, "{}", dot(point, x, y(value), value));
    }
    let _ = write!(out, "<path class=line d=\"{line}\"/></svg>");
    let names = (series.points.first(), series.points.last());
    if let (Some(first), Some(last)) = names {
        let _ = write!(
            out,
            "<p class=ends><span>{}</span><span>{low:.3} to {high:.3}</span><span>{}</span></p>",
            escape(&first.window),
            escape(&last.window)
        );
    }
    out
}

fn dot(point: &Point, x: f64, y: f64, value: f64) -> String {
    let (class, said) = if point.mature { ("dot", "") } else { ("early", ", labels still missing: biased") };
    format!(
        "<circle class={class} cx={x:.1} cy={y:.1} r=3><title>{}: {value:.4}{said}</title></circle>",
        escape(&point.window)
    )
}
