//! `millrace drift compare` and `detect`: files, without a bus.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use millrace_drift::files::compare::{Figure, Options, Told};
use millrace_drift::files::{compare as compared, detect as detected};
use millrace_drift::report::html;
use millrace_statistics::two_sample::Method;

use crate::cli::CompareArgs;
use crate::text::thousands;

/// The exit code of `--fail-on-drift`.
const DRIFTED: u8 = 2;

/// Compares two files.
pub fn compare(args: &CompareArgs) -> Result<ExitCode> {
    let options = Options {
        columns: args.columns.clone(),
        id: args.id.clone(),
        segments: args.segments.clone(),
        methods: methods(&args.methods)?,
        thresholds: args.thresholds.clone(),
    };
    let comparison = compared::compare(&args.reference, &args.current, &options)?;
    let told = comparison.told();
    match &args.html {
        Some(file) => {
            std::fs::write(file, html(&comparison.page()))
                .with_context(|| format!("cannot write {}", file.display()))?;
            println!("{}: {}", file.display(), verdict(&told));
        }
        None if args.json => println!("{}", serde_json::to_string(&told)?),
        None => print!("{}", text(&told)),
    }
    Ok(if args.fail_on_drift && told.drifted { ExitCode::from(DRIFTED) } else { ExitCode::SUCCESS })
}

fn methods(names: &[String]) -> Result<Vec<Method>> {
    if names == ["all"] {
        return Ok(Method::ALL.to_vec());
    }
    names.iter().map(|name| name.parse().map_err(anyhow::Error::new)).collect()
}

fn verdict(told: &Told) -> String {
    match told.drifted_columns.as_slice() {
        [] if told.drifted => "all columns together drifted".to_owned(),
        [] => "nothing drifted".to_owned(),
        some => format!("drifted: {}", some.join(", ")),
    }
}

fn text(told: &Told) -> String {
    let mut out = format!(
        "{}: {} rows against {} of {}\n\n",
        told.current,
        thousands(told.rows),
        thousands(told.reference_rows),
        told.reference
    );
    for figure in told.columns.iter().chain(&told.dataset) {
        out.push_str(&line(figure));
    }
    for one in &told.not_judged {
        let what = one.column.as_deref().unwrap_or("all columns");
        out.push_str(&format!("not judged: {what}: {}\n", one.reason));
    }
    format!("{out}\n{}\n", verdict(told))
}

fn line(figure: &Figure) -> String {
    let what = figure.column.as_deref().unwrap_or("all columns");
    let what = match &figure.segment {
        Some(segment) => format!("{what} in {segment}"),
        None => what.to_owned(),
    };
    let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"));
    format!(
        "{} {what:32} {:18} effect {:>9}  threshold {:>9}  p {:>7}\n",
        if figure.drifted { "*" } else { " " },
        figure.method,
        number(figure.effect),
        number(figure.threshold),
        figure.p_value.map_or_else(|| "-".to_owned(), |p| format!("{p:.1e}")),
    )
}

/// Runs a detector over a column.
pub fn detect(
    file: &Path,
    column: &str,
    method: &str,
    parameters: &[(String, String)],
    json: bool,
) -> Result<()> {
    let found = detected::detect(file, column, method, parameters)?;
    if json {
        println!("{}", serde_json::to_string(&found)?);
        return Ok(());
    }
    let set: Vec<String> = found.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    println!("{method} on {column}: {} rows, {} missing; {}", found.rows, found.missing, set.join(" "));
    for row in &found.alarms {
        println!("change at row {row}");
    }
    println!("{} alarms, {} warnings", found.alarms.len(), found.warnings.len());
    Ok(())
}
