use crate::performance::{Measured, ScoreCounts};
/// Counts of a decision against the truth.
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
    pub fn at(counts: &ScoreCounts, threshold: f64) -> Self { unimplemented!("{counts:?} {threshold}") }
    /// Adds the rows of `other`.
    pub fn merge(&mut self, other: &Self) { unimplemented!("{other:?}") }
    /// Precision.
    pub fn precision(&self) -> Measured { unimplemented!() }
    /// Recall.
    pub fn recall(&self) -> Measured { unimplemented!() }
    /// F1.
    pub fn f1(&self) -> Measured { unimplemented!() }
    /// Accuracy.
    pub fn accuracy(&self) -> Measured { unimplemented!() }
}
