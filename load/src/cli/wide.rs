//! `millrace-load wide`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use millrace_load::wide::{self, Size};

#[derive(Debug, Args)]
pub struct Wide {
    /// Rows of the window.
    #[arg(long, default_value_t = 3_000_000, value_name = "N")]
    rows: u64,
    /// Columns.
    #[arg(long, default_value_t = 1_000, value_name = "N")]
    columns: usize,
    /// Rows of the reference.
    #[arg(long, default_value_t = 50_000, value_name = "N")]
    reference_rows: u64,
    /// Columns that are larger by a fifth in the window.
    #[arg(long, default_value_t = 10, value_name = "N")]
    moved: usize,
    /// Where the reference's training data is written for a while, 8 bytes a row and column.
    #[arg(long, default_value = ".", value_name = "DIR")]
    dir: PathBuf,
}

pub fn run(args: &Wide) -> Result<()> {
    let Wide { rows, columns, reference_rows, moved, .. } = *args;
    print!("{}", wide::run(Size { rows, reference_rows, columns, moved }, &args.dir)?);
    Ok(())
}
