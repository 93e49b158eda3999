//! Metrics of classifiers with more than two classes.
use super::{DecodeError, Measured};
/// Confusion, losses and scores per class, mergeable.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassCounts {}
/// How per-class figures become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Average {
    /// Every class alike.
    Macro,
    /// By how often the class occurs.
    Weighted,
}
impl ClassCounts {
    /// For this many classes.
    pub fn new(classes: usize) -> Self { unimplemented!("{classes}") }
    /// Takes a row: the class it is of, the class predicted, the probability of each class (none: no log loss, no AUC).
    pub fn add(&mut self, actual: usize, predicted: usize, probabilities: Option<&[f64]>) -> bool { unimplemented!("{actual} {predicted} {probabilities:?}") }
    /// Adds the rows of `other`.
    pub fn merge(&mut self, other: &Self) -> bool { unimplemented!("{other:?}") }
    /// Bytes.
    pub fn to_bytes(&self) -> Vec<u8> { unimplemented!() }
    /// Reads them.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> { unimplemented!("{bytes:?}") }
    /// Accuracy.
    pub fn accuracy(&self) -> Measured { unimplemented!() }
    /// Precision.
    pub fn precision(&self, average: Average) -> Measured { unimplemented!("{average:?}") }
    /// Recall.
    pub fn recall(&self, average: Average) -> Measured { unimplemented!("{average:?}") }
    /// F1.
    pub fn f1(&self, average: Average) -> Measured { unimplemented!("{average:?}") }
    /// Log loss.
    pub fn log_loss(&self) -> Measured { unimplemented!() }
    /// AUC one-vs-rest.
    pub fn auc(&self, average: Average) -> Measured { unimplemented!("{average:?}") }
}
