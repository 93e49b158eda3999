//! What became of the rows of a backfill.

use std::fmt;
use std::path::{Path, PathBuf};

use super::chain::Taken;
use super::file::SourceFile;

/// Rows in, rows out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Rows that the files held.
    pub rows_in: u64,
    /// Rows written.
    pub rows_out: u64,
    /// Rows that the view's own SQL does not emit.
    pub filtered: u64,
    /// Rows written that came too late to count.
    pub late: u64,
    /// Rows refused, by file and reason.
    pub rejected: Vec<RejectedRows>,
}

/// Rows of a file that were refused for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedRows {
    /// The file.
    pub file: PathBuf,
    /// The class of the fault, as dead letters name it.
    pub reason: &'static str,
    /// How many.
    pub rows: u64,
    /// The first of them, from 0.
    pub first_row: u64,
    /// What is wrong with that one.
    pub detail: String,
}

impl fmt::Display for RejectedRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = if self.rows == 1 { "row" } else { "rows" };
        let Self { reason, rows: count, first_row, detail, .. } = self;
        write!(
            f,
            "{}: {count} {rows} rejected ({reason}), the first is row {first_row}: {detail}",
            self.file.display()
        )
    }
}

/// A report in the making.
#[derive(Default)]
pub(super) struct Counting {
    report: Report,
}

impl Counting {
    /// Counts a row that a file should not hold.
    pub(super) fn reject(&mut self, file: &Path, reason: &'static str, row: u64, detail: &str) {
        let known =
            self.report.rejected.iter_mut().find(|known| known.file == file && known.reason == reason);
        match known {
            Some(known) => {
                known.rows += 1;
                if row < known.first_row {
                    known.first_row = row;
                    detail.clone_into(&mut known.detail);
                }
            }
            None => self.report.rejected.push(RejectedRows {
                file: file.to_owned(),
                reason,
                rows: 1,
                first_row: row,
                detail: detail.to_owned(),
            }),
        }
    }

    /// Counts what a chunk became.
    pub(super) fn count(&mut self, files: &[SourceFile], order: &[(usize, usize)], taken: &Taken) {
        self.report.rows_out += taken.rows.num_rows() as u64;
        self.report.late += taken.late;
        for rejected in &taken.rejected {
            let Some((input, row)) = order.get(rejected.cause as usize) else { continue };
            let file = &files[*input];
            self.reject(file.path(), rejected.reason, file.row_number(*row), &rejected.detail);
        }
    }

    pub(super) fn report(mut self, rows_in: u64) -> Report {
        let rejected: u64 = self.report.rejected.iter().map(|rejected| rejected.rows).sum();
        self.report.rows_in = rows_in;
        self.report.filtered = rows_in.saturating_sub(self.report.rows_out + rejected);
        self.report
    }
}
