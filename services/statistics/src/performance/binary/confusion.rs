//! Decisions against the truth.

use crate::performance::interval::{Z, wilson};
use crate::performance::{Estimate, Interval, Measured, ScoreCounts, Undefined};

/// Rows in the denominator below which a proportion is not to be judged.
pub(crate) const MINIMUM: u64 = 30;

/// Counts of a decision against the truth. They merge by adding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Confusion {
    /// Predicted positive, is positive.
    pub true_positives: u64,
    /// Predicted positive, is negative.
    pub false_positives: u64,
    /// Predicted negative, is negative.
    pub true_negatives: u64,
    /// Predicted negative, is positive.
    pub false_negatives: u64,
}

impl Confusion {
    /// Rows scored at or above `threshold` are predicted positive.
    pub fn at(counts: &ScoreCounts, threshold: f64) -> Self {
        let (above, total) = (counts.at_or_above(threshold), counts.total());
        Self {
            true_positives: above.positives,
            false_positives: above.negatives,
            true_negatives: total.negatives - above.negatives,
            false_negatives: total.positives - above.positives,
        }
    }

    /// Takes one row.
    pub fn add(&mut self, predicted: bool, actual: bool) {
        *match (predicted, actual) {
            (true, true) => &mut self.true_positives,
            (true, false) => &mut self.false_positives,
            (false, false) => &mut self.true_negatives,
            (false, true) => &mut self.false_negatives,
        } += 1;
    }

    /// Adds the rows of `other`.
    pub fn merge(&mut self, other: &Self) {
        self.true_positives += other.true_positives;
        self.false_positives += other.false_positives;
        self.true_negatives += other.true_negatives;
        self.false_negatives += other.false_negatives;
    }

    /// All rows.
    pub fn rows(&self) -> u64 {
        self.selected() + self.true_negatives + self.false_negatives
    }

    /// Rows predicted positive.
    pub fn selected(&self) -> u64 {
        self.true_positives + self.false_positives
    }

    /// Rows that are positive.
    pub fn positives(&self) -> u64 {
        self.true_positives + self.false_negatives
    }

    /// Share of the rows predicted positive that are. Wilson's interval.
    ///
    /// # Errors
    /// Without rows, or with none predicted positive.
    pub fn precision(&self) -> Measured {
        self.not_empty()?;
        proportion(self.true_positives, self.selected())
            .ok_or(Undefined::NoPredictedPositives { rows: self.rows() })
    }

    /// Share of the positive rows that are predicted so. Wilson's interval.
    ///
    /// # Errors
    /// Without rows or without positives.
    pub fn recall(&self) -> Measured {
        self.not_empty()?;
        proportion(self.true_positives, self.positives()).ok_or(Undefined::NoPositives { rows: self.rows() })
    }

    /// Share of the rows predicted as they are. Wilson's interval.
    ///
    /// # Errors
    /// Without rows.
    pub fn accuracy(&self) -> Measured {
        proportion(self.true_positives + self.true_negatives, self.rows()).ok_or(Undefined::NoRows)
    }

    /// Harmonic mean of precision and recall. It is 2J / (1 + J) of the share J of true positives among the rows that
    /// are positive or predicted so (Jaccard's index), and its interval is Wilson's of J, carried over.
    ///
    /// # Errors
    /// Without rows, or with none positive or predicted so.
    pub fn f1(&self) -> Measured {
        self.not_empty()?;
        let union = self.selected() + self.false_negatives;
        let jaccard =
            proportion(self.true_positives, union).ok_or(Undefined::NothingPositive { rows: self.rows() })?;
        let f1 = |j: f64| 2.0 * j / (1.0 + j);
        let value = 2.0 * self.true_positives as f64 / (union + self.true_positives) as f64;
        let interval = Interval { low: f1(jaccard.interval.low), high: f1(jaccard.interval.high) };
        Ok(Estimate { value, interval, ..jaccard })
    }

    fn not_empty(&self) -> Result<(), Undefined> {
        if self.rows() == 0 { Err(Undefined::NoRows) } else { Ok(()) }
    }
}

/// `None` of no rows.
pub(crate) fn proportion(successes: u64, rows: u64) -> Option<Estimate> {
    (rows > 0).then(|| Estimate {
        value: successes as f64 / rows as f64,
        interval: wilson(successes as f64, rows as f64, Z),
        support: rows,
        minimum: MINIMUM,
    })
}
