//! Drawings of a page, as inline SVG of few bytes: a thousand columns must fit into one page.

use std::fmt::Write as _;

use millrace_report::html::escape;

use super::page::{Chart, Timeline};

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
