//! `millrace experiment status`: what is known of experiments.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use millrace_schemas::envelope::{ExperimentResult, ResultKind};

use super::page;
use super::said::{Reached, state_of, word};
use crate::cli::StatusArgs;
use crate::text::day_and_minute;

/// What is known of one experiment: since its last start.
pub struct Known<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its last event.
    pub last: &'a ExperimentResult,
    /// The comparisons of the last window that has any.
    pub comparisons: Vec<&'a ExperimentResult>,
    /// The status after it.
    pub status: Option<&'a ExperimentResult>,
    /// Every decision, in order.
    pub decisions: Vec<&'a ExperimentResult>,
    /// Comparisons of every window, in order.
    pub history: Vec<&'a ExperimentResult>,
}

impl<'a> Known<'a> {
    /// None where nothing was ever said of it.
    pub fn of(events: &'a [ExperimentResult], name: &'a str) -> Option<Self> {
        let all: Vec<&ExperimentResult> = events.iter().filter(|event| event.experiment == name).collect();
        let started =
            |event: &&ExperimentResult| event.decision == Some(millrace_schemas::envelope::Decided::Start);
        let from = all.iter().rposition(started).unwrap_or(0);
        let all = &all[from..];
        let last = *all.last()?;
        let of = |kind: ResultKind| all.iter().copied().filter(move |event| event.kind == kind);
        let history: Vec<&ExperimentResult> = of(ResultKind::Comparison).collect();
        let end_ms = history.iter().map(|event| event.window_end_ms).max();
        let comparisons =
            history.iter().copied().filter(|event| Some(event.window_end_ms) == end_ms).collect();
        let (status, decisions) = (of(ResultKind::Status).next_back(), of(ResultKind::Decision).collect());
        Some(Self { name, last, comparisons, status, decisions, history })
    }
}

/// Prints or writes what is known.
pub fn run(folder: &Path, args: &StatusArgs) -> Result<()> {
    let reached = Reached::new(folder, &args.app, &args.service)?;
    let events = reached.results()?;
    let Some(name) = &args.name else { return list(&reached, &events, args.json) };
    let Some(known) = Known::of(&events, name) else {
        match reached.app.definitions.iter().any(|one| one.name == *name) {
            true => bail!("{name} is a draft; `millrace experiment start {} {name}` starts it", args.app),
            false => {
                bail!("there is no experiment `{name}`; `millrace experiment status {}` lists all", args.app)
            }
        }
    };
    if let Some(file) = &args.html {
        std::fs::write(file, page::html(&known)).with_context(|| file.display().to_string())?;
        println!("{}", file.display());
        return Ok(());
    }
    let mut out = std::io::stdout().lock();
    let text = if args.json { json(&known)? } else { table(&known) };
    // The reader of a pipe may have seen enough.
    let _ = out.write_all(text.as_bytes());
    Ok(())
}

fn list(reached: &Reached, events: &[ExperimentResult], json: bool) -> Result<()> {
    let mut names: Vec<&str> = reached.app.definitions.iter().map(|one| one.name.as_str()).collect();
    names.extend(events.iter().map(|event| event.experiment.as_str()));
    names.sort_unstable();
    names.dedup();
    for name in names {
        let state = state_of(events, name).map_or_else(|| "draft".to_owned(), word);
        let detail = Known::of(events, name).map(|known| known.last.detail.clone()).unwrap_or_default();
        match json {
            true => {
                println!("{}", serde_json::json!({ "experiment": name, "state": state, "detail": detail }))
            }
            false => println!("{name:24}  {state:8}  {detail}"),
        }
    }
    Ok(())
}

fn json(known: &Known<'_>) -> Result<String> {
    let events = known.decisions.iter().chain(&known.comparisons).chain(&known.status);
    let lines: Vec<String> = events.map(serde_json::to_string).collect::<Result<_, _>>()?;
    Ok(lines.join("\n") + "\n")
}

fn table(known: &Known<'_>) -> String {
    let last = known.last;
    let mut lines = vec![format!(
        "{} ({} on {}): {}, phase {}, step {}",
        known.name,
        last.mode,
        last.topic,
        word(last.state),
        last.phase + 1,
        last.step + 1
    )];
    if let Some(status) = known.status {
        lines.push(format!("  until {}: {}", day_and_minute(status.window_end_ms), status.detail));
    }
    if !known.comparisons.is_empty() {
        lines.push(format!(
            "\n  {:18} {:12} {:22} {:>10} {:>24} {:>9} {:>9}",
            "metric", "arm", "segment", "difference", "interval", "p", "units"
        ));
    }
    for event in &known.comparisons {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.5}"));
        let interval = match (event.low, event.high) {
            (Some(low), Some(high)) => format!("{low:.5} to {high:.5}"),
            _ => "-".to_owned(),
        };
        let p_value = event.p_value.map_or_else(|| "-".to_owned(), |p| format!("{p:.1e}"));
        lines.push(format!(
            "  {:18} {:12} {:22} {:>10} {interval:>24} {p_value:>9} {:>9}",
            text(&event.metric),
            text(&event.arm),
            text(&event.segment),
            number(event.estimate),
            event.units
        ));
    }
    if !known.decisions.is_empty() {
        lines.push(String::new());
    }
    for event in &known.decisions {
        let decided = event.decision.map(|decided| format!("{decided:?}").to_lowercase()).unwrap_or_default();
        lines.push(format!("  {}  {decided:8}  {}", day_and_minute(event.time_ms), event.detail));
    }
    lines.join("\n") + "\n"
}
