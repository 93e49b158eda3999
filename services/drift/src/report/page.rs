//! What a drift page shows, free of where it came from: the same page serves a topic's events and two files.

use millrace_report::Series;

/// One page.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The heading: `fraud`, or the two files.
    pub title: String,
    /// One sentence that says what was found.
    pub verdict: String,
    /// Name and value of what the reader must know: period, reference, rows.
    pub facts: Vec<(String, String)>,
    /// What drifted, the gravest first.
    pub causes: Vec<Cause>,
    /// Severity of each subject in each window.
    pub timeline: Timeline,
    /// Metrics over time.
    pub series: Vec<Series>,
    /// Every watched column, the gravest first.
    pub columns: Vec<ColumnCard>,
    /// What was not judged, and why.
    pub notes: Vec<String>,
}

/// One root cause with the subjects that moved by it.
#[derive(Debug, Clone, Default)]
pub struct Cause {
    /// The subject: `amount in country=DE`.
    pub title: String,
    /// Effect over threshold; from 1 on it is drift.
    pub severity: f64,
    /// What happened, in a sentence.
    pub sentence: String,
    /// What else moved as a consequence.
    pub follows: Vec<String>,
    /// Both distributions, of a column.
    pub chart: Chart,
}

/// A column with its distributions.
#[derive(Debug, Clone, Default)]
pub struct ColumnCard {
    /// The column, with its segment where it is one of many.
    pub name: String,
    /// Effect over threshold; `None`: not judged.
    pub severity: Option<f64>,
    /// Name and value: method, effect, threshold, p-value, rows.
    pub facts: Vec<(String, String)>,
    /// Both distributions.
    pub chart: Chart,
}

/// Two distributions over the same bins.
#[derive(Debug, Clone, Default)]
pub struct Chart {
    /// What each bin holds: `12.5 to 30`, or a category.
    pub bins: Vec<String>,
    /// Share of the reference's rows per bin.
    pub reference: Vec<f64>,
    /// Share of the current rows per bin.
    pub current: Vec<f64>,
}

/// Severity over time.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    /// Names of the windows, oldest first.
    pub windows: Vec<String>,
    /// A subject and its severity per window; `None`: no finding.
    pub rows: Vec<(String, Vec<Option<f64>>)>,
}
