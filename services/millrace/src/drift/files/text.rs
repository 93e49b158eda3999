//! A comparison as a person reads it in a terminal: what drifted first, then the columns by severity.

use std::fmt::Write as _;

use millrace_drift::files::compare::{Figure, Told};

use crate::text::thousands;

/// Columns of a table: more than a screen holds are left to `--json` and `--html`.
const MOST: usize = 30;
/// Reasons why something was not judged.
const REASONS: usize = 5;

/// What drifted, in one line.
pub fn verdict(told: &Told) -> String {
    match told.drifted_columns.as_slice() {
        [] if told.drifted => "No column drifted by itself; all together did.".to_owned(),
        [] => "Nothing drifted.".to_owned(),
        some => format!("{} of {} columns drifted: {}.", some.len(), told.watched, some.join(", ")),
    }
}

/// The whole comparison.
pub fn text(told: &Told) -> String {
    let mut out = String::new();
    for (what, file, rows) in
        [("current", &told.current, told.rows), ("reference", &told.reference, told.reference_rows)]
    {
        let _ = writeln!(out, "{what:10} {file}  ({} rows)", thousands(rows));
    }
    let _ = writeln!(out, "\n{}", verdict(told));
    for cause in told.causes() {
        let _ = writeln!(out, "{:>6.1}x  {}", cause.severity, cause.sentence);
    }
    table(&mut out, told);
    not_judged(&mut out, told);
    out
}

/// A line per column and method, the gravest first. Shares that say nothing (no value is missing, none is new) are left
/// out.
fn table(out: &mut String, told: &Told) {
    let figures = told.columns.iter().chain(&told.dataset);
    let mut shown: Vec<&Figure> = figures.filter(|figure| figure.is_telling()).collect();
    shown.sort_by(|a, b| b.severity.total_cmp(&a.severity));
    let names: Vec<String> = shown.iter().take(MOST).map(|figure| name(figure)).collect();
    let Some(width) = names.iter().map(|name| name.chars().count()).max() else { return };
    let _ = writeln!(
        out,
        "\n  {:width$}  {:18}  {:>9}  {:>9}  {:>8}",
        "column", "method", "effect", "threshold", "p-value"
    );
    for (figure, name) in shown.iter().zip(&names) {
        let mark = if figure.drifted { "*" } else { " " };
        let line = format!(
            "{mark} {name:width$}  {:18}  {:>9}  {:>9}  {:>8}",
            figure.method,
            number(figure.effect),
            number(figure.threshold),
            figure.p_adjusted.or(figure.p_value).map_or_else(String::new, p_value),
        );
        let _ = writeln!(out, "{}", line.trim_end());
    }
    if shown.len() > MOST {
        let more = shown.len() - MOST;
        let _ = writeln!(out, "  and {more} more, each of a smaller effect: --json and --html show all");
    }
    out.push_str(
        "* its effect exceeds the threshold, which alone decides; p-values are those of independent rows\n",
    );
}

fn name(figure: &Figure) -> String {
    let what = figure.column.as_deref().unwrap_or("all together");
    match &figure.segment {
        Some(segment) => format!("{what} in {segment}"),
        None => what.to_owned(),
    }
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"))
}

fn p_value(p: f64) -> String {
    match p {
        p if p >= 0.001 => format!("{p:.3}"),
        p if p >= 1e-9 => format!("{p:.0e}"),
        _ => "< 1e-9".to_owned(),
    }
}

fn not_judged(out: &mut String, told: &Told) {
    let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
    for one in &told.not_judged {
        let what = one.column.as_deref().unwrap_or("all columns");
        let place = one.segment.as_ref().map(|segment| format!(" in {segment}")).unwrap_or_default();
        let method = one.method.as_ref().map(|method| format!(" ({method})")).unwrap_or_default();
        let subject = format!("{what}{place}{method}");
        match reasons.iter_mut().find(|(reason, _)| *reason == one.reason) {
            Some((_, subjects)) => subjects.push(subject),
            None => reasons.push((&one.reason, vec![subject])),
        }
    }
    for (reason, subjects) in &reasons {
        let named = subjects.iter().take(REASONS).cloned().collect::<Vec<_>>().join(", ");
        let more = subjects.len().saturating_sub(REASONS);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let _ = writeln!(out, "Not judged: {named}{more}: {reason}.");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(column: &str, method: &str, effect: f64, is_share: bool) -> Figure {
        Figure {
            column: Some(column.to_owned()),
            method: method.to_owned(),
            effect: Some(effect),
            threshold: Some(0.1),
            drifted: effect > 0.1,
            severity: effect / 0.1,
            is_share,
            detail: format!("{column} moved."),
            ..Figure::default()
        }
    }

    #[test]
    fn the_gravest_comes_first_and_what_says_nothing_is_left_out() {
        let told = Told {
            watched: 3,
            drifted: true,
            drifted_columns: vec!["amount".to_owned()],
            columns: vec![
                figure("quiet", "js", 0.01, false),
                figure("quiet", "missing", 0.0, true),
                figure("amount", "js", 0.25, false),
                figure("rare", "missing", 0.07, true),
            ],
            ..Told::default()
        };
        let text = text(&told);
        assert!(text.contains("1 of 3 columns drifted: amount.\n   2.5x  amount moved.\n"), "{text}");
        let lines: Vec<&str> = text.lines().filter(|line| line.contains("0.1000")).collect();
        let names: Vec<&str> = lines.iter().filter_map(|line| line.get(2..)?.split(' ').next()).collect();
        assert_eq!(names, ["amount", "rare", "quiet"], "{text}");
        assert!(lines[0].starts_with("* "));
    }

    #[test]
    fn what_was_not_judged_is_told_by_its_reason() {
        let one = |column: &str| millrace_drift::files::compare::NotJudged {
            column: Some(column.to_owned()),
            segment: None,
            method: None,
            reason: "too few rows".to_owned(),
        };
        let told = Told { not_judged: vec![one("a"), one("b")], ..Told::default() };
        assert!(text(&told).ends_with("Nothing drifted.\nNot judged: a, b: too few rows.\n"));
    }
}
