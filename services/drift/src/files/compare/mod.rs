//! Two files compared as a window is compared with its reference: the same profiles, the same judgement.

mod told;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use told::{Figure, NotJudged, Told};

use millrace_schemas::envelope::{DriftStatus, Subject};
use millrace_statistics::two_sample::{ColumnKind, Method};

use crate::files;
use crate::hash;
use crate::judge::{self, About, Against, Inputs, Judgement, Key, Measure, Thresholds, judge_window};
use crate::profile::{Bounds, Kind, Plan, Profile, Rows};
use crate::reference::{self, BuildOptions, Reference, Support};
use crate::window::{Prepared, WHOLE};

/// How files are compared.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The columns; empty: all that can be watched.
    pub columns: Vec<String>,
    /// The column of the row's id, which the kept sample is drawn by; `None`: the row's place.
    pub id: Option<String>,
    /// Columns of which every value is compared on its own, too.
    pub segments: Vec<String>,
    /// Methods beside the default ones, where they apply.
    pub methods: Vec<Method>,
    /// The distribution of each column alone, by those methods (where none applies, or none is given, by the default one):
    /// no shares of missing, new and outlying values, nothing of all columns together.
    pub only: bool,
    /// A file of calibrated thresholds; `None`: what practice takes for notable.
    pub thresholds: Option<PathBuf>,
}

/// What two files say.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// What is compared.
    pub plan: Arc<Plan>,
    /// Profiles of the reference file, by segment.
    pub reference: Against,
    /// Profiles of the current file, by segment.
    pub current: BTreeMap<String, Profile>,
    /// The judgement.
    pub judgement: Judgement,
    /// The two files.
    pub files: [PathBuf; 2],
}

/// Why files cannot be compared; the message names the file, and the column or line where there is one.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The reference.
    #[error(transparent)]
    Reference(#[from] reference::Error),
    /// The current file.
    #[error(transparent)]
    File(#[from] millrace_files::Error),
    /// The thresholds.
    #[error(transparent)]
    Thresholds(#[from] judge::ThresholdsError),
    /// The file of thresholds cannot be read.
    #[error("{}: {error}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        error: std::io::Error,
    },
}

/// Numbers that files may keep exactly, over all columns: half a gigabyte.
const EXACT_CELLS: usize = 32_000_000;

/// Compares a Parquet or CSV file with a reference file.
///
/// # Errors
/// A file that cannot be read, or lacks a column.
pub fn compare(reference: &Path, current: &Path, options: &Options) -> Result<Comparison, Error> {
    let mut made = reference::build(&[reference.to_owned()], &build_options(reference, options)?)?;
    let profiles = profiles(&made, current, options)?;
    let rows = made.rows();
    let thresholds = thresholds(&made, rows, options)?;
    // Without times a file is one block.
    let blocks = std::mem::take(&mut made.blocks).into_iter();
    let against: Against =
        blocks.flat_map(|block| block.segments).map(|(name, profile)| (name, Ok(profile))).collect();
    let whole = against.get(WHOLE).and_then(|profile| profile.as_ref().ok());
    let support = whole.filter(|_| !options.only).and_then(Support::of);
    let about = About {
        app: "files".into(),
        topic: current.display().to_string(),
        subject: Subject::Data,
        window: "the whole file".into(),
        status: DriftStatus::Final,
        reference: reference.display().to_string(),
        ..About::default()
    };
    let judgement = judge_window(&Inputs {
        about: &about,
        against: &against,
        current: &profiles,
        thresholds: &thresholds,
        quality: None,
        stream: judge::Stream::default(),
        support: support.as_ref(),
        options: &judge::Options {
            methods: options.methods.clone(),
            joint: !options.only,
            // A page draws the profiles themselves.
            drawn: false,
            ..judge::Options::default()
        },
    });
    Ok(Comparison {
        plan: made.plan,
        reference: against,
        current: profiles,
        judgement,
        files: [reference.to_owned(), current.to_owned()],
    })
}

fn thresholds(reference: &Reference, rows: u64, options: &Options) -> Result<Thresholds, Error> {
    let mut thresholds = match &options.thresholds {
        Some(file) => {
            let text =
                std::fs::read_to_string(file).map_err(|error| Error::Read { file: file.clone(), error })?;
            Thresholds::from_toml(&file.display().to_string(), &text)?
        }
        None => Thresholds::conventional(&reference.plan, &reference.segments(), rows, &options.methods),
    };
    if options.only {
        thresholds.retain(|key| is_asked_for(key, &reference.plan, &options.methods));
    }
    Ok(thresholds)
}

/// Whether a threshold is of a distribution, by one of the methods (any where none applies to such a column).
fn is_asked_for(key: &Key, plan: &Plan, methods: &[Method]) -> bool {
    let Measure::Distribution(method) = key.measure else { return false };
    let Some(index) = key.column.as_ref().and_then(|name| plan.index(name)) else { return false };
    let kind = match plan.columns[index].kind {
        Kind::Numeric => ColumnKind::Numeric,
        _ => ColumnKind::Category,
    };
    methods.contains(&method) || !methods.iter().any(|asked| asked.applies_to(kind))
}

fn build_options(reference: &Path, options: &Options) -> Result<BuildOptions, Error> {
    let columns = match options.columns.len() {
        0 => millrace_files::open(reference, None)?.schema().fields().len(),
        some => some,
    };
    let bounds = Bounds { exact_rows: EXACT_CELLS / columns.max(1), ..Bounds::of_columns(columns) };
    Ok(BuildOptions {
        columns: options.columns.clone(),
        id: options.id.clone(),
        segments: options.segments.clone(),
        bounds: Some(bounds),
        ..BuildOptions::default()
    })
}

fn profiles(
    reference: &Reference,
    file: &Path,
    options: &Options,
) -> Result<BTreeMap<String, Profile>, Error> {
    let mut read: Vec<String> = reference.plan.columns.iter().map(|column| column.name.clone()).collect();
    read.extend(
        options
            .segments
            .iter()
            .chain(&options.id)
            .filter(|name| !read.contains(name))
            .cloned()
            .collect::<Vec<_>>(),
    );
    let mut profiles = BTreeMap::from([(WHOLE.to_owned(), Profile::new(&reference.plan))]);
    // As in the reference: rows without an id are told apart by the file and their place.
    let source = hash::of_text(&file.display().to_string());
    let mut first_row = 0_u64;
    for rows in millrace_files::open(file, Some(&read))? {
        let rows = rows?;
        let count = rows.num_rows() as u64;
        let ids = match &options.id {
            Some(name) => files::ids(&rows, name),
            None => (first_row..first_row + count).map(|row| hash::of_place(source, row)).collect(),
        };
        Prepared::of(&reference.plan, &rows).add(&reference.plan, &mut profiles, &ids, Rows::All);
        first_row += count;
    }
    Ok(profiles)
}

#[cfg(test)]
mod tests;
