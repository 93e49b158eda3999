//! In a terminal.

use millrace_report::text::{aligned, day_and_minute};

use super::figures::{PHASES, columns, decided, facts, notes, phase, step, window};
use super::known::Known;

/// What is known of an experiment, as lines.
pub fn text(known: &Known<'_>) -> String {
    let parts = [head(known), phases(known), comparisons(known), decisions(known)];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("\n")
}

fn head(known: &Known<'_>) -> String {
    let last = known.last;
    let step = step(last).map_or(String::new(), |step| format!(", step {step}"));
    let mut out = format!(
        "{} ({} on {}): {}, phase {}{step}\n",
        known.name, last.mode, last.topic, last.state, last.phase
    );
    if let Some(status) = known.status {
        out += &format!("  {}: {}\n", window(status), status.detail);
        let facts = facts(status).into_iter();
        out += &aligned(&facts.map(|(name, value)| vec![format!("    {name}"), value]).collect::<Vec<_>>());
    }
    out
}

/// Of several phases each: analyses do not mix them.
fn phases(known: &Known<'_>) -> String {
    if known.phases.len() < 2 {
        return String::new();
    }
    let mut lines = vec![PHASES.map(str::to_owned).to_vec()];
    lines.extend(known.phases.iter().map(|status| phase(status).to_vec()));
    indented(lines)
}

fn comparisons(known: &Known<'_>) -> String {
    if known.comparisons.is_empty() {
        return String::new();
    }
    let (names, figures) = columns(&known.comparisons);
    let mut lines = vec![names];
    for (event, figures) in known.comparisons.iter().zip(figures) {
        lines.push(figures);
        // Of segments only what differs from the whole: the same test serves all.
        if event.segment.is_none() || event.estimate.is_none() {
            lines.extend(notes(event).into_iter().map(|note| vec![format!("  {note}")]));
        }
    }
    indented(lines)
}

fn decisions(known: &Known<'_>) -> String {
    let line = |event: &&millrace_schemas::envelope::ExperimentResult| {
        vec![format!("  {}", day_and_minute(event.time_ms)), decided(event), event.detail.clone()]
    };
    aligned(&known.decisions.iter().map(line).collect::<Vec<_>>())
}

fn indented(mut lines: Vec<Vec<String>>) -> String {
    for line in &mut lines {
        if let Some(first) = line.first_mut() {
            first.insert_str(0, "  ");
        }
    }
    aligned(&lines)
}
