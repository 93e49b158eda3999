//! Values with intervals, one after the other.

use std::fmt::Write as _;

use super::html::escape;
use super::text::{digits, short};

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 120.0;

/// A metric over time.
#[derive(Debug, Clone, Default)]
pub struct Series {
    /// The metric: `AUC ROC`.
    pub name: String,
    /// One per window or look, oldest first.
    pub points: Vec<Point>,
    /// A value that the points are to be seen against, drawn as a line: 0 for a difference.
    pub against: Option<f64>,
}

/// A metric in one window.
#[derive(Debug, Clone, Default)]
pub struct Point {
    /// The window.
    pub window: String,
    /// The value; `None` where it is undefined.
    pub value: Option<f64>,
    /// Its interval; ends that are no numbers are not drawn.
    pub interval: Option<(f64, f64)>,
    /// Whether enough labels have come; before that the value is biased.
    pub mature: bool,
}

impl Series {
    /// As SVG with its ends named below; nothing where no point has a value. Immature points are hollow.
    pub fn svg(&self) -> String {
        let values = || self.points.iter().filter_map(|point| point.value);
        if values().next().is_none() {
            return String::new();
        }
        let (low, high) = self.range();
        let span = if high > low { high - low } else { 1.0 };
        let step = WIDTH / self.points.len() as f64;
        let y = |value: f64| 4.0 + (HEIGHT - 8.0) * (1.0 - (value - low) / span);
        let mut out = format!("<svg class=series viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=img>");
        if let Some(against) = self.against {
            let _ = write!(out, "<path class=zero d=\"M0 {:.1}H{WIDTH}\"/>", y(against));
        }
        let mut line = String::new();
        for (i, point) in self.points.iter().enumerate() {
            let Some(value) = point.value else { continue };
            let x = (i as f64 + 0.5) * step;
            if let Some((low, high)) = point.ends() {
                let _ = write!(out, "<path class=band d=\"M{x:.1} {:.1}V{:.1}\"/>", y(low), y(high));
            }
            let _ = write!(line, "{}{x:.1} {:.1}", if line.is_empty() { "M" } else { "L" }, y(value));
            let _ = write!(out, "{}", point.dot(x, y(value), value));
        }
        let _ = write!(out, "<path class=line d=\"{line}\"/></svg>{}", self.named(low, high));
        out
    }

    fn range(&self) -> (f64, f64) {
        let ends = self.points.iter().filter(|point| point.value.is_some()).filter_map(Point::ends);
        let all = self.points.iter().filter_map(|point| point.value).chain(self.against);
        let all = all.chain(ends.flat_map(|(low, high)| [low, high]));
        all.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
    }

    fn named(&self, low: f64, high: f64) -> String {
        let (Some(first), Some(last)) = (self.points.first(), self.points.last()) else {
            return String::new();
        };
        format!(
            "<p class=ends><span>{}</span><span>{} to {}</span><span>{}</span></p>",
            escape(&first.window),
            short(low),
            short(high),
            escape(&last.window)
        )
    }
}

impl Point {
    fn ends(&self) -> Option<(f64, f64)> {
        self.interval.filter(|(low, high)| low.is_finite() && high.is_finite())
    }

    fn dot(&self, x: f64, y: f64, value: f64) -> String {
        let (class, said) =
            if self.mature { ("dot", "") } else { ("early", ", labels still missing: biased") };
        format!(
            "<circle class={class} cx={x:.1} cy={y:.1} r=3><title>{}: {}{said}</title></circle>",
            escape(&self.window),
            digits(value, 4)
        )
    }
}
