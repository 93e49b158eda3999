//! The page of a report.

use std::fmt::Write as _;

use millrace_report::html::{document, escape, header, list, section};
use millrace_report::text::{p_value, percent, thousands};
use millrace_report::{Point, Series};

use super::intervals;
use super::wording::{conclusion, interval, relative_interval, signed, value, verdict};
use crate::files::Report;
use crate::files::report::{Answer, Comparison, Conclusion};

pub(super) const STYLE: &str = include_str!("page.css");
/// A drawing tells no more than so many looks apart.
const DRAWN_LOOKS: usize = 120;

/// The report as one self-contained HTML document; `from` says where the rows came from. It holds aggregates only.
pub fn html(report: &Report, from: &str) -> String {
    let title = format!("{} ({})", report.metric, report.kind);
    let body = [
        header(&title, &verdict(report), &facts(report, from)),
        stopped(report),
        section("Arms", &arms(report)),
        section(&format!("Against {}", report.control), &comparisons(report)),
        section("Intervals of the difference", &drawn(report)),
        section("The always-valid interval, look by look", &looks(report)),
        section("How to read this", &list(&notes(report))),
    ];
    document(&format!("Experiment: {title}"), STYLE, &body.concat(), "")
}

fn facts(report: &Report, from: &str) -> Vec<(String, String)> {
    let ratio = &report.sample_ratio;
    let mut facts = vec![
        ("from", from.to_owned()),
        ("rows", thousands(report.rows)),
        ("units", thousands(report.units)),
        ("units in two arms, excluded", thousands(report.mixed_units)),
        ("level", percent(1.0 - report.alpha)),
        ("sample ratio p", p_value(ratio.p_value)),
    ];
    facts.extend(ratio.always_valid_p_value.map(|p| ("sample ratio p, looked at any time", p_value(p))));
    facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn stopped(report: &Report) -> String {
    if report.stopped.is_empty() {
        return String::new();
    }
    section(
        "Nothing may be concluded",
        &format!("<div class=\"panel stopped\">{}</div>", list(&report.stopped)),
    )
}

fn table(head: &[&str], rows: &str) -> String {
    let head: String = head.iter().map(|name| format!("<th>{}</th>", escape(name))).collect();
    format!("<div class=scroll><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>")
}

fn arms(report: &Report) -> String {
    let mut rows = String::new();
    for (arm, share) in report.arms.iter().zip(&report.sample_ratio.shares) {
        let metric = match &arm.estimate {
            Answer::Known(estimate) => value(report.kind, estimate.mean),
            Answer::Undefined { undefined } => undefined.clone(),
        };
        let cells = [arm.arm.clone(), thousands(arm.units), percent(*share), metric];
        let cells: String = cells.iter().map(|cell| format!("<td>{}</td>", escape(cell))).collect();
        let _ = write!(rows, "<tr>{cells}</tr>");
    }
    table(&["arm", "units", "expected share", &report.metric], &rows)
}

fn comparisons(report: &Report) -> String {
    let head = ["arm", "difference", "interval", "always valid", "relative", "p (Holm)", "conclusion"];
    let rows: String = report.comparisons.iter().map(comparison).collect();
    table(&head, &rows)
}

fn comparison(comparison: &Comparison) -> String {
    let dash = || "-".to_owned();
    let tests = comparison.primary();
    let relative = comparison.relative();
    let cells = [
        comparison.arm.clone(),
        tests.map_or_else(dash, |tests| signed(tests.welch.difference)),
        tests.map_or_else(dash, |tests| interval(&tests.welch)),
        tests.map_or_else(dash, |tests| interval(&tests.confidence_sequence)),
        relative.map_or_else(dash, |tests| relative_interval(&tests.welch)),
        comparison.corrected_p_value.map_or_else(dash, p_value),
    ];
    let cells: String = cells.iter().map(|cell| format!("<td>{}</td>", escape(cell))).collect();
    let class = match comparison.conclusion {
        Conclusion::Higher => "higher",
        Conclusion::Lower => "lower",
        Conclusion::NotSeen | Conclusion::None => "quiet",
    };
    format!(
        "<tr>{cells}<td><span class={class}>{}</span><p class=small>{}</p></td></tr>",
        conclusion(comparison.conclusion),
        escape(&comparison.reason)
    )
}

fn drawn(report: &Report) -> String {
    let figure = |comparison: &Comparison| {
        let drawn = intervals::html(comparison);
        if drawn.is_empty() {
            return String::new();
        }
        let name = escape(&comparison.arm);
        format!("<figure><figcaption>{name} less {}</figcaption>{drawn}</figure>", escape(&report.control))
    };
    report.comparisons.iter().map(figure).collect()
}

fn looks(report: &Report) -> String {
    let figure = |comparison: &Comparison| {
        // Looks within the burn-in would blow the scale: they do not count, and are not drawn.
        let counted: Vec<_> = comparison.looks.iter().filter(|look| look.counts).collect();
        let every = counted.len().div_ceil(DRAWN_LOOKS).max(1);
        // Every so many, the last one always.
        let chosen = counted.iter().rev().step_by(every).rev();
        let point = |look: &&crate::files::report::Look| Point {
            window: format!("{} units", thousands(look.units)),
            value: Some(look.difference),
            interval: Some((look.low, look.high)),
            mature: true,
        };
        let points = chosen.map(point).collect();
        let drawn = Series { name: comparison.arm.clone(), points, against: Some(0.0) }.svg();
        if drawn.is_empty() {
            return String::new();
        }
        format!("<figure><figcaption>{}</figcaption>{drawn}</figure>", escape(&comparison.arm))
    };
    report.comparisons.iter().map(figure).collect()
}

fn notes(report: &Report) -> Vec<String> {
    let mut notes = vec![
        "A unit is what was assigned; its rows count as one.".to_owned(),
        "The Welch interval is valid if looked at once, at a size fixed beforehand; the always-valid one at any \
         look after the burn-in."
            .to_owned(),
        "The p-value is Welch's, corrected by Holm for the number of arms.".to_owned(),
    ];
    for comparison in &report.comparisons {
        if let Some(Answer::Known(found)) = &comparison.adjusted {
            notes.push(format!(
                "{}: a covariate known before exposure took away {} of the variance (CUPED, slope {}).",
                comparison.arm,
                percent(found.variance_reduction),
                millrace_report::text::short(found.theta)
            ));
        }
    }
    notes
}
