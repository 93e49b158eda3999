//! What is concluded, and why.

use millrace_report::text;

use super::options::Options;
use super::report::{Answer, Comparison, Conclusion, SampleRatio};
use super::rows::Units;

/// Why nothing may be concluded.
pub(super) fn stopped(units: &Units, ratio: &SampleRatio, options: &Options) -> Vec<String> {
    let mut reasons = Vec::new();
    let all = units.count();
    if units.mixed as f64 > options.max_mixed_share * all as f64 {
        reasons.push(format!(
            "{} of {all} units are in two arms, above {}",
            units.mixed, options.max_mixed_share
        ));
    }
    let sequential = ratio.always_valid_p_value.filter(|p| *p < options.sample_ratio_alpha);
    if ratio.p_value < options.sample_ratio_alpha || sequential.is_some() {
        let p = sequential.unwrap_or(ratio.p_value).min(ratio.p_value);
        reasons.push(format!("the arms do not have their shares of units (p = {p:.2e})"));
    }
    reasons
}

/// Concludes from the p-value that was corrected for the number of arms; nothing where something stops it.
pub(super) fn conclude(comparison: &mut Comparison, p_value: f64, alpha: f64, stopped: &[String]) {
    let Some(test) = comparison.primary().map(|tests| tests.welch) else {
        let why = match (&comparison.adjusted, &comparison.raw) {
            (Some(Answer::Undefined { undefined }), _) | (_, Answer::Undefined { undefined }) => undefined,
            _ => "",
        };
        comparison.reason = format!("nothing is defined: {why}");
        return;
    };
    comparison.corrected_p_value = Some(p_value);
    let said = format!("p = {}", text::p_value(p_value));
    let (conclusion, reason) = match (stopped.is_empty(), p_value <= alpha, test.difference > 0.0) {
        (false, ..) => (Conclusion::None, stopped.join("; ")),
        (_, false, _) => (Conclusion::NotSeen, format!("{said} is above {alpha}: chance alone does as much")),
        (.., true) => {
            (Conclusion::Higher, format!("{said} is at most {alpha}, and the difference is above 0"))
        }
        _ => (Conclusion::Lower, format!("{said} is at most {alpha}, and the difference is below 0")),
    };
    (comparison.conclusion, comparison.reason) = (conclusion, reason);
}
