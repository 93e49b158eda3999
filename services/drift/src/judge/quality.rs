//! A window against the constraints on its data.

use millrace_schemas::envelope::{DriftEvent, DriftKind, Subject};

use super::about::About;
use super::detail::percent;
use crate::profile::{Column, Kind, Profile};
use crate::reference::{ColumnQuality, Quality};
use crate::window::WHOLE;

/// What is known of a window's topic beside its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stream {
    /// How long the topic has been silent, in ms; none: not known.
    pub silence_ms: Option<i64>,
}

/// Constraints that are checked and those that are broken, as findings: effects are shares of rows (of freshness days, of
/// volume rows per day), thresholds the constraints.
pub fn quality(about: &About, constraints: &Quality, current: &Profile, stream: Stream) -> Vec<DriftEvent> {
    let mut found = Vec::new();
    for (name, constraint) in &constraints.columns {
        if let Some(index) = current.plan().index(name) {
            found.extend(
                column(constraint, current.column(index)).into_iter().map(|broken| (Some(name), broken)),
            );
        }
    }
    found.extend(whole(about, constraints, current, stream).into_iter().map(|broken| (None, broken)));
    let event = |(name, broken): (Option<&String>, Check)| {
        let mut event = about.event(DriftKind::Finding, Subject::Quality, WHOLE, broken.method);
        event.column = name.cloned();
        event.statistic = Some(broken.effect);
        event.effect = Some(broken.effect);
        event.threshold = Some(broken.limit);
        event.rows = current.rows() as i64;
        event.drifted = broken.is_broken();
        event.severity = broken.severity();
        event.reference = "the constraints on quality".to_owned();
        event.detail = broken.detail;
        event.seal();
        event
    };
    found.into_iter().map(event).collect()
}

struct Check {
    method: &'static str,
    effect: f64,
    limit: f64,
    /// The effect must not fall below the limit.
    least: bool,
    /// What a limit of zero counts as, for the severity.
    unit: f64,
    detail: String,
}

impl Check {
    fn is_broken(&self) -> bool {
        if self.least { self.effect < self.limit } else { self.effect > self.limit }
    }

    fn severity(&self) -> f64 {
        let (above, below) = if self.least { (self.limit, self.effect) } else { (self.effect, self.limit) };
        // Half a row stands for none: a severity is a finite number.
        let ratio = above / below.max(self.unit);
        if self.is_broken() { ratio.max(1.0 + f64::EPSILON) } else { ratio.min(1.0) }
    }
}

fn column(constraint: &ColumnQuality, column: Column<'_>) -> Vec<Check> {
    let name = &column.plan().name;
    let rows = column.rows().max(1) as f64;
    let mut checks = Vec::new();
    let mut share = |method, count: u64, limit: Option<f64>, what: &str| {
        let Some(limit) = limit else { return };
        let effect = count as f64 / rows;
        let detail = format!("{name} {what} in {} of the rows; {} may be.", percent(effect), percent(limit));
        checks.push(Check { method, effect, limit, least: false, unit: 0.5 / rows, detail });
    };
    share("missing", column.missing(), constraint.max_missing_share, "is missing");
    let mistyped = column.mistyped() + column.infinite();
    share("type", mistyped, constraint.max_mistyped_share, "is not of its type");
    if constraint.min.is_some() || constraint.max.is_some() {
        let outside = outside(constraint, column);
        share("range", outside, constraint.max_outside_share.or(Some(0.0)), "is out of range");
    }
    if column.kind() != Kind::Numeric {
        let limit = constraint.max_new_share.or(constraint.categories.as_ref().map(|_| 0.0));
        share("new_category", new(constraint, column), limit, "has a new value");
    }
    checks
}

/// Rows out of the declared range: exactly where values are kept, else those of bins that lie outside as a whole.
fn outside(constraint: &ColumnQuality, column: Column<'_>) -> u64 {
    let Some((sample, exact)) = column.numbers() else { return 0 };
    let (low, high) = (constraint.min.unwrap_or(f64::NEG_INFINITY), constraint.max.unwrap_or(f64::INFINITY));
    let mut lower = f64::NEG_INFINITY;
    let mut outside = 0;
    // A bin is told by its upper edge: of one that an edited maximum cuts, nobody knows which rows lie above.
    for (value, count) in sample.values().iter().zip(sample.counts()) {
        let above = if exact { *value > high } else { *value > high && lower >= high };
        outside += if *value < low || above { *count } else { 0 };
        lower = *value;
    }
    outside
}

fn new(constraint: &ColumnQuality, column: Column<'_>) -> u64 {
    let (Some(allowed), Some(categories)) = (&constraint.categories, column.categories()) else {
        return column.new_rows();
    };
    let known: u64 = allowed.iter().filter_map(|name| categories.counts.get(name)).sum();
    categories.total() - known
}

fn whole(about: &About, constraints: &Quality, current: &Profile, stream: Stream) -> Vec<Check> {
    let mut checks = Vec::new();
    let most = |method, effect: f64, limit: f64, unit: f64, detail| Check {
        method,
        effect,
        limit,
        least: false,
        unit,
        detail,
    };
    if let Some(limit) = constraints.max_duplicate_share {
        let copies = current.sample_rows().copies;
        let all: u64 = copies.iter().map(|copies| u64::from(*copies)).sum::<u64>().max(1);
        let share = (all - copies.len().max(1) as u64) as f64 / all as f64;
        let detail = format!(
            "{} of the rows have an id that came before; {} may have.",
            percent(share),
            percent(limit)
        );
        checks.push(most("duplicate_id", share, limit, 0.5 / all as f64, detail));
    }
    let days = |ms: i64| ms as f64 / 86_400_000.0;
    if let (Some(limit), Some(silence)) = (constraints.max_silence_ms, stream.silence_ms) {
        let (is, may) = (millrace_topics::show_duration(silence), millrace_topics::show_duration(limit));
        let detail = format!("{} has been silent for {is}; {may} may be.", about.topic);
        checks.push(most("freshness", days(silence), days(limit), 1e-9, detail));
    }
    let length = days(about.end_ms - about.start_ms);
    if length > 0.0 {
        let per_day = current.rows() as f64 / length;
        for (limit, least) in [(constraints.min_rows_per_day, true), (constraints.max_rows_per_day, false)] {
            let Some(limit) = limit else { continue };
            let side = if least { "at least" } else { "at most" };
            let detail = format!(
                "{} has {per_day:.0} rows per day; {side} {limit:.0} were to be expected.",
                about.topic
            );
            checks.push(Check { method: "volume", effect: per_day, limit, least, unit: 1.0, detail });
        }
    }
    checks
}
