//! How the default parameters were found.

use std::fmt::Write as _;

use millrace_statistics::detectors::{Error, Input, NAMES, Parameters, calibrate};

use super::streams::{Kind, ROWS, kinds};

/// Seeds that the table does not use.
const FIRST_SEED: u64 = 1_000_000;

/// Detectors start anew in each short stream; what long running adds shows in streams so many times as long.
const LONG: usize = 10;

/// Per detector the parameters, calibrated to one false alarm in `rows_per_alarm` rows of every kind of stream that
/// defaults are calibrated on, in streams of 10,000 rows and of 100,000, as Markdown.
///
/// # Errors
/// Too few seeds to tell, or a detector that alarms too often however strict.
pub fn calibrated(seeds: u64, rows_per_alarm: u64, only: &[String]) -> Result<String, Error> {
    let mut text = "| detector | parameters |\n| --- | --- |\n".to_owned();
    let chosen = |name: &str| only.is_empty() || only.iter().any(|wanted| wanted == name);
    for name in NAMES.into_iter().filter(|name| chosen(name)) {
        let base = Parameters::calibrated(name)?;
        let entries = calibrate(base, &groups(base.input(), seeds), rows_per_alarm)?.entries();
        let listed: Vec<String> = entries.iter().map(|(name, value)| format!("{name} {value}")).collect();
        let _ = writeln!(text, "| {name} | {} |", listed.join(", "));
    }
    Ok(text)
}

/// Of each kind of stream, as many rows in short streams as in long ones.
pub fn groups(input: Input, seeds: u64) -> Vec<Vec<Vec<f64>>> {
    let suiting = kinds().into_iter().filter(|kind| kind.calibrated && kind.suits(input));
    let lengths = |kind: Kind| {
        [(1, seeds), (LONG, seeds / LONG as u64)].map(|(times, seeds)| {
            (FIRST_SEED..FIRST_SEED + seeds).map(|seed| kind.stationary(times * ROWS, seed)).collect()
        })
    };
    suiting.flat_map(lengths).collect()
}
