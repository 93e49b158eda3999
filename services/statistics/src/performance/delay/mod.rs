//! How late labels come, and whether they have stopped.
use super::{DecodeError, Measured};
/// Empirical distribution of label delays on log buckets, mergeable.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DelayCurve {}
impl DelayCurve {
    /// A prediction whose label came after this many milliseconds.
    pub fn add(&mut self, delay_ms: i64) { unimplemented!("{delay_ms}") }
    /// A prediction old enough that no label is to come.
    pub fn add_unlabelled(&mut self) { unimplemented!() }
    /// Adds the rows of `other`.
    pub fn merge(&mut self, other: &Self) { unimplemented!("{other:?}") }
    /// Bytes.
    pub fn to_bytes(&self) -> Vec<u8> { unimplemented!() }
    /// Reads them.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> { unimplemented!("{bytes:?}") }
    /// Share of predictions that have their label by this age; `None` before anything was learnt.
    pub fn labelled_by(&self, age_ms: i64) -> Option<f64> { unimplemented!("{age_ms}") }
    /// Labels expected in `[from_ms, to_ms)` for predictions of (time, rows).
    pub fn expected(&self, predictions: &[(i64, u64)], from_ms: i64, to_ms: i64) -> Option<f64> { unimplemented!("{predictions:?} {from_ms} {to_ms}") }
    /// Share of the labels still to come that have come.
    pub fn maturity(&self, predictions: &[(i64, u64)], now_ms: i64) -> Option<f64> { unimplemented!("{predictions:?} {now_ms}") }
}
/// Share of predictions that have a label.
pub fn coverage(labelled: u64, predictions: u64) -> Measured { unimplemented!("{labelled} {predictions}") }
/// Whether fewer labels came than expected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stopped {
    /// Labels that came.
    pub observed: u64,
    /// Labels that were to come.
    pub expected: f64,
    /// Probability of so few or fewer, if labels come as learnt.
    pub p_value: f64,
}
/// The test; `dispersion` is the variance of counts over their mean, 1 for labels that come independently.
pub fn stopped(observed: u64, expected: f64, dispersion: f64) -> Stopped { unimplemented!("{observed} {expected} {dispersion}") }
