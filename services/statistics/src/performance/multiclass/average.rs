//! Accuracy, and precision, recall and F1 averaged over classes.

use super::ClassCounts;
use crate::performance::binary::proportion;
use crate::performance::interval::{MEAN_MINIMUM, normal};
use crate::performance::{Estimate, Interval, Measured, Undefined};

/// How the figures of classes become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Average {
    /// Every class alike.
    Macro,
    /// Each class by its rows.
    Weighted,
}

/// A class's figure, from shares of all rows: those of it and predicted so, of it, and predicted so.
type Figure = fn(both: f64, actual: f64, predicted: f64) -> Slopes;

/// A figure and its derivatives by the three shares.
struct Slopes {
    value: f64,
    both: f64,
    actual: f64,
    predicted: f64,
}

impl ClassCounts {
    /// Share of the rows predicted as the class they are of. Wilson's interval.
    ///
    /// # Errors
    /// Without rows.
    pub fn accuracy(&self) -> Measured {
        let right = (0..self.classes()).map(|class| self.count(class, class)).sum();
        proportion(right, self.rows()).ok_or(Undefined::NoRows)
    }

    /// Precision, averaged over the classes that occur (as label or as prediction); 0 for one never predicted.
    ///
    /// # Errors
    /// Without rows.
    pub fn precision(&self, average: Average) -> Measured {
        self.averaged(average, |both, _, predicted| ratio(both, predicted, false))
    }

    /// Recall, averaged over the classes that occur; 0 for one that is only ever predicted.
    ///
    /// # Errors
    /// Without rows.
    pub fn recall(&self, average: Average) -> Measured {
        self.averaged(average, |both, actual, _| ratio(both, actual, true))
    }

    /// F1, averaged over the classes that occur.
    ///
    /// # Errors
    /// Without rows.
    pub fn f1(&self, average: Average) -> Measured {
        self.averaged(average, |both, actual, predicted| {
            let whole = actual + predicted;
            let slope = -2.0 * both / (whole * whole);
            Slopes { value: 2.0 * both / whole, both: 2.0 / whole, actual: slope, predicted: slope }
        })
    }

    /// The average as scikit-learn takes it (`zero_division = 0`, labels those that occur). Interval: delta method over
    /// the multinomial table of rows, as K. Takahashi et al., "Confidence interval for micro-averaged F1 and
    /// macro-averaged F1 scores", Applied Intelligence 52, 2022, for F1; the minimum counts rows of the rarest class.
    fn averaged(&self, average: Average, figure: Figure) -> Measured {
        if self.rows() == 0 {
            return Err(Undefined::NoRows);
        }
        let n = self.rows() as f64;
        let occurs = |class: &usize| self.actual(*class) + self.predicted(*class) > 0;
        let classes: Vec<usize> = (0..self.classes()).filter(occurs).collect();
        let slopes: Vec<Slopes> = classes
            .iter()
            .map(|k| {
                figure(share(self.count(*k, *k), n), share(self.actual(*k), n), share(self.predicted(*k), n))
            })
            .collect();
        let weight = |at: usize| match average {
            Average::Macro => 1.0 / classes.len() as f64,
            Average::Weighted => share(self.actual(classes[at]), n),
        };
        let weights: Vec<f64> = (0..classes.len()).map(weight).collect();
        let value: f64 = weights.iter().zip(&slopes).map(|(weight, slope)| weight * slope.value).sum();
        let variance = self.variance(&classes, &slopes, &weights, average);
        let Interval { low, high } = normal(value, (variance / n).sqrt());
        let support = classes.iter().map(|class| self.actual(*class)).min().unwrap_or(0);
        let interval = Interval { low: low.max(0.0), high: high.min(1.0) };
        Ok(Estimate { value, interval, support, minimum: MEAN_MINIMUM })
    }

    /// Of the average in one row: that of its slope by the row's cell, over the table.
    fn variance(&self, classes: &[usize], slopes: &[Slopes], weights: &[f64], average: Average) -> f64 {
        let rows = self.rows() as f64;
        let (mut mean, mut squares) = (0.0, 0.0);
        for (i, actual) in classes.iter().enumerate() {
            for (j, predicted) in classes.iter().enumerate() {
                let cell = share(self.count(*actual, *predicted), rows);
                let mut slope = weights[i] * slopes[i].actual + weights[j] * slopes[j].predicted;
                slope += if i == j { weights[i] * slopes[i].both } else { 0.0 };
                // A row more of a class also weighs that class more.
                slope += if average == Average::Weighted { slopes[i].value } else { 0.0 };
                mean += cell * slope;
                squares += cell * slope * slope;
            }
        }
        (squares - mean * mean).max(0.0)
    }
}

fn share(count: u64, rows: f64) -> f64 {
    count as f64 / rows
}

/// `both / whole`, 0 of nothing.
fn ratio(both: f64, whole: f64, by_actual: bool) -> Slopes {
    if whole == 0.0 {
        return Slopes { value: 0.0, both: 0.0, actual: 0.0, predicted: 0.0 };
    }
    let slope = -both / (whole * whole);
    let (actual, predicted) = if by_actual { (slope, 0.0) } else { (0.0, slope) };
    Slopes { value: both / whole, both: 1.0 / whole, actual, predicted }
}
