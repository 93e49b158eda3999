//! Intervals drawn beside one another, over one axis, with 0 marked.

use std::fmt::Write as _;

use millrace_report::html::escape;
use millrace_report::text::{p_value, short};

use super::wording::interval;
use crate::analysis::Tested;
use crate::files::report::{Answer, Comparison, Tests};

const WIDTH: f64 = 480.0;
const ROW: f64 = 22.0;

/// A test by its name and whether it may be looked at any time.
struct Row<'a> {
    name: String,
    tested: &'a Tested,
    always: bool,
}

/// The absolute difference of an arm by every test that was made; nothing where none is defined.
pub fn svg(comparison: &Comparison) -> String {
    let rows = rows(comparison);
    let ends = rows.iter().flat_map(|row| [row.tested.low, row.tested.high]).filter(|end| end.is_finite());
    let (low, high) = ends.fold((0.0_f64, 0.0_f64), |(low, high), end| (low.min(end), high.max(end)));
    if rows.is_empty() || low == high {
        return String::new();
    }
    let room = 0.04 * (high - low);
    let x = |value: f64| WIDTH * (value - low + room) / (high - low + 2.0 * room);
    let height = ROW * rows.len() as f64;
    let mut names = String::new();
    let mut drawn = format!(
        "<svg class=intervals viewBox=\"0 0 {WIDTH} {height}\" role=img \
         aria-label=\"intervals of {}\"><path class=zero d=\"M{:.1} 0V{height}\"/>",
        escape(&comparison.arm),
        x(0.0)
    );
    for (at, row) in rows.iter().enumerate() {
        let y = ROW * (at as f64 + 0.5);
        let Tested { difference, low, high, p_value: p, .. } = row.tested;
        let class = if row.always { "always" } else { "once" };
        let _ = write!(
            drawn,
            "<g><title>{}: {} ({}), p {}</title><path class={class} d=\"M{:.1} {y}H{:.1}\"/>\
             <circle class=dot cx={:.1} cy={y} r=4 /></g>",
            escape(&row.name),
            short(*difference),
            interval(row.tested),
            p_value(*p),
            x(*low),
            x(*high),
            x(*difference),
        );
        let _ = write!(names, "<span>{}</span>", escape(&row.name));
    }
    format!(
        "<div class=forest><div class=names>{names}</div><div>{drawn}</svg><p class=ends><span>{}</span>\
         <span>{}</span></p></div></div>",
        short(low),
        short(high)
    )
}

fn rows(comparison: &Comparison) -> Vec<Row<'_>> {
    let adjusted = comparison.adjusted.as_ref().and_then(Answer::known);
    let adjusted = adjusted.map(|found| &found.differences.absolute);
    let raw = comparison.raw.known().map(|found| &found.absolute);
    let mut rows = Vec::new();
    for (tests, how) in [(adjusted, ", CUPED"), (raw, if adjusted.is_some() { ", raw" } else { "" })] {
        let Some(tests) = tests else { continue };
        let Tests { welch, confidence_sequence, msprt } = tests;
        let named = [
            ("Welch", Some(welch), false),
            ("always valid", Some(confidence_sequence), true),
            ("mSPRT", msprt.as_ref(), true),
        ];
        for (name, tested, always) in named {
            rows.extend(tested.map(|tested| Row { name: format!("{name}{how}"), tested, always }));
        }
    }
    if let Some(tested) = comparison.two_proportions.as_ref().and_then(Answer::known) {
        rows.push(Row { name: "two proportions".to_owned(), tested, always: false });
    }
    rows
}
