//! Two files compared as a window is compared with its reference: the same profiles, the same judgement.

mod told;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use told::{Figure, NotJudged, Told};

use millrace_schemas::envelope::{DriftStatus, Subject};
use millrace_statistics::two_sample::Method;

use crate::files;
use crate::hash;
use crate::judge::{self, About, Inputs, Judgement, Thresholds, against, judge_window};
use crate::profile::{Bounds, Profile, Rows};
use crate::reference::{self, BuildOptions, Reference, Support};
use crate::window::{Prepared, WHOLE, Window};

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
    /// A file of calibrated thresholds; `None`: what practice takes for notable.
    pub thresholds: Option<PathBuf>,
}

/// What two files say.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// The reference.
    pub reference: Reference,
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
    let made = reference::build(&[reference.to_owned()], &build_options(reference, options)?)?;
    let profiles = profiles(&made, current, options)?;
    let rows = made.total(WHOLE).map_or(0, |profile| profile.rows());
    let thresholds = match &options.thresholds {
        Some(file) => {
            let text =
                std::fs::read_to_string(file).map_err(|error| Error::Read { file: file.clone(), error })?;
            Thresholds::from_toml(&file.display().to_string(), &text)?
        }
        None => Thresholds::conventional(&made.plan, &made.segments(), rows, &options.methods),
    };
    let support = made.total(WHOLE).and_then(|profile| Support::of(&profile));
    let window = Window { start_ms: 0, end_ms: 0, number: 0 };
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
        against: &against(&made, None, window),
        current: &profiles,
        thresholds: &thresholds,
        quality: None,
        stream: judge::Stream::default(),
        support: support.as_ref(),
        options: &judge::Options { methods: options.methods.clone(), ..judge::Options::default() },
    });
    Ok(Comparison {
        reference: made,
        current: profiles,
        judgement,
        files: [reference.to_owned(), current.to_owned()],
    })
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
