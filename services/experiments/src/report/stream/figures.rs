//! The figures of events in words.

use millrace_report::text::{day_and_minute, digits, percent, probability, signed, thousands};
use millrace_schemas::envelope::{Deployment, ExperimentResult};

/// The columns of comparisons.
const COLUMNS: [&str; 8] =
    ["metric", "arm", "segment", "difference", "interval", "p", "units", "of the control"];
const SEGMENT: usize = 2;

/// Comparisons in columns: their names, and per comparison its figures. Segments have a column where there are any.
pub fn columns(events: &[&ExperimentResult]) -> (Vec<String>, Vec<Vec<String>>) {
    let segments = events.iter().any(|event| event.segment.is_some());
    let shown = |cells: [String; 8]| {
        let shown = cells.into_iter().enumerate().filter(|(at, _)| segments || *at != SEGMENT);
        shown.map(|(_, cell)| cell).collect()
    };
    (shown(COLUMNS.map(str::to_owned)), events.iter().map(|event| shown(cells(event))).collect())
}

fn cells(event: &ExperimentResult) -> [String; 8] {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    [
        text(&event.metric),
        text(&event.arm),
        text(&event.segment),
        event.estimate.map_or_else(dash, signed),
        interval(event.low, event.high),
        event.p_value.map_or_else(dash, probability),
        count(event.units),
        count(event.control_units),
    ]
}

/// What stands beside a comparison: what it is for and says, how it was tested; the same looked at once and without the
/// covariate. One sentence each.
pub fn notes(event: &ExperimentResult) -> Vec<String> {
    if event.estimate.is_none() {
        return vec![event.detail.clone()];
    }
    let first: Vec<String> =
        [purpose(event), method(event), means(event), wins(event)].into_iter().flatten().collect();
    let second: Vec<String> = [once(event), raw(event), burn_in(event)].into_iter().flatten().collect();
    let lines = [first, second].into_iter().filter(|parts| !parts.is_empty());
    lines.map(|parts| parts.join("; ")).collect()
}

/// `guardrail, bound 0.01: good`.
fn purpose(event: &ExperimentResult) -> Option<String> {
    let role = event.role.as_ref()?;
    let bound = number(event, "bound").map_or(String::new(), |bound| format!(", bound {}", digits(bound, 3)));
    let standing = event.standing.as_ref().map_or(String::new(), |standing| format!(": {standing}"));
    Some(format!("{role}{bound}{standing}"))
}

fn method(event: &ExperimentResult) -> Option<String> {
    let method = match event.method.as_deref()? {
        "confidence_sequence" => "confidence sequence, valid at any time",
        "msprt" => "mSPRT, valid at any time",
        "sign_sequence" => "sign sequence, valid at any time",
        "delong" => "DeLong; units are labelled positives",
        "paired" => "paired; units are rows",
        "newcombe" => "Newcombe; units are requests",
        "welch" => "Welch",
        other => other,
    };
    Some(method.to_owned())
}

fn means(event: &ExperimentResult) -> Option<String> {
    let (arm, control) = (number(event, "arm_mean")?, number(event, "control_mean")?);
    Some(format!("{} against {}", digits(arm, 4), digits(control, 4)))
}

fn wins(event: &ExperimentResult) -> Option<String> {
    let of = |name: &str| number(event, name).map(whole);
    let (wins, losses, ties) = (of("wins")?, of("losses")?, of("ties")?);
    Some(format!("{wins} won, {losses} lost, {ties} even"))
}

fn once(event: &ExperimentResult) -> Option<String> {
    let p = format!("p {}", probability(number(event, "fixed_p_value")?));
    let ends = [number(event, "fixed_low"), number(event, "fixed_high")];
    Some(match ends {
        [Some(low), Some(high)] => format!("looked at once {}, {p}", interval(Some(low), Some(high))),
        _ => format!("looked at once {p}"),
    })
}

fn raw(event: &ExperimentResult) -> Option<String> {
    let text = format!(
        "without the covariate {} ({}), p {}",
        signed(number(event, "raw_estimate")?),
        interval(number(event, "raw_low"), number(event, "raw_high")),
        probability(number(event, "raw_p_value")?)
    );
    let less = number(event, "variance_reduction")
        .map(|less| format!("; it takes away {} of the variance", percent(less)));
    Some(text + &less.unwrap_or_default())
}

/// Before the burn-in the sequence has no interval yet.
fn burn_in(event: &ExperimentResult) -> Option<String> {
    let early = event.values.contains_key("running_p_value") && number(event, "running_low").is_none();
    early.then(|| "within the burn-in: it counts for nothing yet".to_owned())
}

/// What a status says of units, rows and lists, by name.
pub fn facts(status: &ExperimentResult) -> Vec<(&'static str, String)> {
    let of = |name: &str| number(status, name);
    let mut facts = Vec::new();
    facts.extend(units(status));
    facts.extend(ratio(status).map(|text| ("sample ratio", text)));
    facts.extend(of("rows").map(|rows| ("rows", whole(rows))));
    facts.extend(of("scored_rows").map(|rows| ("rows that both versions scored", whole(rows))));
    if let (Some(seen), Some(closed)) = (of("outcomes"), of("closed_rows")) {
        facts.push(("outcomes seen", format!("{} of rows whose horizon is over", share(seen, closed))));
    }
    if let (Some(ended), Some(lists)) = (of("ended_lists"), of("lists")) {
        facts.push(("outcomes seen", format!("{} of lists", share(ended, lists))));
    }
    facts
}

/// Of experiments that are judged by units.
fn units(status: &ExperimentResult) -> Vec<(&'static str, String)> {
    let of = |name: &str| number(status, name).unwrap_or(0.0);
    let [mature, immature, mixed] = ["mature_units", "immature_units", "mixed_units"].map(of);
    let in_one = mature + immature;
    if in_one + mixed == 0.0 {
        return Vec::new();
    }
    vec![
        ("units concluded from", share(mature, in_one)),
        ("units that may still change", whole(immature)),
        ("units in two arms, left out", share(mixed, in_one + mixed)),
    ]
}

/// The columns of phases.
pub const PHASES: [&str; 7] =
    ["phase", "from", "until", "concluded from", "may change", "in two arms", "sample ratio"];

/// The figures of a phase, by column.
pub fn phase(status: &ExperimentResult) -> [String; 7] {
    let of = |name: &str| number(status, name).map_or_else(dash, whole);
    [
        status.phase.to_string(),
        day_and_minute(status.window_start_ms),
        day_and_minute(status.window_end_ms),
        of("mature_units"),
        of("immature_units"),
        of("mixed_units"),
        ratio(status).unwrap_or_else(dash),
    ]
}

fn ratio(status: &ExperimentResult) -> Option<String> {
    let (once, running) =
        (number(status, "sample_ratio_p_value")?, number(status, "sample_ratio_running_p_value")?);
    Some(format!("p {} looked at once, {} at any time", probability(once), probability(running)))
}

/// The step of a canary, counted from 1 as its sentences do.
pub fn step(event: &ExperimentResult) -> Option<i32> {
    (event.mode == Deployment::CANARY).then_some(event.step + 1)
}

/// What is counted: `2018-04-01 00:00 to 2018-04-08 00:00`.
pub fn window(event: &ExperimentResult) -> String {
    format!("{} to {}", day_and_minute(event.window_start_ms), day_and_minute(event.window_end_ms))
}

/// What a decision was, or that a command was refused.
pub fn decided(event: &ExperimentResult) -> String {
    event.decision.map_or_else(|| "refused".to_owned(), |decided| decided.to_string())
}

fn number(event: &ExperimentResult, name: &str) -> Option<f64> {
    event.values.get(name).copied().flatten()
}

fn interval(low: Option<f64>, high: Option<f64>) -> String {
    match (low, high) {
        (Some(low), Some(high)) => format!("{} to {}", signed(low), signed(high)),
        _ => dash(),
    }
}

fn count(count: i64) -> String {
    thousands(count.unsigned_abs())
}

/// `812 (81.2 %)`.
fn share(part: f64, all: f64) -> String {
    if all > 0.0 { format!("{} ({})", whole(part), percent(part / all)) } else { whole(part) }
}

/// A count that travelled as a number.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn whole(count: f64) -> String {
    thousands(count.max(0.0) as u64)
}

fn dash() -> String {
    "-".to_owned()
}
