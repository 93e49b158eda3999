//! A page as HTML: one file, no script it depends on, nothing loaded from elsewhere.

use std::fmt::Write as _;

use millrace_report::html::{document, escape, facts, header, list, section};

use super::chart;
use super::page::{Cause, ColumnCard, Page};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

const LEGEND: &str = "<p class=legend><span class=r></span> reference <span class=c></span> current</p>";

/// The page as one self-contained HTML document. It holds aggregates only: whatever is in `page`.
pub fn html(page: &Page) -> String {
    let body = [
        header(&page.title, &page.verdict, &page.facts),
        section("What drifted", &causes(&page.causes)),
        section("Over time", &chart::timeline(&page.timeline)),
        section("Quality of predictions", &metrics(page)),
        section(&format!("Columns ({})", page.columns.len()), &columns(&page.columns)),
        section("Not judged", &list(&page.notes)),
    ];
    document(&format!("Drift: {}", page.title), STYLE, &body.concat(), SCRIPT)
}

fn causes(causes: &[Cause]) -> String {
    if causes.is_empty() {
        return "<p class=quiet>Nothing: every judged subject stays within its threshold.</p>".to_owned();
    }
    let most = causes.iter().map(|c| c.severity).fold(1.0, f64::max);
    let drawn = causes.iter().any(|cause| !cause.chart.bins.is_empty());
    let mut out = format!("{}<ol class=causes>", if drawn { LEGEND } else { "" });
    for cause in causes {
        let level = chart::level(cause.severity).unwrap_or("none");
        let _ = write!(
            out,
            "<li><div><h3>{}</h3><span class=\"bar {level}\" style=\"width:{:.0}%\"></span>\
             <p>{}</p><p class=small>{:.1} x its threshold",
            escape(&cause.title),
            100.0 * (cause.severity / most).clamp(0.02, 1.0),
            escape(&cause.sentence),
            cause.severity,
        );
        if !cause.follows.is_empty() {
            let follows: Vec<String> = cause.follows.iter().map(|name| escape(name)).collect();
            let _ = write!(out, "; moved with it: {}", follows.join(", "));
        }
        let drawn = chart::distributions(&cause.chart);
        let _ = write!(out, "</p></div>{}</li>", figure(&drawn));
    }
    out.push_str("</ol>");
    out
}

fn figure(drawn: &str) -> String {
    if drawn.is_empty() { String::new() } else { format!("<div class=drawn>{drawn}</div>") }
}

fn metrics(page: &Page) -> String {
    let mut out = String::new();
    for series in &page.series {
        let drawn = series.svg();
        if !drawn.is_empty() {
            let _ = write!(out, "<figure><figcaption>{}</figcaption>{drawn}</figure>", escape(&series.name));
        }
    }
    out
}

fn columns(columns: &[ColumnCard]) -> String {
    if columns.is_empty() {
        return String::new();
    }
    let mut out = format!(
        "{LEGEND}<input id=filter type=search placeholder=\"Filter columns\" aria-label=\"Filter columns\" hidden>\
         <div class=cards>",
    );
    for column in columns {
        let level = column.severity.and_then(chart::level).unwrap_or("none");
        let said = match column.severity {
            Some(severity) if severity >= 1.0 => format!("{severity:.1} x threshold"),
            Some(_) => "within threshold".to_owned(),
            None => "not judged".to_owned(),
        };
        let _ = write!(
            out,
            "<article data-name=\"{name}\"><h3>{name}</h3><span class=\"tag {level}\">{said}</span>{}",
            chart::distributions(&column.chart),
            name = escape(&column.name),
        );
        let _ = write!(out, "{}</article>", facts(&column.facts));
    }
    out.push_str("</div>");
    out
}
