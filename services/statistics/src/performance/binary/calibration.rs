use crate::performance::{Measured, ScoreCounts, Undefined};
/// One bin of a reliability curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalibrationBin {
    /// Rows in the bin.
    pub rows: u64,
    /// Of them positive.
    pub positives: u64,
    /// Mean predicted probability.
    pub confidence: f64,
}
/// Bins of equal width.
pub fn calibration_bins(counts: &ScoreCounts, bins: usize) -> Result<Vec<CalibrationBin>, Undefined> { unimplemented!("{counts:?} {bins}") }
/// ECE.
pub fn expected_calibration_error(counts: &ScoreCounts, bins: usize) -> Measured { unimplemented!("{counts:?} {bins}") }
