//! Metrics of regressions.
use super::{DecodeError, Measured};
/// Exact sums of errors, mergeable.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ErrorSums {}
impl ErrorSums {
    /// Takes a row; values that are not finite are counted aside.
    pub fn add(&mut self, predicted: f64, actual: f64) { unimplemented!("{predicted} {actual}") }
    /// Takes a row out again.
    pub fn remove(&mut self, predicted: f64, actual: f64) { unimplemented!("{predicted} {actual}") }
    /// Adds the rows of `other`.
    pub fn merge(&mut self, other: &Self) { unimplemented!("{other:?}") }
    /// Rows.
    pub fn rows(&self) -> u64 { unimplemented!() }
    /// Bytes.
    pub fn to_bytes(&self) -> Vec<u8> { unimplemented!() }
    /// Reads them.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> { unimplemented!("{bytes:?}") }
    /// Mean absolute error.
    pub fn mae(&self) -> Measured { unimplemented!() }
    /// Root mean squared error.
    pub fn rmse(&self) -> Measured { unimplemented!() }
    /// Mean of predicted minus actual.
    pub fn bias(&self) -> Measured { unimplemented!() }
}
