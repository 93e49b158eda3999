//! Where `make setup-test` puts what tests need.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// `MILLRACE_CACHE`, by default `~/.cache/millrace`.
pub fn folder() -> Result<PathBuf> {
    if let Some(folder) = std::env::var_os("MILLRACE_CACHE") {
        return Ok(folder.into());
    }
    let home = std::env::var_os("HOME").context("neither MILLRACE_CACHE nor HOME is set")?;
    Ok(Path::new(&home).join(".cache/millrace"))
}

/// A file or folder of the cache. An error says how to get it.
pub fn path(relative: &str) -> Result<PathBuf> {
    let path = folder()?.join(relative);
    ensure!(path.exists(), "{} is missing: run `make setup-test`", path.display());
    Ok(path)
}
