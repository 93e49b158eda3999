//! The model repository: `<root>/<model>/<version>/` with `model.toml` and `model.onnx`.

use std::path::{Path, PathBuf};

use millrace_topics::ModelRef;
use sha2::{Digest, Sha256};

use crate::{Error, ModelFile};

/// What the repository holds of one model version.
pub struct StoredModel {
    /// The version.
    pub reference: ModelRef,
    /// Its `model.toml`.
    pub file: ModelFile,
    /// Its `model.onnx`, as long as the checksum says.
    pub onnx: Vec<u8>,
}

/// The folder of an application that is its model repository.
pub const MODELS: &str = "models";

/// Reads one version from the repository at `root`. Everything that is ever read of it comes through here.
pub fn read(root: &Path, reference: &ModelRef) -> Result<StoredModel, Error> {
    let folder = root.join(&reference.model).join(&reference.version);
    let path = folder.join("model.toml");
    let text = String::from_utf8(bytes(&path)?)
        .map_err(|_| Error::ModelFile { file: path.clone(), message: "it is not UTF-8".into() })?;
    let file = ModelFile::parse(&path, &text)?;
    let onnx = bytes(&folder.join("model.onnx"))?;
    let sha256 = hexadecimal(&Sha256::digest(&onnx));
    if sha256 != file.sha256 {
        let message = format!(
            "sha256: it says {}, but model.onnx has {sha256}; copy the model again, or correct the key if the file is \
             the one you mean",
            file.sha256
        );
        return Err(Error::ModelFile { file: path, message });
    }
    Ok(StoredModel { reference: reference.clone(), file, onnx })
}

/// The versions of a model that the repository has, those of greater numbers last.
pub fn versions(root: &Path, model: &str) -> Vec<String> {
    let entries = std::fs::read_dir(root.join(model)).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.path().join("model.toml").is_file());
    let mut versions: Vec<String> =
        folders.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    versions.sort_by_key(|version| (version.len(), version.clone()));
    versions
}

fn bytes(path: &PathBuf) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|source| Error::Read { file: path.clone(), source })
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn models() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/models")
    }

    fn version(model: &str) -> ModelRef {
        ModelRef { model: model.into(), version: "1".into() }
    }

    #[test]
    fn a_model_is_read_with_its_file() {
        let stored = read(&models(), &version("logistic")).unwrap();
        assert_eq!(stored.file.input_names().collect::<Vec<_>>(), ["amount", "night", "customer_tx_1d"]);
        assert!(!stored.onnx.is_empty());
    }

    #[test]
    fn a_model_that_is_not_there_is_an_error_that_names_the_file() {
        let error = read(&models(), &version("nothing")).err().unwrap().to_string();
        assert!(error.contains("nothing/1/model.toml"), "{error}");
    }

    #[test]
    fn a_changed_model_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("logistic/1");
        std::fs::create_dir_all(&folder).unwrap();
        for name in ["model.toml", "model.onnx"] {
            std::fs::copy(models().join("logistic/1").join(name), folder.join(name)).unwrap();
        }
        assert!(read(root.path(), &version("logistic")).is_ok());
        let mut onnx = std::fs::read(folder.join("model.onnx")).unwrap();
        onnx[20] ^= 1;
        std::fs::write(folder.join("model.onnx"), onnx).unwrap();
        let error = read(root.path(), &version("logistic")).err().unwrap().to_string();
        assert!(error.contains("model.toml: sha256"), "{error}");
    }
}
