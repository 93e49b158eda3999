//! A window of many rows and columns, watched for drift in bounded memory: what it takes in time and memory.

mod columns;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use millrace_drift::hash;
use millrace_drift::judge::{About, Against, Inputs, Judgement, Options, Stream, Thresholds, judge_window};
use millrace_drift::profile::{Cells, Profile, Rows};
use millrace_drift::reference::{BuildOptions, Reference, Support, build};
use millrace_drift::window::WHOLE;
use parquet::arrow::ArrowWriter;

use crate::usage::{Usage, peak_mib};
use columns::Columns;

/// The window and its reference.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Rows of the window.
    pub rows: u64,
    /// Rows of the reference, which is built from a Parquet file.
    pub reference_rows: u64,
    /// Columns of both.
    pub columns: usize,
    /// Columns, the first ones, that are larger by a fifth in the window.
    pub moved: usize,
}

/// Rows of a batch: at a thousand columns 8 MB.
const BATCH_ROWS: usize = 1_024;

/// Writes the reference's training data into `folder`, builds the reference, and profiles and judges the window, whose
/// batches are made one after the other. The text says what was found, the time, and the memory.
pub fn run(size: Size, folder: &Path) -> Result<String> {
    ensure!(
        size.rows > 0 && size.reference_rows > 0 && size.columns > 0,
        "nothing of nothing can be measured"
    );
    let file = folder.join("wide-reference.parquet");
    write(&size, &file)?;
    let mut usage = Usage::begin()?;
    let reference = build(std::slice::from_ref(&file), &BuildOptions::default())?;
    let built = usage.lap()?;
    let window = profile(&size, &reference)?;
    let profiled = usage.lap()?;
    let bytes = window.size_bytes();
    let judgement = judge(&reference, window)?;
    let judged = usage.lap()?;
    std::fs::remove_file(&file)?;
    let found = drifted(&judgement);
    Ok(format!(
        "{} rows x {} columns against {}: {} columns drifted ({} were moved), {} judged\n\
         reference built   {built}\nwindow profiled   {profiled}, {:.1} ns a value, {} bytes a column\n\
         window judged     {judged}\npeak memory       {} MiB\n",
        size.rows,
        size.columns,
        size.reference_rows,
        found.len(),
        size.moved.min(size.columns),
        judgement.summary.values.get("columns").copied().unwrap_or_default(),
        profiled.cpu_seconds * 1e9 / (size.rows as f64 * size.columns as f64),
        bytes / size.columns,
        peak_mib()?,
    ))
}

fn write(size: &Size, file: &Path) -> Result<()> {
    let mut columns = Columns::new(size.columns, 0, 1);
    let out = std::fs::File::create(file).with_context(|| format!("cannot write {}", file.display()))?;
    let mut writer = ArrowWriter::try_new(out, columns.schema(), None)?;
    let mut left = size.reference_rows;
    while left > 0 {
        let rows = (left as usize).min(BATCH_ROWS);
        writer.write(&columns.batch(rows)?)?;
        // Row groups of a thousand columns stay small in memory.
        if writer.in_progress_size() > 64 << 20 {
            writer.flush()?;
        }
        left -= rows as u64;
    }
    writer.close()?;
    Ok(())
}

fn profile(size: &Size, reference: &Reference) -> Result<Profile> {
    let mut columns = Columns::new(size.columns, size.moved, 2);
    let mut window = Profile::new(&reference.plan);
    let source = hash::of_text("window");
    let mut row = 0;
    while row < size.rows {
        let rows = (size.rows - row).min(BATCH_ROWS as u64);
        let ids: Vec<u64> = (row..row + rows).map(|row| hash::of_place(source, row)).collect();
        let batch = columns.batch(rows as usize)?;
        window.add(&Cells::of(&reference.plan, &batch), &ids, Rows::All);
        row += rows;
    }
    Ok(window)
}

fn judge(reference: &Reference, window: Profile) -> Result<Judgement> {
    let whole = reference.total(WHOLE).context("the reference has no rows")?;
    let support = Support::of(&whole);
    let thresholds = Thresholds::conventional(&reference.plan, &reference.segments(), whole.rows(), &[]);
    let against: Against = BTreeMap::from([(WHOLE.to_owned(), Ok(whole))]);
    Ok(judge_window(&Inputs {
        about: &About { app: "wide".into(), window: "all rows".into(), ..About::default() },
        against: &against,
        current: &BTreeMap::from([(WHOLE.to_owned(), window)]),
        thresholds: &thresholds,
        quality: None,
        stream: Stream::default(),
        support: support.as_ref(),
        options: &Options::default(),
    }))
}

fn drifted(judgement: &Judgement) -> BTreeSet<&str> {
    let drifted = judgement.findings.iter().filter(|event| event.drifted);
    drifted.filter_map(|event| event.column.as_deref()).collect()
}
