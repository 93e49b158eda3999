//! A copy of an application under a name of its own, so that tests share servers and do not meet.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::reaper;

/// An application in a temporary folder, laid out as the repository is: `topics/<name>/` beside `schemas/`.
pub struct Application {
    name: String,
    root: TempDir,
    topics: PathBuf,
}

impl Application {
    /// Copies `topics/<app>` of this repository, as `<app>_<unique>`.
    pub fn copy(app: &str) -> Result<Self> {
        let application = Self::empty(app)?;
        copy_folder(&repository().join("topics").join(app), &application.folder())?;
        copy_schemas(&repository().join("schemas"), &application.root.path().join("schemas"))?;
        Ok(application)
    }

    /// An application without files, `<name>_<unique>`.
    pub fn empty(name: &str) -> Result<Self> {
        let root = reaper::temporary_folder()?;
        let topics = root.path().join("topics");
        let application = Self { name: format!("{name}_{}", unique()), root, topics };
        std::fs::create_dir_all(application.folder())?;
        Ok(application)
    }

    /// Its unique name; topics are `<name>.<stem>`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The Kafka name of a topic.
    pub fn topic(&self, stem: &str) -> String {
        format!("{}.{stem}", self.name)
    }

    /// What `--topics` is to be.
    pub fn topics(&self) -> &Path {
        &self.topics
    }

    /// The folder of its topic files.
    pub fn folder(&self) -> PathBuf {
        self.topics.join(&self.name)
    }

    /// Writes one of its files.
    pub fn write(&self, file: &str, text: &str) -> Result<()> {
        let path = self.folder().join(file);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(&path, text).with_context(|| path.display().to_string())
    }

    /// Replaces a piece of text that one of its files must hold.
    pub fn replace(&self, file: &str, from: &str, to: &str) -> Result<()> {
        let path = self.folder().join(file);
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        anyhow::ensure!(text.contains(from), "{} does not say {from:?}", path.display());
        std::fs::write(&path, text.replace(from, to))?;
        Ok(())
    }
}

/// The root of the repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_path_buf()
}

/// Text that no other test, of this run or another against the same servers, has.
fn unique() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_nanos());
    format!("{:x}{:x}", nanos & 0xffff_ffff_ffff, NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Copies the schema files of a folder and its folders.
fn copy_schemas(from: &Path, to: &Path) -> Result<()> {
    for entry in std::fs::read_dir(from).with_context(|| from.display().to_string())? {
        let path = entry?.path();
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy_schemas(&path, &target)?;
        } else if path.extension().is_some_and(|extension| extension == "avsc") {
            std::fs::create_dir_all(to)?;
            std::fs::copy(&path, target)?;
        }
    }
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from).with_context(|| from.display().to_string())? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
