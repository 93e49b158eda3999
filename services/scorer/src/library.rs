//! Where the ONNX Runtime library is.

use std::path::{Path, PathBuf};

use crate::Error;

/// The version that scores were tested with, and that the set-up fetches.
pub const VERSION: &str = "1.31.1";

/// Where a package manager or an administrator would put it.
const SYSTEM: [&str; 6] = [
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/local/lib",
    "/usr/lib64",
    "/usr/lib",
    "/opt/homebrew/lib",
];

/// Finds the library: the file that `ORT_DYLIB_PATH` names, else one of [`VERSION`] in the project's cache
/// (`$MILLRACE_CACHE/onnxruntime/<version>/`, by default under `~/.cache/millrace`), else one of that version in a
/// system folder.
pub fn find() -> Result<PathBuf, Error> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = variable("MILLRACE_CACHE").or_else(|| Some(variable("HOME")?.join(".cache/millrace")));
    let system: Vec<PathBuf> = SYSTEM.iter().map(PathBuf::from).collect();
    find_in(variable("ORT_DYLIB_PATH"), cache, &system)
}

fn find_in(named: Option<PathBuf>, cache: Option<PathBuf>, system: &[PathBuf]) -> Result<PathBuf, Error> {
    if let Some(file) = named {
        return if file.is_file() {
            Ok(file)
        } else {
            Err(Error::Library(format!(
                "ORT_DYLIB_PATH names no file: {}; set it to the ONNX Runtime library itself, or unset it and run \
                 `make setup`",
                file.display()
            )))
        };
    }
    let cached = cache.map(|cache| cache.join("onnxruntime").join(VERSION));
    let found = cached.iter().chain(system).find_map(|folder| library_in(folder));
    found.ok_or_else(|| {
        let cached = cached.map(|folder| format!("{} or ", folder.display())).unwrap_or_default();
        Error::Library(format!(
            "the ONNX Runtime library, version {VERSION}, is not in {cached}a system folder; run `make setup`, which \
             fetches it, or set ORT_DYLIB_PATH to it"
        ))
    })
}

/// The library of the pinned version in a folder: by its versioned name, since a plain `libonnxruntime.so` in a system
/// folder may be of any version; in the cache both are there.
fn library_in(folder: &Path) -> Option<PathBuf> {
    let names = [format!("libonnxruntime.so.{VERSION}"), format!("libonnxruntime.{VERSION}.dylib")];
    names.iter().map(|name| folder.join(name)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(folder: &Path, name: &str) -> PathBuf {
        std::fs::create_dir_all(folder).unwrap();
        let file = folder.join(name);
        std::fs::write(&file, "").unwrap();
        file
    }

    #[test]
    fn the_named_file_goes_before_the_cache_and_that_before_the_system() {
        let root = tempfile::tempdir().unwrap();
        let (cache, system) = (root.path().join("cache"), root.path().join("lib"));
        let find = |named: Option<&Path>| {
            find_in(named.map(Path::to_owned), Some(cache.clone()), std::slice::from_ref(&system))
        };
        let nowhere = find(None).unwrap_err().to_string();
        assert!(nowhere.contains("make setup") && nowhere.contains("ORT_DYLIB_PATH"), "{nowhere}");
        assert!(nowhere.contains(&cache.join("onnxruntime/1.31.1").display().to_string()), "{nowhere}");
        put(&system, "libonnxruntime.so");
        assert!(find(None).is_err(), "a library of any version was taken");
        let of_system = put(&system, "libonnxruntime.so.1.31.1");
        assert_eq!(find(None).unwrap(), of_system);
        let cached = put(&cache.join("onnxruntime/1.31.1"), "libonnxruntime.so.1.31.1");
        assert_eq!(find(None).unwrap(), cached);
        let named = put(root.path(), "mine.so");
        assert_eq!(find(Some(&named)).unwrap(), named);
    }

    #[test]
    fn a_named_file_that_is_not_there_is_an_error_even_if_another_is() {
        let root = tempfile::tempdir().unwrap();
        put(root.path(), "libonnxruntime.so.1.31.1");
        let error = find_in(Some(root.path().join("gone.so")), None, &[root.path().to_owned()]).unwrap_err();
        assert!(error.to_string().contains("gone.so"), "{error}");
    }
}
