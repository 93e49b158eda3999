//! Metrics of regressions, from exact sums of errors.

use super::interval::{MEAN_MINIMUM, normal};
use super::{Estimate, Interval, Measured, Undefined};
use crate::decode::{DecodeError, Reader, put_block, put_varint};
use crate::exact_sum::ExactSum;

const FORMAT: u8 = 1;

/// Sums of errors (predicted minus actual) and of their powers, each exact. Merging is commutative and associative, bit
/// for bit: the state is a function of the multiset of rows alone. Its size does not grow with the rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ErrorSums {
    rows: u64,
    not_finite: u64,
    /// Of the error, its magnitude, its square, its fourth power.
    sums: [ExactSum; 4],
}

impl ErrorSums {
    /// Takes a row. A row whose prediction, label or difference is not finite is counted aside.
    pub fn add(&mut self, predicted: f64, actual: f64) {
        self.step(predicted, actual, false);
    }

    /// Takes a row out again that was added before, as when its label is corrected.
    pub fn remove(&mut self, predicted: f64, actual: f64) {
        self.step(predicted, actual, true);
    }

    fn step(&mut self, predicted: f64, actual: f64, leaving: bool) {
        let error = predicted - actual;
        let count = if error.is_finite() { &mut self.rows } else { &mut self.not_finite };
        *count = if leaving { count.saturating_sub(1) } else { *count + 1 };
        if error.is_finite() {
            let square = error * error;
            for (sum, power) in self.sums.iter_mut().zip([error, error.abs(), square, square * square]) {
                sum.step(power, leaving);
            }
        }
    }

    /// Adds the rows of `other`.
    pub fn merge(&mut self, other: &Self) {
        self.rows += other.rows;
        self.not_finite += other.not_finite;
        self.sums.iter_mut().zip(&other.sums).for_each(|(sum, more)| sum.merge(more));
    }

    /// Rows that enter the metrics.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Rows whose error was not finite; they enter no metric.
    pub fn not_finite(&self) -> u64 {
        self.not_finite
    }

    /// Mean absolute error, in the label's unit. Interval: normal, of a mean.
    ///
    /// # Errors
    /// Without rows, or where sums overflow.
    pub fn mae(&self) -> Measured {
        let [_, magnitude, square, _] = self.means()?;
        let estimate = self.of_mean(magnitude, square);
        let Interval { low, high } = estimate.interval;
        Ok(Estimate { interval: Interval { low: low.max(0.0), high }, ..estimate })
    }

    /// Root mean squared error, in the label's unit. Interval: that of the mean of squares, under the root.
    ///
    /// # Errors
    /// Without rows, or where sums overflow.
    pub fn rmse(&self) -> Measured {
        let [_, _, square, fourth] = self.means()?;
        let mean = self.of_mean(square, fourth);
        let interval = Interval { low: mean.interval.low.max(0.0).sqrt(), high: mean.interval.high.sqrt() };
        Ok(Estimate { value: square.sqrt(), interval, ..mean })
    }

    /// Mean of predicted minus actual, in the label's unit: above zero where predictions are too high. Interval:
    /// normal, of a mean.
    ///
    /// # Errors
    /// Without rows, or where sums overflow.
    pub fn bias(&self) -> Measured {
        let [error, _, square, _] = self.means()?;
        Ok(self.of_mean(error, square))
    }

    fn means(&self) -> Result<[f64; 4], Undefined> {
        if self.rows == 0 {
            return Err(Undefined::NoRows);
        }
        let means = self.sums.each_ref().map(|sum| sum.round() / self.rows as f64);
        if means.iter().all(|mean| mean.is_finite()) { Ok(means) } else { Err(Undefined::Overflow) }
    }

    /// A mean with its normal interval, from the mean of squares.
    fn of_mean(&self, mean: f64, mean_square: f64) -> Estimate {
        let n = self.rows as f64;
        let spread = (mean_square - mean * mean).max(0.0);
        let error = if n > 1.0 { (spread / (n - 1.0)).sqrt() } else { 0.0 };
        Estimate { value: mean, interval: normal(mean, error), support: self.rows, minimum: MEAN_MINIMUM }
    }

    /// Equal states have equal bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![FORMAT];
        put_varint(&mut bytes, self.rows);
        put_varint(&mut bytes, self.not_finite);
        self.sums.iter().for_each(|sum| put_block(&mut bytes, &sum.to_bytes()));
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote; anything else is an error that says where.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new("error sums", bytes);
        reader.format(FORMAT)?;
        let mut sums = Self { rows: reader.varint()?, not_finite: reader.varint()?, ..Self::default() };
        for sum in &mut sums.sums {
            *sum = ExactSum::from_bytes(reader.block()?)?;
        }
        reader.end()?;
        Ok(sums)
    }
}
