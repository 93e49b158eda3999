//! Intervals drawn beside one another, over one axis, with 0 marked.

use millrace_report::html::escape;
use millrace_report::text::{p_value, short};

use super::wording::interval;
use crate::analysis::Tested;
use crate::files::report::{Answer, Comparison, Tests};

const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 22.0;
const MIDDLE: f64 = 11.0;

/// A test by its name and whether it may be looked at any time.
struct Row<'a> {
    name: String,
    tested: &'a Tested,
    always: bool,
}

/// The absolute difference of an arm by every test that was made, a row each; nothing where none is defined.
pub fn html(comparison: &Comparison) -> String {
    let rows = rows(comparison);
    let ends = rows.iter().flat_map(|row| [row.tested.low, row.tested.high]).filter(|end| end.is_finite());
    let (low, high) = ends.fold((0.0_f64, 0.0_f64), |(low, high), end| (low.min(end), high.max(end)));
    if rows.is_empty() || low == high {
        return String::new();
    }
    let room = 0.04 * (high - low);
    let x = |value: f64| WIDTH * (value - low + room) / (high - low + 2.0 * room);
    let rows: String = rows.iter().map(|row| row.html(&x)).collect();
    format!(
        "<div class=forest>{rows}<span></span><p class=ends><span>{}</span><span>{}</span></p></div>",
        short(low),
        short(high)
    )
}

impl Row<'_> {
    /// The name and the interval. The drawing is stretched to the width at hand: strokes keep their size, and the dot is a
    /// line of no length with a round cap, which stays round.
    fn html(&self, x: &dyn Fn(f64) -> f64) -> String {
        let Tested { difference, low, high, p_value: p, .. } = self.tested;
        let name = escape(&self.name);
        let class = if self.always { "always" } else { "once" };
        let (zero, low, high, point) = (x(0.0), x(*low), x(*high), x(*difference));
        let said = format!("{name}: {} ({}), p {}", short(*difference), interval(self.tested), p_value(*p));
        format!(
            "<span>{name}</span><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" preserveAspectRatio=none role=img aria-label=\"{said}\">\
             <title>{said}</title><path class=zero d=\"M{zero:.1} 0V{HEIGHT}\"/>\
             <path class={class} d=\"M{low:.1} {MIDDLE}H{high:.1}\"/><path class=point d=\"M{point:.1} {MIDDLE}h0\"/></svg>"
        )
    }
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
