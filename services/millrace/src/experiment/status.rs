//! `millrace experiment status`: what is known of experiments.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use millrace_experiments::report::stream::{Known, html, text};
use millrace_schemas::envelope::ExperimentResult;

use super::log::state_of;
use super::reached::{Reached, draft, warn};
use crate::cli::StatusArgs;
use crate::text::aligned;

/// Prints or writes what is known.
pub fn run(folder: &Path, args: &StatusArgs) -> Result<()> {
    let reached = Reached::new(folder, &args.app, &args.service)?;
    warn(&reached.app);
    let events = reached.results()?;
    let Some(name) = &args.name else {
        let defined = reached.app.definitions.iter().map(|one| one.name.as_str());
        return print(&list(&args.app, defined, &events, args.json));
    };
    let Some(known) = Known::of(&events, name) else {
        draft(&reached.app, name)?;
        bail!("{name} is a draft; `millrace experiment start {} {name}` starts it", args.app);
    };
    if let Some(file) = &args.html {
        std::fs::write(file, html(&known)).with_context(|| file.display().to_string())?;
        println!("{}", file.display());
        return Ok(());
    }
    print(&if args.json { json(&known)? } else { text(&known) })
}

fn print(text: &str) -> Result<()> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        // The reader of a pipe may have seen enough.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// A line per experiment that is defined or was started.
fn list<'a>(
    app: &str,
    defined: impl Iterator<Item = &'a str>,
    events: &'a [ExperimentResult],
    json: bool,
) -> String {
    let mut names: Vec<&str> = defined.collect();
    names.extend(events.iter().map(|event| event.experiment.as_str()));
    names.sort_unstable();
    names.dedup();
    if names.is_empty() && !json {
        return format!(
            "no experiments: a file in topics/{app}/experiments/ defines one, and none was started\n"
        );
    }
    let line = |name: &&str| {
        let state = state_of(events, name).map_or_else(|| "draft".to_owned(), |state| state.to_string());
        let known = Known::of(events, name);
        let detail = known.map(|known| known.status.unwrap_or(known.last).detail.clone()).unwrap_or_default();
        [(*name).to_owned(), state, detail]
    };
    let lines = names.iter().map(line);
    if !json {
        return aligned(&lines.map(Vec::from).collect::<Vec<_>>());
    }
    let object = |[experiment, state, detail]: [String; 3]| {
        format!("{}\n", serde_json::json!({ "experiment": experiment, "state": state, "detail": detail }))
    };
    lines.map(object).collect()
}

fn json(known: &Known<'_>) -> Result<String> {
    let events = known.decisions.iter().chain(&known.comparisons).chain(&known.status);
    let lines: Vec<String> = events.map(serde_json::to_string).collect::<Result<_, _>>()?;
    Ok(lines.join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use millrace_schemas::envelope::ExperimentState;

    use super::*;

    #[test]
    fn experiments_are_listed_with_their_states_and_none_is_said_too() {
        let stopped = ExperimentResult {
            experiment: "old".into(),
            state: ExperimentState::Stopped,
            detail: "stopped by somebody".into(),
            ..Default::default()
        };
        let text = list("fraud", ["new"].into_iter(), std::slice::from_ref(&stopped), false);
        assert_eq!(text, "new  draft\nold  stopped  stopped by somebody\n");
        assert!(list("ranking", [].into_iter(), &[], false).starts_with("no experiments: "));
        assert_eq!(list("ranking", [].into_iter(), &[], true), "");
    }
}
