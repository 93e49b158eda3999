//! The reference file: Parquet, so that any tool reads it. Its rows, by `part`:
//! - `plan`: a watched column: kind, edges or named values (`values`), the filter of seen values (`state`);
//! - `head`: a block and segment: how many rows, the sample's ids (`state`);
//! - `column`: one column of them: rows, missing, infinite, mistyped, min, max, `counts` (per bin of the plan's edges, or
//!   per named value, then other and new ones), and all that is kept as bytes (`state`);
//! - `scores`, `scored`, `delays`: as bytes.
//!
//! The file's metadata holds, under `millrace.reference`, the version of this layout, bounds, segments and source.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::rows::{FileRow, Part, Rows, read_rows, schema};
use super::{Block, Delays, Error, Reference, Scored, Scores};
use crate::profile::{Bounds, ColumnPlan, Kind, Plan, Profile, Seen, SegmentPlan};

const KEY: &str = "millrace.reference";
const VERSION: u32 = 2;

/// What the metadata says.
#[derive(Debug, Serialize, Deserialize)]
struct About {
    version: u32,
    source: String,
    exact_rows: usize,
    sample_rows: usize,
    max_categories: usize,
    segments: Vec<(String, Vec<String>)>,
    fingerprint: String,
}

fn fault(path: &Path, message: impl Into<String>) -> Error {
    Error::Reference { file: path.display().to_string(), message: message.into() }
}

impl Reference {
    /// Writes a reference file (Parquet), whole or not at all. Returns the SHA-256 of its bytes, in hex.
    pub fn write(&self, path: &Path) -> Result<String, Error> {
        let failed = |error: &dyn std::fmt::Display| fault(path, format!("cannot be written: {error}"));
        let beside = path.with_extension("parquet.part");
        let file = File::create(&beside).map_err(|e| failed(&e))?;
        let about = serde_json::to_string(&self.about()).map_err(|e| failed(&e))?;
        let level = ZstdLevel::try_new(3).map_err(|e| failed(&e))?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(level))
            .set_key_value_metadata(Some(vec![KeyValue::new(KEY.to_owned(), about)]));
        let mut writer =
            ArrowWriter::try_new(file, schema(), Some(properties.build())).map_err(|e| failed(&e))?;
        let mut put = |rows: Rows| -> Result<(), Error> {
            writer.write(&rows.batch().map_err(|e| failed(&e))?).map_err(|e| failed(&e))?;
            // A row group a segment: memory holds one.
            writer.flush().map_err(|e| failed(&e))
        };
        put(self.plan_rows())?;
        for block in &self.blocks {
            for (segment, profile) in &block.segments {
                put(profile_rows(block, segment, profile))?;
            }
            put(score_rows(block))?;
            put(unseen_rows(block))?;
        }
        let file = writer.into_inner().map_err(|e| failed(&e))?;
        file.sync_all().map_err(|e| failed(&e))?;
        std::fs::rename(&beside, path).map_err(|e| failed(&e))?;
        digest(path)
    }

    /// Reads a reference file. Also returns the SHA-256 of its bytes, in hex.
    pub fn read(path: &Path) -> Result<(Self, String), Error> {
        let failed = |error: &dyn std::fmt::Display| fault(path, format!("is no reference file: {error}"));
        let file = File::open(path).map_err(|error| fault(path, format!("cannot be opened: {error}")))?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| failed(&e))?;
        let metadata = builder.metadata().file_metadata().key_value_metadata();
        let about = metadata.and_then(|all| all.iter().find(|pair| pair.key == KEY)?.value.clone());
        let Some(about) = about else {
            let message = "is no reference file (its metadata has no `millrace.reference`); make one by `millrace drift reference`";
            return Err(fault(path, message));
        };
        let about: About = serde_json::from_str(&about).map_err(|e| failed(&e))?;
        if about.version != VERSION {
            let message = format!(
                "is of layout version {}; this program reads version {VERSION}: build it again",
                about.version
            );
            return Err(fault(path, message));
        }
        let reader = builder.with_batch_size(256).build().map_err(|e| failed(&e))?;
        let mut parts = Parts::default();
        for batch in reader {
            let rows = read_rows(&batch.map_err(|e| failed(&e))?).map_err(|e| failed(&e))?;
            rows.into_iter().try_for_each(|row| parts.take(&about, row)).map_err(|e| failed(&e))?;
        }
        Ok((parts.reference(&about).map_err(|e| failed(&e))?, digest(path)?))
    }

    fn about(&self) -> About {
        let Bounds { exact_rows, sample_rows, max_categories } = self.plan.bounds;
        let segments = self.plan.segments.iter().map(|s| (s.column.clone(), s.values.to_vec())).collect();
        let fingerprint = format!("{:016x}", self.plan.fingerprint());
        let source = self.source.clone();
        About { version: VERSION, source, exact_rows, sample_rows, max_categories, segments, fingerprint }
    }

    fn plan_rows(&self) -> Rows {
        let mut rows = Rows::default();
        for column in &self.plan.columns {
            rows.push(FileRow {
                column: Some(column.name.clone()),
                kind: Some(column.kind.name().to_owned()),
                min: column.range.map(|range| range.0),
                max: column.range.map(|range| range.1),
                edges: Some(column.edges.to_vec()),
                values: Some(column.named.to_vec()),
                state: column.seen.as_ref().map(|seen| seen.to_bytes()),
                ..FileRow::new(Part::Plan)
            });
        }
        if let Some(delays) = &self.delays {
            rows.push(FileRow { state: Some(delays.to_bytes()), ..FileRow::new(Part::Delays) });
        }
        rows
    }
}

fn of_block(part: Part, block: &Block, segment: &str) -> FileRow {
    FileRow {
        block_start_ms: Some(block.start_ms),
        block_end_ms: Some(block.end_ms),
        segment: Some(segment.to_owned()),
        ..FileRow::new(part)
    }
}

fn profile_rows(block: &Block, segment: &str, profile: &Profile) -> Rows {
    let mut rows = Rows::default();
    let head = of_block(Part::Head, block, segment);
    rows.push(FileRow { rows: Some(profile.rows()), state: Some(profile.head()), ..head });
    for (i, column) in profile.columns().enumerate() {
        let named = column.categories().map(|categories| {
            let named =
                column.plan().named.iter().map(|name| categories.counts.get(name).copied().unwrap_or(0));
            named.chain([column.unnamed_rows(), column.new_rows()]).collect()
        });
        rows.push(FileRow {
            column: Some(column.plan().name.clone()),
            kind: Some(column.kind().name().to_owned()),
            rows: Some(column.rows()),
            missing: Some(column.missing()),
            infinite: Some(column.infinite()),
            mistyped: Some(column.mistyped()),
            min: column.range().map(|range| range.0),
            max: column.range().map(|range| range.1),
            counts: column.bins().or(named),
            state: Some(profile.column_state(i)),
            ..of_block(Part::Column, block, segment)
        });
    }
    rows
}

fn score_rows(block: &Block) -> Rows {
    let mut rows = Rows::default();
    for (segment, scores) in &block.scores {
        rows.push(FileRow {
            rows: Some(scores.rows()),
            state: Some(scores.to_bytes()),
            ..of_block(Part::Scores, block, segment)
        });
    }
    for (segment, scored) in &block.scored {
        rows.push(FileRow {
            rows: Some(scored.labelled()),
            state: Some(scored.to_bytes()),
            ..of_block(Part::Scored, block, segment)
        });
    }
    rows
}

fn unseen_rows(block: &Block) -> Rows {
    let mut rows = Rows::default();
    for (segment, counts) in &block.unseen {
        rows.push(FileRow { counts: Some(counts.clone()), ..of_block(Part::Unseen, block, segment) });
    }
    rows
}

/// The parts of a file that were read.
#[derive(Default)]
struct Parts {
    columns: Vec<ColumnPlan>,
    plan: Option<Arc<Plan>>,
    delays: Option<Delays>,
    blocks: BTreeMap<i64, Block>,
    open: Option<OpenProfile>,
}

/// The profile that is being read.
struct OpenProfile {
    start_ms: i64,
    segment: String,
    head: Vec<u8>,
    /// Of its columns so far.
    states: Vec<Vec<u8>>,
}

impl Parts {
    fn take(&mut self, about: &About, row: FileRow) -> Result<(), String> {
        let state = row.state.clone().unwrap_or_default();
        if row.part == Part::Plan {
            self.columns.push(column_plan(row)?);
            return Ok(());
        }
        if row.part == Part::Delays {
            self.delays = Some(Delays::from_bytes(&state).ok_or("the label delays are torn")?);
            return Ok(());
        }
        self.planned(about)?;
        let (Some(start_ms), Some(end_ms), Some(segment)) =
            (row.block_start_ms, row.block_end_ms, row.segment)
        else {
            return Err("a row names no block or segment".to_owned());
        };
        let fresh = || Block { start_ms, end_ms, ..Block::default() };
        let block = self.blocks.entry(start_ms).or_insert_with(fresh);
        match row.part {
            Part::Scores => {
                let scores = Scores::from_bytes(&state).ok_or("scores are torn")?;
                block.scores.insert(segment, scores);
            }
            Part::Scored => {
                let scored = Scored::from_bytes(&state).map_err(|error| error.to_string())?;
                block.scored.insert(segment, scored);
            }
            Part::Unseen => {
                block.unseen.insert(segment, row.counts.unwrap_or_default());
            }
            Part::Head => {
                self.close()?;
                self.open = Some(OpenProfile { start_ms, segment, head: state, states: Vec::new() });
            }
            _ => match &mut self.open {
                Some(open) if open.start_ms == start_ms && open.segment == segment => open.states.push(state),
                _ => return Err(format!("column {} has no head before it", row.column.unwrap_or_default())),
            },
        }
        Ok(())
    }

    /// The plan is complete with the first row of a block.
    fn planned(&mut self, about: &About) -> Result<Arc<Plan>, String> {
        if let Some(plan) = &self.plan {
            return Ok(plan.clone());
        }
        let About { exact_rows, sample_rows, max_categories, .. } = *about;
        let bounds = Bounds { exact_rows, sample_rows, max_categories };
        let segment = |(column, values): &(String, Vec<String>)| SegmentPlan {
            column: column.clone(),
            values: values.clone().into(),
        };
        let segments = about.segments.iter().map(segment).collect();
        let plan = Arc::new(Plan::new(std::mem::take(&mut self.columns), bounds, segments));
        if format!("{:016x}", plan.fingerprint()) != about.fingerprint {
            return Err("its plan is not the one that it was written with".to_owned());
        }
        self.plan = Some(plan.clone());
        Ok(plan)
    }

    fn close(&mut self) -> Result<(), String> {
        let (Some(open), Some(plan)) = (self.open.take(), &self.plan) else {
            return Ok(());
        };
        let profile =
            Profile::of_states(plan, &open.head, &open.states).map_err(|error| error.to_string())?;
        if let Some(block) = self.blocks.get_mut(&open.start_ms) {
            block.segments.insert(open.segment, profile);
        }
        Ok(())
    }

    fn reference(mut self, about: &About) -> Result<Reference, String> {
        let plan = self.planned(about)?;
        self.close()?;
        let blocks = self.blocks.into_values().collect();
        Ok(Reference { plan, blocks, delays: self.delays, source: about.source.clone() })
    }
}

fn column_plan(row: FileRow) -> Result<ColumnPlan, String> {
    let name = row.column.ok_or("a column of the plan has no name")?;
    let kind = row.kind.as_deref().and_then(Kind::of_name);
    let kind = kind.ok_or_else(|| format!("column {name} is of an unknown kind"))?;
    let mut plan = ColumnPlan::new(&name, kind).with_edges(row.edges.unwrap_or_default());
    if let Some((low, high)) = row.min.zip(row.max) {
        plan = plan.with_range(low, high);
    }
    if kind != Kind::Boolean {
        plan = plan.with_named(row.values.unwrap_or_default());
    }
    match row.state {
        Some(state) => {
            let seen =
                Seen::from_bytes(&state).ok_or_else(|| format!("column {name}: its seen values are torn"))?;
            Ok(plan.with_seen(seen))
        }
        None => Ok(plan),
    }
}

/// The SHA-256 of a file, in hex.
fn digest(path: &Path) -> Result<String, Error> {
    let failed = |error: std::io::Error| fault(path, format!("cannot be read: {error}"));
    let mut file = File::open(path).map_err(failed)?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer).map_err(failed)? {
            0 => break,
            count => hash.update(&buffer[..count]),
        }
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
