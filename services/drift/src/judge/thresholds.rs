//! Thresholds of effects, per column, segment and measure.

mod toml_file;

use std::collections::BTreeMap;

use super::measure::{Measure, default_measures};
use crate::profile::Plan;

/// What a threshold is of. The order is that of the file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The column; none: all columns together.
    pub column: Option<String>,
    /// The segment; [`crate::window::WHOLE`]: all rows.
    pub segment: String,
    /// The measure.
    pub measure: Measure,
}

/// The threshold of one effect.
#[derive(Debug, Clone, PartialEq)]
pub enum Bound {
    /// Above it the subject has drifted.
    Effect {
        /// The effect, above 0.
        effect: f64,
        /// Rows of the windows that it was calibrated on: that of a smaller window is larger. 0: not known.
        rows: u64,
        /// The share that an unchanged window has, of new values and of rows outside of the range.
        expected: f64,
    },
    /// The subject cannot be judged at this window length.
    NotJudged {
        /// Why: `seasonal`.
        reason: String,
    },
}

/// How thresholds were found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Calibration {
    /// The declared window.
    pub window: String,
    /// The wanted time between false alarms of everything together, in ms.
    pub expected_time_between_alarms_ms: i64,
    /// Windows held out.
    pub windows: u64,
    /// How many of them are worth as many independent ones.
    pub independent_windows: f64,
    /// Subjects that share the false alarms.
    pub subjects: u64,
    /// How far after the reference's end windows may lie, in ms.
    pub horizon_ms: i64,
}

/// All thresholds of one model version and topic.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Thresholds {
    /// How they were found; none: by convention.
    pub calibration: Option<Calibration>,
    /// The share of drifted columns from which the data set has drifted.
    pub drifted_share: Option<f64>,
    /// By what they are of.
    pub bounds: BTreeMap<Key, Bound>,
    /// Of the scores in topics of predictions.
    pub predictions: BTreeMap<Key, Bound>,
    /// Of metrics on labels, in standard errors below what the model was deployed with.
    pub metrics: BTreeMap<String, Bound>,
}

/// Why a file is none of thresholds: names file, line and key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {key}: {message}")]
pub struct ThresholdsError {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The key, such as `columns.amount.ks`.
    pub key: String,
    /// What is wrong with it.
    pub message: String,
}

/// Rows from which conventional thresholds hold: two samples of that size hardly differ by as much by chance.
const CONVENTIONAL_ROWS: u64 = 1_000;

impl Thresholds {
    /// What practice takes for notable, where nothing was calibrated: [`Measure::conventional`].
    pub fn conventional(
        plan: &Plan,
        segments: &[String],
        rows: u64,
        methods: &[millrace_statistics::two_sample::Method],
    ) -> Self {
        let mut bounds = BTreeMap::new();
        let mut set = |column: Option<&str>, segment: &str, measure: Measure| {
            let key = Key { column: column.map(str::to_owned), segment: segment.to_owned(), measure };
            let bound = match measure.conventional() {
                Some(effect) => Bound::Effect { effect, rows: CONVENTIONAL_ROWS, expected: 0.0 },
                None => Bound::NotJudged { reason: "no convention, not calibrated".into() },
            };
            bounds.insert(key, bound);
        };
        for segment in segments {
            for column in &plan.columns {
                for measure in default_measures(column.kind, rows, methods) {
                    set(Some(&column.name), segment, measure);
                }
            }
        }
        super::joint_measures().into_iter().for_each(|measure| set(None, crate::window::WHOLE, measure));
        Self { bounds, ..Self::default() }
    }

    /// Those of the scores in topics of predictions: as the file has them, else what practice takes for notable. All columns
    /// together would say no more: there is one.
    #[must_use]
    pub fn of_predictions(&self, plan: &Plan, segments: &[String], rows: u64) -> Self {
        if !self.predictions.is_empty() {
            let (calibration, bounds) = (self.calibration.clone(), self.predictions.clone());
            return Self { calibration, bounds, ..Self::default() };
        }
        let mut conventional = Self::conventional(plan, segments, rows, &[]);
        conventional.retain(|key| matches!(key.measure, Measure::Distribution(_) | Measure::Missing));
        conventional
    }

    /// Keeps those of some keys alone.
    pub fn retain(&mut self, keep: impl Fn(&Key) -> bool) {
        self.bounds.retain(|key, _| keep(key));
    }

    /// What is measured of a column in a segment.
    pub fn of<'a>(
        &'a self,
        column: Option<&str>,
        segment: &str,
    ) -> impl Iterator<Item = (Measure, &'a Bound)> {
        let key = |measure| Key { column: column.map(str::to_owned), segment: segment.to_owned(), measure };
        let first = key(Measure::Distribution(millrace_statistics::two_sample::Method::KolmogorovSmirnov));
        let last = key(Measure::Classifier);
        self.bounds.range(first..=last).map(|(key, bound)| (key.measure, bound))
    }

    /// The share of drifted columns from which the data set has drifted: a quarter, unless the file says otherwise.
    pub fn drifted_share(&self) -> f64 {
        self.drifted_share.unwrap_or(0.25)
    }
}

impl Bound {
    /// The threshold for a window of that many rows: where it has fewer rows than any that was calibrated on, it is
    /// larger by as much as chance effects are.
    pub fn at(&self, measure: Measure, window_rows: u64) -> Option<f64> {
        let Self::Effect { effect, rows, .. } = self else { return None };
        let smaller = (*rows as f64 / window_rows.max(1) as f64).max(1.0);
        if measure == Measure::Metric {
            // What days differ by does not shrink with their size as standard errors do: a larger window is judged no finer
            // than those that it was calibrated on.
            let larger = if *rows > 0 { (window_rows as f64 / *rows as f64).max(1.0) } else { 1.0 };
            return Some(effect * larger.sqrt());
        }
        Some(effect * libm::pow(smaller, measure.noise_power()))
    }

    /// The share that an unchanged window has.
    pub fn expected(&self) -> f64 {
        match self {
            Self::Effect { expected, .. } => *expected,
            Self::NotJudged { .. } => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use millrace_statistics::two_sample::Method;

    use super::*;

    #[test]
    fn a_smaller_window_has_a_larger_threshold_and_a_larger_one_the_same() {
        let bound = Bound::Effect { effect: 0.02, rows: 10_000, expected: 0.0 };
        let ks = Measure::Distribution(Method::KolmogorovSmirnov);
        assert_eq!(bound.at(ks, 1_000_000), Some(0.02));
        assert!((bound.at(ks, 100).unwrap() - 0.2).abs() < 1e-12);
        assert!((bound.at(Measure::Distribution(Method::Psi), 1_000).unwrap() - 0.2).abs() < 1e-12);
        assert_eq!(Bound::NotJudged { reason: String::new() }.at(ks, 1), None);
        let metric = Bound::Effect { effect: 4.0, rows: 1_000, expected: 0.0 };
        assert_eq!(metric.at(Measure::Metric, 10), Some(4.0));
        assert_eq!(metric.at(Measure::Metric, 4_000), Some(8.0));
    }
}
