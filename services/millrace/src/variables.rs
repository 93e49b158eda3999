//! `MILLRACE_*` environment variables: one that is misspelt must not be ignored.

use anyhow::{Result, bail};
use clap::Command;
use millrace_runtime::config::KAFKA_PREFIX;
use millrace_topics::{did_you_mean, listed};

const PREFIX: &str = "MILLRACE_";
/// Not flags: the cache that the ONNX Runtime library lies in, and what the compose file and CI read, which may stand in
/// the same shell.
const OTHERS: [&str; 4] = ["MILLRACE_CACHE", "MILLRACE_APP", "MILLRACE_TAG", "MILLRACE_CI_TARGET"];

/// Refuses `names` that begin with `MILLRACE_` and that neither a flag of `command` nor anything else reads.
pub fn check(command: &Command, names: impl Iterator<Item = String>) -> Result<()> {
    let mut known: Vec<String> = OTHERS.map(str::to_owned).to_vec();
    flags(command, &mut known);
    known.sort_unstable();
    known.dedup();
    let is_option = |name: &str| name.strip_prefix(KAFKA_PREFIX).is_some_and(|option| !option.is_empty());
    let unknown = |name: &String| name.starts_with(PREFIX) && !is_option(name) && !known.contains(name);
    let mut unknown: Vec<String> = names.filter(unknown).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    unknown.sort_unstable();
    let lines: Vec<String> = unknown.iter().map(|name| format!("  {name}{}", hint(name, &known))).collect();
    bail!(
        "unknown environment variables:\n{}\nknown are {}, and {KAFKA_PREFIX}<OPTION> for an option of librdkafka",
        lines.join("\n"),
        listed(known.iter().map(String::as_str))
    )
}

/// The variables of all flags.
fn flags(command: &Command, known: &mut Vec<String>) {
    let named = command.get_arguments().filter_map(|flag| flag.get_env()?.to_str());
    known.extend(named.filter(|name| name.starts_with(PREFIX)).map(str::to_owned));
    command.get_subcommands().for_each(|command| flags(command, known));
}

/// What all begin with does not count as alike.
fn hint(name: &str, known: &[String]) -> String {
    let own = |name: &str| name.strip_prefix(PREFIX).unwrap_or_default().to_owned();
    let known: Vec<String> = known.iter().map(|known| own(known)).collect();
    let found = did_you_mean(&own(name), known.iter().map(String::as_str));
    found.replacen('`', &format!("`{PREFIX}"), 1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Cli;

    fn refusal(names: &[&str]) -> Option<String> {
        let names = names.iter().map(|name| (*name).to_owned());
        check(&Cli::command(), names).err().map(|error| error.to_string())
    }

    #[test]
    fn an_unknown_variable_is_refused_with_the_one_that_was_meant() {
        let error = refusal(&["PATH", "MILLRACE_DELIVRY", "MILLRACE_COLOUR", "MILLRACE_KAFKA_"]).unwrap();
        let lines: Vec<&str> = error.lines().collect();
        assert_eq!(
            lines[1..4],
            [
                "  MILLRACE_COLOUR",
                "  MILLRACE_DELIVRY; did you mean `MILLRACE_DELIVERY`?",
                "  MILLRACE_KAFKA_",
            ]
        );
        assert!(lines[4].contains("`MILLRACE_WORKERS`") && lines[4].contains("MILLRACE_KAFKA_<OPTION>"));
        let known =
            ["MILLRACE_TOPICS", "MILLRACE_DELIVERY", "MILLRACE_KAFKA_LINGER_MS", "MILLRACE_CACHE", "HOME"];
        assert_eq!(refusal(&known), None);
    }

    /// Names of variables in the files of a folder of the repository, or in a file.
    fn names_in(path: &Path, names: &mut BTreeSet<String>) {
        if path.is_dir() {
            let entries = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
            entries.for_each(|path| names_in(&path, names));
        } else if let Ok(text) = std::fs::read_to_string(path) {
            let ends = |c: char| !(c.is_ascii_uppercase() || c == '_');
            let found = text.match_indices(PREFIX).map(|(at, _)| text[at..].split(ends).next().unwrap());
            names.extend(found.filter(|name| name.len() > PREFIX.len()).map(str::to_owned));
        }
    }

    #[test]
    fn whatever_the_repository_itself_sets_or_reads_is_known() {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut names = BTreeSet::new();
        let with_variables = [
            ".ci",
            "Dockerfile",
            "Makefile",
            "README.md",
            "docker-compose.yml",
            "load",
            "services",
            "setup",
            "tests",
        ];
        for path in with_variables {
            names_in(&repository.join(path), &mut names);
        }
        // The counter-examples above.
        for wrong in ["MILLRACE_DELIVRY", "MILLRACE_COLOUR", "MILLRACE_KAFKA_"] {
            assert!(names.remove(wrong), "{wrong}");
        }
        assert!(names.len() > 15, "{names:?}");
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(refusal(&names), None);
    }
}
