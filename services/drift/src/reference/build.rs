//! A reference from training data in files, in two passes of bounded memory: the plan first, then the profiles.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::BooleanArray;
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Field, SchemaRef};
use arrow::record_batch::RecordBatch;

use super::discover::{self, Discovery, TextDiscovery};
use super::unseen::Halves;
use super::{Block, Delays, Error, Reference, ScoreRow, Scores};
use crate::profile::{Bounds, Kind, Plan, Rows, SegmentPlan};
use crate::window::{Prepared, WHOLE};
use crate::{files, hash};

/// How a reference is built.
#[derive(Debug, Clone, Default)]
pub struct BuildOptions {
    /// Columns to watch; empty: all but the time, id, label and score columns and those of types not watched.
    pub columns: Vec<String>,
    /// Kinds that are not to be inferred.
    pub kinds: BTreeMap<String, Kind>,
    /// The column of the record time; `None`: all rows are one block.
    pub time: Option<String>,
    /// The column of the row's id; `None`: rows are told apart by their place in the file.
    pub id: Option<String>,
    /// The columns of segments.
    pub segments: Vec<String>,
    /// The columns of score and label, for estimates of performance.
    pub score: Option<String>,
    /// See `score`.
    pub label: Option<String>,
    /// The column of the time at which the label came, for the label-delay curve.
    pub label_time: Option<String>,
    /// Length of a block, ms; `None`: a day.
    pub block_ms: Option<i64>,
    /// Rows of `[from_ms, to_ms)` alone.
    pub from_ms: Option<i64>,
    /// See `from_ms`.
    pub to_ms: Option<i64>,
    /// Bounds; `None`: those of [`Bounds::of_columns`].
    pub bounds: Option<Bounds>,
}

/// A day, in ms.
const DAY_MS: i64 = 86_400_000;

impl BuildOptions {
    fn length_ms(&self) -> i64 {
        self.block_ms.unwrap_or(DAY_MS).max(1)
    }

    /// The first instant of the block of a time.
    fn block_of(&self, time_ms: i64) -> i64 {
        time_ms.div_euclid(self.length_ms()) * self.length_ms()
    }
}

/// Builds a reference from Parquet or CSV files. Files that do not fit into 128 MB are read twice, those
/// with ids three times, batch by batch: memory then holds the blocks' profiles alone. The same files give the same reference, whatever their order.
pub fn build(files: &[PathBuf], options: &BuildOptions) -> Result<Reference, Error> {
    let columns = columns(files, options)?;
    let bounds = options.bounds.unwrap_or_else(|| Bounds::of_columns(columns.watched.len()));
    let mut discovery = Discovery::new(&columns.schema, &columns.watched, &options.kinds, bounds);
    let mut segments: Vec<TextDiscovery> = options.segments.iter().map(|_| TextDiscovery::new(0)).collect();
    let mut rows = 0_u64;
    let mut span: Option<(i64, i64)> = None;
    let mut held = Held::default();
    each_batch(files, &columns.read, options, |batch| {
        rows += batch.rows.num_rows() as u64;
        for start_ms in batch.times_ms.iter().map(|time| options.block_of(*time)) {
            span = Some(
                span.map_or((start_ms, start_ms), |(a, b): (i64, i64)| (a.min(start_ms), b.max(start_ms))),
            );
        }
        discovery.add(&batch.rows, &batch.ids);
        for (segment, name) in segments.iter_mut().zip(&options.segments) {
            batch.rows.column_by_name(name).into_iter().for_each(|array| segment.add(array));
        }
        held.hold(batch);
        Ok(())
    })?;
    if rows == 0 {
        return Err(Error::Options("the training data has no rows (in the wanted range)".to_owned()));
    }
    let segments = segments.iter().zip(&options.segments).map(|(found, column)| {
        let values = found.most_frequent(bounds.max_categories).0.into();
        SegmentPlan { column: column.clone(), values }
    });
    let segments = segments.collect();
    // A window compared with more rows than are kept exactly is compared on the grid: its own values would be in vain.
    let exact_rows = if rows > bounds.exact_rows as u64 { 0 } else { bounds.exact_rows };
    let bounds = Bounds { exact_rows, ..bounds };
    let plan = Arc::new(Plan::new(discovery.plans(&columns.watched, &options.kinds), bounds, segments));
    let mut halves = span.and_then(|span| Halves::of(&plan, span, options.length_ms()));
    if let Some(halves) = &mut halves {
        let mut add = |batch: &FileBatch| halves.add(&batch.rows, &batch.times_ms);
        match &held.batches {
            Some(batches) => batches.iter().for_each(add),
            None => each_batch(files, &columns.read, options, |batch| {
                add(&batch);
                Ok(())
            })?,
        }
    }
    let (made, delays) = (BTreeMap::new(), Delays::default());
    let mut blocks = Blocks { plan: plan.clone(), blocks: made, delays, halves };
    match held.batches {
        Some(batches) => batches.iter().try_for_each(|batch| blocks.add(batch, options))?,
        None => each_batch(files, &columns.read, options, |batch| blocks.add(&batch, options))?,
    }
    blocks.trim();
    // Folders differ between machines; the same files are to give the same reference.
    let name = |file: &PathBuf| file.file_name().unwrap_or(file.as_os_str()).display().to_string();
    let names: Vec<String> = files.iter().map(name).collect();
    let delays = options.label_time.is_some().then_some(blocks.delays);
    Ok(Reference { plan, blocks: blocks.blocks.into_values().collect(), delays, source: names.join(", ") })
}

/// Training data that is small stays in memory between the passes. (In tests less: they then take both ways.)
const HELD_BYTES: usize = if cfg!(test) { 256 << 10 } else { 128 << 20 };

/// The batches of the first pass, until they are too large.
struct Held {
    batches: Option<Vec<FileBatch>>,
    bytes: usize,
}

impl Default for Held {
    fn default() -> Self {
        Self { batches: Some(Vec::new()), bytes: 0 }
    }
}

impl Held {
    fn hold(&mut self, batch: FileBatch) {
        self.bytes += batch.rows.get_array_memory_size() + batch.ids.len() * 16;
        match &mut self.batches {
            Some(batches) if self.bytes <= HELD_BYTES => batches.push(batch),
            batches => *batches = None,
        }
    }
}

/// What is read of the files.
struct Columns {
    schema: SchemaRef,
    watched: Vec<String>,
    read: Vec<String>,
}

fn columns(files: &[PathBuf], options: &BuildOptions) -> Result<Columns, Error> {
    let first =
        files.first().ok_or_else(|| Error::Options("no file of training data is given".to_owned()))?;
    let schema = millrace_files::open(first, None)?.schema().clone();
    let apart = [&options.time, &options.id, &options.score, &options.label, &options.label_time];
    let apart: Vec<&String> = apart.into_iter().flatten().collect();
    let watched = |field: &&Arc<Field>| {
        !apart.contains(&field.name()) && discover::watched(field.data_type()).is_some()
    };
    let watched: Vec<String> = match options.columns.is_empty() {
        true => schema.fields().iter().filter(watched).map(|field| field.name().clone()).collect(),
        false => options.columns.clone(),
    };
    if watched.is_empty() {
        return Err(Error::Options(format!("{} has no column that can be watched", first.display())));
    }
    let read = watched.iter().chain(apart).chain(&options.segments).cloned().collect();
    Ok(Columns { schema, watched, read })
}

/// Rows of a file in the wanted range.
struct FileBatch {
    rows: RecordBatch,
    ids: Vec<u64>,
    /// Empty without a time column.
    times_ms: Vec<i64>,
    file: PathBuf,
}

fn each_batch(
    files: &[PathBuf],
    read: &[String],
    options: &BuildOptions,
    mut take: impl FnMut(FileBatch) -> Result<(), Error>,
) -> Result<(), Error> {
    for file in files {
        let mut first_row = 0_u64;
        // Rows without an id are told apart by the file's name and their place: the order of files does not matter.
        let source = hash::of_text(&file.display().to_string());
        for rows in millrace_files::open(file, Some(read))? {
            let rows = rows?;
            let count = rows.num_rows() as u64;
            let ids = match &options.id {
                Some(name) => files::ids(&rows, name),
                None => (first_row..first_row + count).map(|row| hash::of_place(source, row)).collect(),
            };
            let times_ms = match &options.time {
                Some(name) => millrace_files::times_ms(file, &rows, name, first_row)?,
                None => Vec::new(),
            };
            first_row += count;
            take(within(FileBatch { rows, ids, times_ms, file: file.clone() }, options))?;
        }
    }
    Ok(())
}

/// The rows of the wanted range.
fn within(batch: FileBatch, options: &BuildOptions) -> FileBatch {
    let inside = |time: &i64| {
        options.from_ms.is_none_or(|from| *time >= from) && options.to_ms.is_none_or(|to| *time < to)
    };
    if batch.times_ms.iter().all(inside) {
        return batch;
    }
    let kept: Vec<bool> = batch.times_ms.iter().map(inside).collect();
    let Ok(rows) = filter_record_batch(&batch.rows, &BooleanArray::from(kept.clone())) else { return batch };
    let ids = batch.ids.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(id, _)| *id).collect();
    let times_ms = batch.times_ms.iter().copied().filter(inside).collect();
    FileBatch { rows, ids, times_ms, file: batch.file }
}

struct Blocks {
    plan: Arc<Plan>,
    blocks: BTreeMap<i64, Block>,
    delays: Delays,
    halves: Option<Halves>,
}

/// Blocks of the same day of the week come every seventh time: so many rows are kept of each that these fill a sample
/// together. Of segments, which are compared by counts above all, an eighth is kept; of anything at least 50 rows.
const SEASON: usize = 7;
const OF_SEGMENTS: usize = 8;
const FEWEST: usize = 50;

impl Blocks {
    fn trim(&mut self) {
        let all = self.plan.bounds.sample_rows;
        let rows = SEASON * all / self.blocks.len().max(1);
        let of = |segment: &str| match segment {
            WHOLE => rows.clamp(FEWEST, all.max(FEWEST)),
            _ => (rows / OF_SEGMENTS).clamp(FEWEST, all.max(FEWEST)),
        };
        for block in self.blocks.values_mut() {
            block.segments.iter_mut().for_each(|(segment, profile)| profile.trim_sample(of(segment)));
            block.scores.iter_mut().for_each(|(segment, scores)| scores.trim(of(segment)));
        }
    }

    fn add(&mut self, batch: &FileBatch, options: &BuildOptions) -> Result<(), Error> {
        if batch.rows.num_rows() == 0 {
            return Ok(()); // all of its rows lie outside of the wanted range
        }
        let mut rows: BTreeMap<i64, Vec<u32>> = BTreeMap::new();
        match batch.times_ms.is_empty() {
            true => drop(rows.insert(0, (0..batch.rows.num_rows() as u32).collect())),
            false => (0..).zip(&batch.times_ms).for_each(|(row, time)| {
                rows.entry(options.block_of(*time)).or_default().push(row);
            }),
        }
        let prepared = Prepared::of(&self.plan, &batch.rows);
        let scores = scored(batch, options)?;
        for (start_ms, rows) in rows {
            let end_ms = if batch.times_ms.is_empty() { 0 } else { start_ms + options.length_ms() };
            let fresh = || Block { start_ms, end_ms, ..Block::default() };
            let block = self.blocks.entry(start_ms).or_insert_with(fresh);
            let all = rows.len() == batch.rows.num_rows();
            let taken = if all { Rows::All } else { Rows::These(&rows) };
            prepared.add(&self.plan, &mut block.segments, &batch.ids, taken);
            if self.halves.is_some() {
                // Also where there are none: what was counted is known.
                let columns = self.plan.columns.len();
                for segment in block.segments.keys() {
                    block.unseen.entry(segment.clone()).or_insert_with(|| vec![0; columns]);
                }
            }
            for (row, scored) in rows.iter().filter_map(|row| Some((*row, scores.get(*row as usize)?))) {
                for segment in prepared.segments_of(row as usize).chain([WHOLE]) {
                    let bound = self.plan.bounds.sample_rows;
                    let scores = block.scores.entry(segment.to_owned());
                    scores.or_insert_with(|| Scores::new(bound)).add(*scored);
                    let counts = block.scored.entry(segment.to_owned()).or_default();
                    counts.add(scored.score, scored.label);
                }
            }
        }
        self.add_unseen(&prepared, batch, options);
        if let Some(name) = &options.label_time {
            let came = millrace_files::times_or_null_ms(&batch.file, &batch.rows, name)?;
            let pairs = came.iter().zip(&batch.times_ms);
            pairs.filter_map(|(came, time)| Some((*came)? - time)).for_each(|delay| self.delays.add(delay));
        }
        Ok(())
    }
}

impl Blocks {
    /// Counts rows with ids that the other half does not have.
    fn add_unseen(&mut self, prepared: &Prepared, batch: &FileBatch, options: &BuildOptions) {
        let Some(halves) = &self.halves else { return };
        for (column, row) in halves.unseen(&batch.rows, &batch.times_ms) {
            let Some(block) = self.blocks.get_mut(&options.block_of(batch.times_ms[row])) else { continue };
            for segment in prepared.segments_of(row).chain([WHOLE]) {
                if let Some(counts) = block.unseen.get_mut(segment) {
                    counts[column] += 1;
                }
            }
        }
    }
}

/// Per row its score and label; none without these columns.
fn scored(batch: &FileBatch, options: &BuildOptions) -> Result<Vec<ScoreRow>, Error> {
    let Some(score) = &options.score else { return Ok(Vec::new()) };
    let scores = millrace_files::numbers(&batch.file, &batch.rows, score)?;
    let labels = match &options.label {
        Some(label) => millrace_files::numbers(&batch.file, &batch.rows, label)?,
        None => vec![f64::NAN; scores.len()],
    };
    let rows = batch.ids.iter().zip(scores).zip(labels);
    Ok(rows.map(|((id, score), label)| ScoreRow { id: *id, score, label }).collect())
}
