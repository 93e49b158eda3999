//! Where a topic file's `schema` is found, and whether it still reads what was written before.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use millrace_schemas::{TopicSchema, compatibility, envelope};

/// The folders of an application, in which schema files are looked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Folders<'a> {
    /// The folder of applications.
    pub applications: &'a Path,
    /// The application's own.
    pub application: &'a Path,
}

/// Finds and reads the schema that a topic file names. The errors are messages about the key `schema`.
pub(crate) fn read_schema(folders: Folders<'_>, name: &str) -> Result<Arc<TopicSchema>, Vec<String>> {
    let places = folders.places(name);
    let Some(path) = places.iter().find(|place| place.is_file()) else {
        let built_in = envelope::built_in(name).map(parse);
        return built_in.unwrap_or_else(|| Err(vec![not_found(name, &places)]));
    };
    let avro = read(path).map_err(|message| vec![message])?;
    let schema = parse(&avro)?;
    let broken = history(path);
    let broken: Vec<String> = broken.iter().filter_map(|older| unreadable(older, path, &avro)).collect();
    if broken.is_empty() { Ok(schema) } else { Err(broken) }
}

impl Folders<'_> {
    /// The application's name.
    pub(crate) fn name(&self) -> String {
        self.application.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    fn places(&self, name: &str) -> Vec<PathBuf> {
        let beside = match self.applications.file_name() {
            Some(_) => self.applications.with_file_name("schemas"),
            None => self.applications.join("../schemas"),
        };
        vec![self.application.join(name), beside.join(name), self.applications.join("schemas").join(name)]
    }
}

fn not_found(name: &str, places: &[PathBuf]) -> String {
    let places: Vec<String> = places.iter().map(|place| place.display().to_string()).collect();
    format!(
        "there is no schema `{name}`; looked for {}, and among the schemas that Millrace brings ({})",
        places.join(", "),
        envelope::BUILT_IN.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    )
}

fn parse(avro: impl AsRef<str>) -> Result<Arc<TopicSchema>, Vec<String>> {
    TopicSchema::parse(avro.as_ref()).map(Arc::new).map_err(|error| vec![error.to_string()])
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))
}

/// The versions before `x.avsc`, by ascending number: `x.v1.avsc`, `x.v2.avsc`, ...
fn history(path: &Path) -> Vec<PathBuf> {
    let (Some(folder), Some(stem)) = (path.parent(), path.file_stem().and_then(|stem| stem.to_str())) else {
        return Vec::new();
    };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let number = |path: &Path| -> Option<u32> {
        let name = path.file_name()?.to_str()?;
        name.strip_prefix(stem)?.strip_prefix(".v")?.strip_suffix(".avsc")?.parse().ok()
    };
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut versions: Vec<(u32, PathBuf)> = files.filter_map(|file| Some((number(&file)?, file))).collect();
    versions.sort();
    versions.into_iter().map(|(_, file)| file).collect()
}

/// Why the schema at `path` does not read what was written with `older`.
fn unreadable(older: &Path, path: &Path, avro: &str) -> Option<String> {
    let written = match read(older) {
        Ok(written) => written,
        Err(message) => return Some(message),
    };
    let error = compatibility::check(avro, &written).err()?;
    Some(format!("{} cannot read what was written with {}: {error}", path.display(), older.display()))
}
