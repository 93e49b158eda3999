//! Metrics of the probabilities of several classes.

use super::{Average, ClassCounts};
use crate::performance::binary::auc;
use crate::performance::interval::{MEAN_MINIMUM, Z, normal};
use crate::performance::{Estimate, Interval, Measured, Undefined};

impl ClassCounts {
    /// Mean of -ln of the probability given to the actual class, clipped to [eps, 1 - eps] with eps = 2^-52 as
    /// scikit-learn does. Interval: normal, of a mean.
    ///
    /// # Errors
    /// Without rows that came with probabilities.
    pub fn log_loss(&self) -> Measured {
        let rows = self.scored();
        if rows == 0 {
            return Err(Undefined::NoRows);
        }
        let n = rows as f64;
        let value = self.loss.round() / n;
        let spread = (self.squared_loss.round() / n - value * value).max(0.0);
        let error = if rows > 1 { (spread / (n - 1.0)).sqrt() } else { 0.0 };
        let Interval { low, high } = normal(value, error);
        let interval = Interval { low: low.max(0.0), high };
        Ok(Estimate { value, interval, support: rows, minimum: MEAN_MINIMUM })
    }

    /// Area under the ROC curve of each class against the rest, averaged.
    ///
    /// The interval's standard error is the average of the classes' (each read off half its interval's width): the
    /// areas share their rows, and no correlation makes the average vary more than that. It covers at least 95 %.
    ///
    /// # Errors
    /// Without rows that came with probabilities, or where a class has none, or all of them.
    pub fn auc(&self, average: Average) -> Measured {
        let rows = self.scored();
        if rows == 0 {
            return Err(Undefined::NoRows);
        }
        let (mut value, mut error, mut support, mut minimum) = (0.0, 0.0, u64::MAX, 0);
        for (class, scores) in self.scores.iter().enumerate() {
            let area = auc(scores).map_err(|reason| match reason {
                Undefined::OneClass { positive, .. } => Undefined::MissingClass { class, actual: !positive },
                other => other,
            })?;
            let weight = match average {
                Average::Macro => 1.0 / self.classes() as f64,
                Average::Weighted => scores.total().positives as f64 / rows as f64,
            };
            value += weight * area.value;
            error += weight * (area.interval.high - area.interval.low) / (2.0 * Z);
            support = support.min(area.support);
            minimum = minimum.max(area.minimum);
        }
        let Interval { low, high } = normal(value, error);
        let interval = Interval { low: low.max(0.0), high: high.min(1.0) };
        Ok(Estimate { value, interval, support, minimum })
    }

    /// Rows that came with probabilities.
    fn scored(&self) -> u64 {
        self.scores.first().map_or(0, |scores| scores.rows())
    }
}
