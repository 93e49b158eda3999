//! What is kept of predictions over several classes.

use crate::decode::{DecodeError, Reader, put_block, put_varint};
use crate::exact_sum::ExactSum;
use crate::performance::ScoreCounts;

const FORMAT: u8 = 1;

/// Rows by actual and predicted class, the scores of each class against the rest, and the sums of logarithmic losses.
/// Merging is commutative and associative, bit for bit.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassCounts {
    /// Row-major: the actual class is the row.
    confusion: Vec<u64>,
    /// Per class, its probability with whether the row is of it; only rows that came with probabilities.
    pub(super) scores: Vec<ScoreCounts>,
    pub(super) loss: ExactSum,
    pub(super) squared_loss: ExactSum,
    unusable: u64,
}

impl ClassCounts {
    /// Empty, for this many classes.
    pub fn new(classes: usize) -> Self {
        Self {
            confusion: vec![0; classes * classes],
            scores: vec![ScoreCounts::default(); classes],
            loss: ExactSum::default(),
            squared_loss: ExactSum::default(),
            unusable: 0,
        }
    }

    /// Takes a row: the class it is of, the class predicted and, if known, the probability of each class. A row with a
    /// class that does not exist is counted as unusable; probabilities that are not one per class, or not all in
    /// [0, 1], are counted as unusable too, and the row's classes still count.
    pub fn add(&mut self, actual: usize, predicted: usize, probabilities: Option<&[f64]>) {
        let classes = self.classes();
        if actual >= classes || predicted >= classes {
            self.unusable += 1;
            return;
        }
        self.confusion[actual * classes + predicted] += 1;
        let Some(probabilities) = probabilities else { return };
        if probabilities.len() != classes || probabilities.iter().any(|p| !(0.0..=1.0).contains(p)) {
            self.unusable += 1;
            return;
        }
        for (class, (scores, probability)) in self.scores.iter_mut().zip(probabilities).enumerate() {
            scores.add(*probability, class == actual);
        }
        let loss = -libm::log(probabilities[actual].clamp(f64::EPSILON, 1.0 - f64::EPSILON));
        self.loss.step(loss, false);
        self.squared_loss.step(loss * loss, false);
    }

    /// Adds the rows of `other`. Returns whether it has as many classes; if not, nothing changes.
    pub fn merge(&mut self, other: &Self) -> bool {
        if self.classes() != other.classes() {
            return false;
        }
        self.confusion.iter_mut().zip(&other.confusion).for_each(|(count, more)| *count += more);
        self.scores.iter_mut().zip(&other.scores).for_each(|(scores, more)| scores.merge(more));
        self.loss.merge(&other.loss);
        self.squared_loss.merge(&other.squared_loss);
        self.unusable += other.unusable;
        true
    }

    /// How many classes.
    pub fn classes(&self) -> usize {
        self.scores.len()
    }

    /// Rows with both classes.
    pub fn rows(&self) -> u64 {
        self.confusion.iter().sum()
    }

    /// Rows, or their probabilities, that could not be used.
    pub fn unusable(&self) -> u64 {
        self.unusable
    }

    /// Rows of class `actual` that were predicted as `predicted`.
    pub fn count(&self, actual: usize, predicted: usize) -> u64 {
        self.confusion[actual * self.classes() + predicted]
    }

    /// Rows of a class.
    pub fn actual(&self, class: usize) -> u64 {
        (0..self.classes()).map(|predicted| self.count(class, predicted)).sum()
    }

    /// Rows predicted as a class.
    pub fn predicted(&self, class: usize) -> u64 {
        (0..self.classes()).map(|actual| self.count(actual, class)).sum()
    }

    /// Equal states have equal bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![FORMAT];
        put_varint(&mut bytes, self.classes() as u64);
        put_varint(&mut bytes, self.unusable);
        self.confusion.iter().for_each(|count| put_varint(&mut bytes, *count));
        self.scores.iter().for_each(|scores| put_block(&mut bytes, &scores.to_bytes()));
        put_block(&mut bytes, &self.loss.to_bytes());
        put_block(&mut bytes, &self.squared_loss.to_bytes());
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote; anything else is an error that says where.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new("class counts", bytes);
        reader.format(FORMAT)?;
        let classes = reader.varint()?;
        let unusable = reader.varint()?;
        // Each cell of the matrix takes a byte at least: a larger number of classes cannot be meant.
        let cells = classes.checked_mul(classes).filter(|cells| *cells <= bytes.len() as u64);
        let Some(cells) = cells else { return Err(reader.malformed("more classes than bytes")) };
        let confusion = (0..cells).map(|_| reader.varint()).collect::<Result<Vec<_>, _>>()?;
        let scores =
            (0..classes).map(|_| ScoreCounts::from_bytes(reader.block()?)).collect::<Result<Vec<_>, _>>()?;
        let loss = ExactSum::from_bytes(reader.block()?)?;
        let squared_loss = ExactSum::from_bytes(reader.block()?)?;
        reader.end()?;
        Ok(Self { confusion, scores, loss, squared_loss, unusable })
    }
}
