//! `millrace drift compare` and `detect`: files, without a bus.

mod text;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use millrace_drift::files::compare::Options;
use millrace_drift::files::{compare as compared, detect as detected};
use millrace_drift::report::html;
use millrace_statistics::two_sample::Method;

use crate::cli::CompareArgs;

/// The exit code of `--fail-on-drift`.
const DRIFTED: u8 = 2;

/// Compares two files.
pub fn compare(args: &CompareArgs) -> Result<ExitCode> {
    let options = Options {
        columns: args.columns.clone(),
        id: args.id.clone(),
        segments: args.segments.clone(),
        methods: methods(&args.methods)?,
        only: args.only,
        thresholds: args.thresholds.clone(),
    };
    let comparison = compared::compare(&args.reference, &args.current, &options)?;
    let told = comparison.told();
    match &args.html {
        Some(file) => {
            std::fs::write(file, html(&comparison.page()))
                .with_context(|| format!("cannot write {}", file.display()))?;
            println!("{}: {}", file.display(), text::verdict(&told));
        }
        None if args.json => println!("{}", serde_json::to_string(&told)?),
        None => print!("{}", text::text(&told)),
    }
    Ok(if args.fail_on_drift && told.drifted { ExitCode::from(DRIFTED) } else { ExitCode::SUCCESS })
}

fn methods(names: &[String]) -> Result<Vec<Method>> {
    if names == ["all"] {
        return Ok(Method::ALL.to_vec());
    }
    names.iter().map(|name| name.parse().map_err(anyhow::Error::new)).collect()
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
