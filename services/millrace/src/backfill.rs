//! `millrace backfill`: a feature view over files.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use indicatif::{ProgressBar, ProgressStyle};
use millrace_features::backfill::{Input, backfill};
use millrace_features::plan_view;

use crate::application;
use crate::cli::BackfillArgs;
use crate::text::thousands;

/// Computes a view over Parquet files.
pub fn run(folder: &Path, args: &BackfillArgs) -> Result<()> {
    let app = application::load(folder, &args.app)?;
    let view =
        app.topic(&args.topic).with_context(|| format!("{} has no topic `{}`", app.name, args.topic))?;
    let planned = plan_view(&app, view).map_err(|problems| application::problems_error(&problems))?;
    let inputs = args.inputs.iter().map(|input| source_and_file(input)).collect::<Result<Vec<_>>>()?;
    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template(
        "{bar:40} {percent:>3} %  {human_pos} of {human_len} rows  {per_sec}  {eta} left",
    )?);
    let report = backfill(&planned, &inputs, &args.output, &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    for rejected in &report.rejected {
        eprintln!("rejected: {rejected}");
    }
    eprintln!(
        "{}: {} rows from {} ({} filtered, {} late) in {:.1} s",
        args.output.display(),
        thousands(report.rows_out),
        thousands(report.rows_in),
        thousands(report.filtered),
        thousands(report.late),
        bar.elapsed().as_secs_f64()
    );
    Ok(())
}

fn source_and_file(input: &str) -> Result<Input> {
    let (source, file) = input
        .split_once('=')
        .with_context(|| format!("--input {input}: write it as <source>=<file.parquet>"))?;
    Ok(Input { source: source.to_owned(), file: PathBuf::from(file) })
}
