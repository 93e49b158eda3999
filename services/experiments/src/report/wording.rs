//! Conclusions and figures in words.

pub use millrace_report::text::signed;
use millrace_report::text::{digits, percent};

use crate::analysis::{Metric, Tested};
use crate::files::Report;
use crate::files::report::{Comparison, Conclusion};

/// What is concluded of an arm: `higher than the control`.
pub fn conclusion(conclusion: Conclusion) -> &'static str {
    match conclusion {
        Conclusion::Higher => "higher than the control",
        Conclusion::Lower => "lower than the control",
        Conclusion::NotSeen => "no difference is seen",
        Conclusion::None => "nothing is concluded",
    }
}

/// The metric's value: a rate as percent, else a number of four digits.
pub fn value(kind: Metric, value: f64) -> String {
    if kind == Metric::Conversion { percent(value) } else { digits(value, 4) }
}

/// An interval.
pub fn interval(tested: &Tested) -> String {
    format!("{} to {}", signed(tested.low), signed(tested.high))
}

/// The same of a relative difference, in percent.
pub fn relative_interval(tested: &Tested) -> String {
    format!("{} to {} %", signed(100.0 * tested.low), signed(100.0 * tested.high))
}

/// One sentence on an arm: `b is higher than the control: +0.31 (+0.25 to +0.37), relatively +30.2 % (+24 to +36 %)`.
pub fn sentence(comparison: &Comparison) -> String {
    let said = match comparison.conclusion {
        Conclusion::Higher | Conclusion::Lower => format!("is {}", conclusion(comparison.conclusion)),
        _ => conclusion(comparison.conclusion).to_owned(),
    };
    let separator = if said.starts_with("is ") { " " } else { ": " };
    let Some(tests) = comparison.primary() else { return format!("{}{separator}{said}", comparison.arm) };
    let welch = &tests.welch;
    let mut text =
        format!("{}{separator}{said}, {} ({})", comparison.arm, signed(welch.difference), interval(welch));
    if let Some(relative) = comparison.relative() {
        let (by, within) = (signed(100.0 * relative.welch.difference), relative_interval(&relative.welch));
        text += &format!(", relatively {by} % ({within})");
    }
    text
}

/// One sentence on the whole.
pub fn verdict(report: &Report) -> String {
    if !report.stopped.is_empty() {
        return format!("Nothing may be concluded: {}.", report.stopped.join("; "));
    }
    let sentences: Vec<String> = report.comparisons.iter().map(sentence).collect();
    format!("{}.", sentences.join("; "))
}
