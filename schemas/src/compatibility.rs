//! Whether a changed schema still reads what was written before.
//!
//! A topic keeps records of all its schemas, so a new one must read data of every earlier one (Avro 1.11, "Schema
//! Resolution"; what registries call BACKWARD_TRANSITIVE). Beside `x.avsc` lie the versions before it as `x.v1.avsc`,
//! `x.v2.avsc` and so on, oldest first.

use std::fs;
use std::path::{Path, PathBuf};

use apache_avro::schema::{RecordSchema, Schema};
use apache_avro::schema_compatibility::SchemaCompatibility;

use crate::decode::reads;
use crate::{Error, TopicSchema};

/// One reason why a schema does not read data of an earlier one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incompatibility {
    /// The field of the new schema, where it is one's fault.
    pub field: Option<String>,
    /// What is in the way, and what to do.
    pub message: String,
}

/// A schema file that does not fit an earlier version of itself, or cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryProblem {
    /// The file to mend.
    pub file: PathBuf,
    /// The field at fault, where it is one's.
    pub field: Option<String>,
    /// What is wrong, and what to do.
    pub message: String,
}

/// Everything that keeps rows of the schema `new` from being read from records of `old`; empty: compatible. Fields are
/// matched by name and by the new field's aliases. Fails if one of the texts is no usable schema.
pub fn backward(old: &str, new: &str) -> Result<Vec<Incompatibility>, Error> {
    let topic = TopicSchema::parse(new)?;
    let old_record = record(old, "old")?;
    let new_record = record(new, "new")?;
    let mut found = Vec::new();
    if old_record.name.name != new_record.name.name {
        found.push(Incompatibility {
            field: None,
            message: format!(
                "the record was named `{}` and is named `{}` now, which registries refuse: keep the name",
                old_record.name.name, new_record.name.name
            ),
        });
    }
    for field in &new_record.fields {
        let aliases = field.aliases.iter().flatten();
        let names: Vec<&String> = std::iter::once(&field.name).chain(aliases).collect();
        // A name goes before an alias, as when records are read.
        let before = names.iter().find_map(|name| old_record.fields.iter().find(|old| old.name == **name));
        let message = match before {
            None if field.default.is_none() => Some(
                "records before it lack the field: give it a default, or for a rename the old name as an alias".into(),
            ),
            None => None,
            Some(old) => SchemaCompatibility::can_read(&old.schema, &field.schema).err().map(|_| {
                format!(
                    "it was {} and is {} now, which cannot hold it: go back, or add a field of another name",
                    json(&old.schema),
                    json(&field.schema)
                )
            }),
        };
        found.extend(message.map(|message| Incompatibility { field: Some(field.name.clone()), message }));
    }
    if found.is_empty() {
        // The last word has the decoder that will read the records.
        found.extend(reads(old, &topic).err().map(|message| Incompatibility { field: None, message }));
    }
    Ok(found)
}

/// Every problem of a schema file with its earlier versions: `x.v1.avsc`, `x.v2.avsc`, ... beside `x.avsc`.
pub fn check_history(file: &Path) -> Vec<HistoryProblem> {
    let problem =
        |file: &Path, message: String| HistoryProblem { file: file.to_owned(), field: None, message };
    let new = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(e) => return vec![problem(file, format!("cannot be read: {e}"))],
    };
    if let Err(e) = TopicSchema::parse(&new) {
        return vec![problem(file, e.to_string())];
    }
    let mut problems = Vec::new();
    for (i, (version, path)) in earlier_versions(file).iter().enumerate() {
        if *version != i as u32 + 1 {
            problems.push(problem(
                path,
                format!("version {} is missing before it: number versions from 1", i + 1),
            ));
            break;
        }
        let result = fs::read_to_string(path).map_err(|e| e.to_string());
        match result.and_then(|old| backward(&old, &new).map_err(|e| e.to_string())) {
            Ok(found) => problems.extend(found.into_iter().map(|found| HistoryProblem {
                file: file.to_owned(),
                field: found.field,
                message: format!("does not read data of version {version}: {}", found.message),
            })),
            Err(message) => problems.push(problem(path, message)),
        }
    }
    problems
}

/// The earlier versions of a schema file, by ascending number.
fn earlier_versions(file: &Path) -> Vec<(u32, PathBuf)> {
    let folder = file.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Some(stem) = file.file_stem().and_then(|stem| stem.to_str()) else { return Vec::new() };
    let mut versions: Vec<_> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let version =
                path.file_name()?.to_str()?.strip_prefix(stem)?.strip_prefix(".v")?.strip_suffix(".avsc")?;
            Some((version.parse().ok()?, path))
        })
        .collect();
    versions.sort();
    versions
}

fn record(text: &str, which: &str) -> Result<RecordSchema, Error> {
    match Schema::parse_str(text) {
        Ok(Schema::Record(record)) => Ok(record),
        Ok(_) => Err(Error::Schema(format!("the {which} schema is not a record"))),
        Err(e) => Err(Error::Schema(format!("the {which} schema: {e}"))),
    }
}

fn json(schema: &Schema) -> String {
    serde_json::to_string(schema).unwrap_or_else(|_| format!("{schema:?}"))
}

#[cfg(test)]
mod tests;
