//! Problems as a person reads them: `fraud/features.toml:7: features.max_skew: what is wrong; what to write instead`.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::{Problem, Topic};

impl Problem {
    /// A problem in `file`, which is named by its folder and its name: `fraud/features.toml`.
    pub fn new(file: &Path, line: Option<usize>, key: Option<&str>, message: impl Into<String>) -> Self {
        Self { file: short(file), line, key: key.map(str::to_owned), message: message.into() }
    }
}

impl Topic {
    /// A problem with a key of this topic's file (`features.max_skew`), at the key's line where the file has it.
    pub fn problem(&self, key: &str, message: impl Into<String>) -> Problem {
        Problem::new(&self.file, self.lines.get(key).copied(), Some(key), message)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(key) = &self.key {
            write!(f, ": {key}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for Problem {}

/// The last two parts of a path.
fn short(path: &Path) -> PathBuf {
    let mut last: Vec<_> = path.components().rev().take(2).collect();
    last.reverse();
    last.iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_reads_as_file_line_key_and_message() {
        let path = Path::new("/srv/topics/fraud/features.toml");
        let full = Problem::new(path, Some(7), Some("features.max_skew"), "\"12x\" is no duration");
        assert_eq!(full.to_string(), "fraud/features.toml:7: features.max_skew: \"12x\" is no duration");
        assert_eq!(
            Problem::new(path, None, None, "unreadable").to_string(),
            "fraud/features.toml: unreadable"
        );
    }
}
