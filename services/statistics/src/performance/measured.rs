//! A figure with its interval, or the reason why there is none.

use thiserror::Error;

/// A metric's value and how far it can be trusted, or why it has none.
pub type Measured = Result<Estimate, Undefined>;

/// A two-sided interval of 95 %, both ends included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// Whether `value` lies between the ends.
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

/// A metric's value over a window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The metric; always finite.
    pub value: f64,
    /// Where the metric of the process behind the window lies, with 95 % confidence.
    pub interval: Interval,
    /// How many rows carry the figure: those of the scarcer class for AUC, the positives for recall, and so on.
    pub support: u64,
    /// The support below which the interval's formula is not to be trusted, and the figure not to be judged.
    pub minimum: u64,
}

impl Estimate {
    /// Whether the figure may be judged: at least the minimum size carries it.
    pub fn is_enough(&self) -> bool {
        self.support >= self.minimum
    }
}

/// Why a metric has no value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Undefined {
    /// No row that the metric is about: none labelled, or none with a usable score.
    #[error("there is no row to measure")]
    NoRows,
    /// AUC needs both classes.
    #[error("all {rows} labels are {}", if *.positive { "positive" } else { "negative" })]
    OneClass {
        /// How many labels there are.
        rows: u64,
        /// Which class they all have.
        positive: bool,
    },
    /// Recall and average precision need a positive.
    #[error("none of the {rows} labels is positive")]
    NoPositives {
        /// How many labels there are.
        rows: u64,
    },
    /// Precision needs a row at or above the threshold.
    #[error("none of the {rows} rows is predicted positive")]
    NoPredictedPositives {
        /// How many rows there are.
        rows: u64,
    },
    /// F1 needs a row that is positive or predicted so.
    #[error("none of the {rows} rows is positive or predicted positive")]
    NothingPositive {
        /// How many rows there are.
        rows: u64,
    },
    /// A cut at k needs k rows.
    #[error("a cut at {k} needs {k} rows, there are {rows}")]
    FewerThanK {
        /// How many rows there are.
        rows: u64,
        /// The declared cut.
        k: u64,
    },
    /// Log loss, Brier score and calibration are of probabilities.
    #[error("a score of {score} is no probability")]
    NotProbability {
        /// The offending score, as text.
        score: String,
    },
    /// A class has no row to rank against the others.
    #[error("class {class} has no {} row", if *.actual { "labelled" } else { "other" })]
    MissingClass {
        /// Index of the class.
        class: usize,
        /// Whether the class itself has no row (or else everything is of that class).
        actual: bool,
    },
    /// A difference needs two groups on which the rate is defined.
    #[error("{defined} of {groups} groups have a {rate}, two are needed")]
    TooFewGroups {
        /// How many groups have the rate.
        defined: usize,
        /// How many groups there are.
        groups: usize,
        /// Which rate.
        rate: &'static str,
    },
    /// Sums beyond the range of a double.
    #[error("errors are too large: their sum overflows")]
    Overflow,
}
