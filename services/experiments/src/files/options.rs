//! What is asked of an analysis.

use crate::analysis::Metric;
use crate::analysis::always_valid::ConfidenceSequence;
use crate::range::{OutOfRange, within};

/// More looks than this are refused: nobody reads them.
const MOST_LOOKS: usize = 10_000;

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// The metric's name.
    pub metric: String,
    /// Its kind.
    pub kind: Metric,
    /// The arm to compare with; by default `control`, else the first one in the file.
    pub control: Option<String>,
    /// The level of conclusions; intervals have 1 - alpha.
    pub alpha: f64,
    /// Expected shares of arms; by default equal ones.
    pub shares: Vec<(String, f64)>,
    /// The p-value of the sample ratio below which nothing is concluded.
    pub sample_ratio_alpha: f64,
    /// The share of units in two arms above which nothing is concluded.
    pub max_mixed_share: f64,
    /// The confidence sequence's tuning.
    pub sequence: ConfidenceSequence,
    /// mSPRT's expected relative effect; without it mSPRT is left out.
    pub expected_relative_effect: Option<f64>,
    /// How many looks are told, units taken in the order of their first rows; 0 for none but the last.
    pub looks: usize,
    /// Units of both arms below which a look does not count.
    pub burn_in_units: u64,
}

impl Options {
    /// Of a metric, with the field's usual defaults.
    pub fn new(metric: &str, kind: Metric) -> Self {
        Self {
            metric: metric.to_owned(),
            kind,
            control: None,
            alpha: 0.05,
            shares: Vec::new(),
            sample_ratio_alpha: 0.001,
            max_mixed_share: 0.01,
            sequence: ConfidenceSequence::default(),
            expected_relative_effect: None,
            looks: 0,
            burn_in_units: 200,
        }
    }

    /// Refuses numbers outside their ranges.
    pub(super) fn check(&self) -> Result<(), OutOfRange> {
        let inside = |value: f64| value > 0.0 && value < 1.0;
        let tuned = self.sequence.tuned_for_units;
        within("alpha", self.alpha, inside(self.alpha), "a level lies in (0, 1)")?;
        within("tuned_for_units", tuned, tuned > 0.0 && tuned.is_finite(), "a number of units is above 0")?;
        let expected = self.expected_relative_effect.unwrap_or(1.0);
        within(
            "expected_relative_effect",
            expected,
            expected > 0.0 && expected.is_finite(),
            "an effect is above 0",
        )?;
        let mixed = self.max_mixed_share;
        within("max_mixed_share", mixed, (0.0..=1.0).contains(&mixed), "a share lies in [0, 1]")?;
        within("looks", self.looks as f64, self.looks <= MOST_LOOKS, "nobody reads more than 10,000 looks")
    }
}
