//! The table of false alarms and delays, as Markdown.

use std::fmt::Write as _;

use millrace_statistics::detectors::{Error, Input, NAMES, Parameters};

use super::streams::kinds;
use super::trial::{Delay, Trial, Watcher, trial};

const HEAD: &str = "| detector | stream | false alarms per 10,000 rows | change | mean delay, rows | missed | change \
     | mean delay, rows | missed |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n";

/// Default parameters on every kind of stream that suits the detector, beside the baseline.
///
/// # Errors
/// None, unless a default parameter is out of its range.
pub fn table(seeds: u64, only: &[String]) -> Result<String, Error> {
    let mut text = HEAD.to_owned();
    let chosen = |name: &str| only.is_empty() || only.iter().any(|wanted| wanted == name);
    for name in NAMES.into_iter().filter(|name| chosen(name)) {
        let parameters = Parameters::calibrated(name)?;
        text += &rows(name, Watcher::Detector(parameters), parameters.input(), seeds)?;
    }
    Ok(text + &rows("always", Watcher::Always, Input::Finite, seeds.min(1))?)
}

pub fn rows(name: &str, watcher: Watcher, input: Input, seeds: u64) -> Result<String, Error> {
    let mut text = String::new();
    for kind in kinds().iter().filter(|kind| kind.suits(input)) {
        let found = trial(watcher, kind, seeds)?;
        let _ = write!(text, "| {name} | {} | {} |", kind.name, per_10_000(&found));
        for ((change, _), delay) in kind.changes.iter().zip(found.delays) {
            let _ = write!(text, " {change} | {} | {} |", mean(delay), missed(delay));
        }
        text.push('\n');
    }
    Ok(text)
}

fn per_10_000(trial: &Trial) -> String {
    format!("{:.3}", trial.false_alarms as f64 * 1e4 / trial.rows.max(1) as f64)
}

fn mean(delay: Delay) -> String {
    if delay.found == 0 { "-".to_owned() } else { format!("{:.0}", delay.rows as f64 / delay.found as f64) }
}

fn missed(delay: Delay) -> String {
    format!("{:.1} %", delay.missed as f64 * 100.0 / (delay.found + delay.missed).max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_shares_of_what_was_tried() {
        let delay = Delay { found: 3, missed: 1, rows: 40 };
        assert_eq!((mean(delay).as_str(), missed(delay).as_str()), ("13", "25.0 %"));
        assert_eq!(mean(Delay { found: 0, missed: 4, rows: 0 }), "-");
        assert_eq!(per_10_000(&Trial { false_alarms: 3, rows: 2_000_000, ..Trial::default() }), "0.015");
    }

    #[test]
    fn the_baseline_closes_the_table() {
        let text = table(1, &["eddm".to_owned()]).unwrap();
        assert!(text.contains("| eddm | errors 20 % |"));
        assert!(text.contains("| always | gaussian | 10000.000 | mean + 0.5 sd | 0 | 0.0 % |"));
        assert!(!text.contains("| adwin"));
    }
}
