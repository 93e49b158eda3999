//! Confidence-based performance estimation (CBPE) of binary classifiers.

use super::Isotonic;
use crate::performance::interval::{MEAN_MINIMUM, logit, normal};
use crate::performance::{Estimate, Interval, Measured, Undefined};
use crate::sample::Sample;

/// What the metrics of a window will be if each row turns out positive with its own, calibrated, probability. Metrics
/// are those of the expected counts, as nannyml 0.13.1 computes them (J. Białek et al., "Estimating model performance
/// under covariate shift without labels", 2024).
///
/// Intervals are not nannyml's, which come from the spread of a reference: they say where the metric of this window
/// falls, with 95 %, as the independent outcomes behind it vary (delta method). They know nothing of a calibrator's own
/// error.
#[derive(Debug, Clone, PartialEq)]
pub struct Cbpe {
    /// Scores descending.
    groups: Vec<Group>,
    rows: u64,
    selected: Part,
    refused: Part,
}

/// Rows of one score.
#[derive(Debug, Clone, PartialEq)]
struct Group {
    rows: u64,
    probability: f64,
}

/// Sums over rows of one decision.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Part {
    rows: f64,
    positives: f64,
    /// Of the number of positives.
    variance: f64,
}

impl Cbpe {
    /// From the scores of a window. Rows scored at or above `threshold` are predicted positive. Without a calibrator the
    /// scores are the probabilities.
    ///
    /// # Errors
    /// Without rows, or, without a calibrator, with a score outside [0, 1].
    pub fn of(scores: &Sample, threshold: f64, calibrator: Option<&Isotonic>) -> Result<Self, Undefined> {
        if scores.total() == 0 {
            return Err(Undefined::NoRows);
        }
        let mut cbpe = Self {
            groups: Vec::new(),
            rows: scores.total(),
            selected: Part::default(),
            refused: Part::default(),
        };
        for (score, rows) in scores.values().iter().zip(scores.counts()).rev() {
            let probability = calibrator.map_or(*score, |calibrator| calibrator.probability(*score));
            if !(0.0..=1.0).contains(&probability) {
                return Err(Undefined::NotProbability { score: probability.to_string() });
            }
            let part = if *score >= threshold { &mut cbpe.selected } else { &mut cbpe.refused };
            part.rows += *rows as f64;
            part.positives += *rows as f64 * probability;
            part.variance += *rows as f64 * probability * (1.0 - probability);
            cbpe.groups.push(Group { rows: *rows, probability });
        }
        Ok(cbpe)
    }

    /// Expected true positives, false positives, true negatives and false negatives.
    pub fn confusion(&self) -> [f64; 4] {
        let (selected, refused) = (self.selected, self.refused);
        [
            selected.positives,
            selected.rows - selected.positives,
            refused.rows - refused.positives,
            refused.positives,
        ]
    }

    /// Expected precision.
    ///
    /// # Errors
    /// With no row predicted positive.
    pub fn precision(&self) -> Measured {
        let Part { rows, positives, variance } = self.selected;
        if rows == 0.0 {
            return Err(Undefined::NoPredictedPositives { rows: self.rows });
        }
        Ok(self.estimate(positives / rows, variance / (rows * rows), rows))
    }

    /// Expected recall.
    ///
    /// # Errors
    /// With no expected positive.
    pub fn recall(&self) -> Measured {
        let (hits, misses) = (self.selected, self.refused);
        let positives = hits.positives + misses.positives;
        if positives == 0.0 {
            return Err(Undefined::NoPositives { rows: self.rows });
        }
        let squares = misses.positives.powi(2) * hits.variance + hits.positives.powi(2) * misses.variance;
        Ok(self.estimate(hits.positives / positives, squares / positives.powi(4), positives))
    }

    /// Expected F1: of the expected counts.
    ///
    /// # Errors
    /// With no row predicted positive and no expected positive.
    pub fn f1(&self) -> Measured {
        let (hits, misses) = (self.selected, self.refused);
        let whole = hits.rows + hits.positives + misses.positives;
        if whole == 0.0 {
            return Err(Undefined::NothingPositive { rows: self.rows });
        }
        let value = 2.0 * hits.positives / whole;
        let squares = (2.0 - value).powi(2) * hits.variance + value.powi(2) * misses.variance;
        Ok(self.estimate(value, squares / (whole * whole), whole / 2.0))
    }

    /// Expected accuracy.
    ///
    /// # Errors
    /// None: a window without rows is refused before.
    pub fn accuracy(&self) -> Measured {
        let n = self.rows as f64;
        let [hits, _, rejections, _] = self.confusion();
        Ok(self.estimate(
            (hits + rejections) / n,
            (self.selected.variance + self.refused.variance) / (n * n),
            n,
        ))
    }

    /// Expected area under the ROC curve: of the expected counts.
    ///
    /// # Errors
    /// With no expected positive, or no expected negative.
    pub fn auc(&self) -> Measured {
        let (positives, negatives) = self.classes()?;
        let mut pairs = 0.0;
        let mut hits = 0.0;
        for Group { rows, probability } in &self.groups {
            let (p, n) = (*rows as f64 * probability, *rows as f64 * (1.0 - probability));
            pairs += n * (hits + p / 2.0);
            hits += p;
        }
        let value = (pairs / (positives * negatives)).min(1.0);
        Ok(self.estimate(value, self.auc_variance(value, positives, negatives), positives.min(negatives)))
    }

    /// Turning a row positive wins the pairs with the negatives below it and loses those with the positives above.
    fn auc_variance(&self, value: f64, positives: f64, negatives: f64) -> f64 {
        let (mut hits, mut alarms, mut variance) = (0.0, 0.0, 0.0);
        for Group { rows, probability } in &self.groups {
            let (p, n) = (*rows as f64 * probability, *rows as f64 * (1.0 - probability));
            let won = negatives - alarms - n / 2.0;
            let lost = hits + p / 2.0;
            let slope = (won - lost - value * (negatives - positives)) / (positives * negatives);
            variance += *rows as f64 * probability * (1.0 - probability) * slope * slope;
            hits += p;
            alarms += n;
        }
        variance
    }

    /// Expected average precision: of the expected counts, row by row (nannyml does not draw ties together).
    ///
    /// # Errors
    /// With no expected positive.
    pub fn average_precision(&self) -> Measured {
        let total = self.selected.positives + self.refused.positives;
        if total == 0.0 {
            return Err(Undefined::NoPositives { rows: self.rows });
        }
        let (mut taken, mut hits, mut area) = (0.0, 0.0, 0.0);
        // Per group, precision at its end and the area up to there.
        let mut steps = Vec::with_capacity(self.groups.len());
        for Group { rows, probability } in &self.groups {
            let mut inverse = 0.0;
            for row in 0..*rows {
                let rank = taken + 1.0 + row as f64;
                area += probability * (hits + probability * (row as f64 + 1.0)) / rank;
                inverse += probability / rank;
            }
            taken += *rows as f64;
            hits += *rows as f64 * probability;
            steps.push((hits / taken, inverse));
        }
        let value = (area / total).min(1.0);
        // Turning a row positive adds its own precision, raises that of every row from there on, and adds a positive.
        let (mut raised, mut variance) = (0.0, 0.0);
        for (Group { rows, probability }, (precision, inverse)) in self.groups.iter().zip(&steps).rev() {
            raised += inverse;
            let slope = (precision + raised - value) / total;
            variance += *rows as f64 * probability * (1.0 - probability) * slope * slope;
        }
        Ok(self.estimate(value, variance, total))
    }

    fn classes(&self) -> Result<(f64, f64), Undefined> {
        let positives = self.selected.positives + self.refused.positives;
        let negatives = self.rows as f64 - positives;
        if positives <= 0.0 || negatives <= 0.0 {
            return Err(Undefined::OneClass { rows: self.rows, positive: positives > 0.0 });
        }
        Ok((positives, negatives))
    }

    fn estimate(&self, value: f64, variance: f64, support: f64) -> Estimate {
        let error = variance.max(0.0).sqrt();
        let inside = 0.0 < value && value < 1.0;
        let Interval { low, high } = if inside { logit(value, error) } else { normal(value, error) };
        let interval = Interval { low: low.max(0.0), high: high.min(1.0) };
        Estimate { value, interval, support: support as u64, minimum: MEAN_MINIMUM }
    }
}
