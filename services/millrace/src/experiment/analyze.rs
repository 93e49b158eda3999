//! `millrace experiment analyze`: the arms of a file compared.

use anyhow::{Context as _, Result, bail};
use millrace_experiments::analysis::always_valid::ConfidenceSequence;
use millrace_experiments::analysis::{Metric, Tested};
use millrace_experiments::files::report::{Answer, Comparison, Differences, Tests};
use millrace_experiments::files::{Options, Report, Row, analyze};
use millrace_experiments::report::html;
use millrace_experiments::report::wording::{
    conclusion, interval, relative_interval, signed, value, verdict,
};
use millrace_report::text::{p_value, percent, short};

use super::rows::Table;
use crate::cli::AnalyzeArgs;
use crate::text::{aligned, thousands};

/// Compares the arms.
pub fn run(args: &AnalyzeArgs) -> Result<()> {
    let report = report(args)?;
    match &args.html {
        Some(file) => {
            let from = args.input.file_name().unwrap_or_default().to_string_lossy();
            std::fs::write(file, html(&report, &from))
                .with_context(|| format!("cannot write {}", file.display()))?;
            println!("{}: {}", file.display(), verdict(&report));
        }
        None if args.json => println!("{}", serde_json::to_string(&report)?),
        None => print!("{}", text(&report)),
    }
    Ok(())
}

fn report(args: &AnalyzeArgs) -> Result<Report> {
    let (metric, kind) = &args.metric;
    let beside = match (kind, &args.denominator, &args.covariate) {
        (Metric::Ratio, None, _) => bail!("a ratio needs --denominator COLUMN"),
        (Metric::Ratio, Some(column), _) => Some(("denominator", column.as_str())),
        (_, Some(_), _) => bail!("--denominator goes with ratios; a {kind} has none"),
        (_, None, covariate) => covariate.as_deref().map(|column| ("covariate", column)),
    };
    let value = args.value.as_ref().unwrap_or(metric);
    let mut table = Table {
        file: &args.input,
        columns: vec![("unit", &args.unit), ("arm", &args.arm), ("value", value)],
    };
    table.columns.extend(beside);
    let rows = table.rows(|batch| {
        let (units, arms) = (batch.texts(&args.unit, "unit")?, batch.texts(&args.arm, "arm")?);
        let values = batch.numbers(value)?;
        let beside = beside.map(|(_, column)| batch.numbers(column)).transpose()?;
        let row = |(at, ((unit, arm), value))| Row {
            unit,
            arm,
            value,
            beside: beside.as_ref().map(|beside: &Vec<f64>| beside[at]),
        };
        Ok(units.into_iter().zip(arms).zip(values).enumerate().map(row).collect())
    });
    let options = Options {
        control: args.control.clone(),
        alpha: args.alpha,
        shares: args.shares.clone(),
        sample_ratio_alpha: args.sample_ratio_alpha,
        max_mixed_share: args.max_mixed,
        sequence: ConfidenceSequence { tuned_for_units: args.tuned_for },
        expected_relative_effect: args.expected_effect,
        looks: args.looks,
        burn_in_units: args.burn_in,
        ..Options::new(metric, *kind)
    };
    rows.and_then(|rows| analyze(rows, &options)).map_err(|error| table.explained(error))
}

fn text(report: &Report) -> String {
    let ratio = &report.sample_ratio;
    let mut out = format!(
        "{} ({}): {} rows of {} units; {} units in two arms, excluded\n",
        report.metric,
        report.kind,
        thousands(report.rows),
        thousands(report.units),
        thousands(report.mixed_units)
    );
    out += &format!("sample ratio: p {}", p_value(ratio.p_value));
    out += &ratio
        .always_valid_p_value
        .map_or_else(String::new, |p| format!(", looked at any time {}", p_value(p)));
    out += "\n\n";
    let mut lines = vec![["arm", "units", "expected", &report.metric].map(str::to_owned).to_vec()];
    for (arm, share) in report.arms.iter().zip(&ratio.shares) {
        let metric = match &arm.estimate {
            Answer::Known(estimate) => value(report.kind, estimate.mean),
            Answer::Undefined { undefined } => undefined.clone(),
        };
        lines.push(vec![arm.arm.clone(), thousands(arm.units), percent(*share), metric]);
    }
    out += &aligned(&lines);
    for comparison in &report.comparisons {
        out +=
            &format!("\n{} less {}, level {}\n", comparison.arm, report.control, percent(1.0 - report.alpha));
        out += &aligned(&tests(comparison));
        out += &looks(comparison);
        out += &format!("  {}: {}\n", conclusion(comparison.conclusion), comparison.reason);
    }
    for reason in &report.stopped {
        out += &format!("\nnothing may be concluded: {reason}\n");
    }
    out
}

/// One line a test: adjusted results with the raw ones beside, absolute and relative.
fn tests(comparison: &Comparison) -> Vec<Vec<String>> {
    let mut lines = Vec::new();
    let mut add = |name: &str, answer: Result<&Differences, &str>| match answer {
        Ok(found) => {
            lines.extend(of_scale(&found.absolute, name, false));
            match &found.relative {
                Answer::Known(relative) => {
                    lines.extend(of_scale(relative, &format!("{name}, relative"), true))
                }
                Answer::Undefined { undefined } => {
                    lines.push(vec![format!("  {name}, relative"), undefined.clone()])
                }
            }
        }
        Err(why) => lines.push(vec![format!("  {name}"), why.to_owned()]),
    };
    let raw = match &comparison.raw {
        Answer::Known(found) => Ok(found),
        Answer::Undefined { undefined } => Err(undefined.as_str()),
    };
    match &comparison.adjusted {
        Some(Answer::Known(found)) => {
            let name = format!("CUPED (variance -{})", percent(found.variance_reduction));
            add(&name, Ok(&found.differences));
            add("raw", raw);
        }
        Some(Answer::Undefined { undefined }) => {
            add("CUPED", Err(undefined));
            add("raw", raw);
        }
        None => add("difference", raw),
    }
    match &comparison.two_proportions {
        Some(Answer::Known(tested)) => lines.push(line("two proportions", "pooled z", tested, false)),
        Some(Answer::Undefined { undefined }) => {
            lines.push(vec!["  two proportions".to_owned(), undefined.clone()])
        }
        None => {}
    }
    if let Some(p) = comparison.corrected_p_value {
        lines.push(vec![
            "  Holm".to_owned(),
            String::new(),
            String::new(),
            String::new(),
            format!("p {}", p_value(p)),
        ]);
    }
    lines
}

fn of_scale(tests: &Tests, name: &str, relative: bool) -> Vec<Vec<String>> {
    let Tests { welch, confidence_sequence, msprt } = tests;
    let mut lines = vec![
        line(name, "Welch, looked at once", welch, relative),
        line(name, "confidence sequence, at any time", confidence_sequence, relative),
    ];
    lines.extend(msprt.as_ref().map(|tested| line(name, "mSPRT, at any time", tested, relative)));
    lines
}

fn line(name: &str, test: &str, tested: &Tested, relative: bool) -> Vec<String> {
    let (difference, within) = if relative {
        (format!("{} %", signed(100.0 * tested.difference)), relative_interval(tested))
    } else {
        (signed(tested.difference), interval(tested))
    };
    vec![format!("  {name}"), test.to_owned(), difference, within, format!("p {}", p_value(tested.p_value))]
}

fn looks(comparison: &Comparison) -> String {
    let counted: Vec<_> = comparison.looks.iter().filter(|look| look.counts).collect();
    let Some(last) = counted.last() else { return String::new() };
    let first = counted.iter().find(|look| look.low > 0.0 || look.high < 0.0);
    let seen = first.map_or_else(
        || "none of them excludes 0".to_owned(),
        |look| {
            format!(
                "0 is excluded from {} units on ({} to {})",
                thousands(look.units),
                short(look.low),
                short(look.high)
            )
        },
    );
    format!("  {} looks, the least p {}: {seen}\n", counted.len(), p_value(last.p_value))
}
