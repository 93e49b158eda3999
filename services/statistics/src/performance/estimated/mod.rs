//! Performance before labels come: estimates that assume P(y|x) unchanged.
use super::{Measured, ScoreCounts};
/// Scores made probabilities by isotonic regression.
#[derive(Debug, Clone, PartialEq)]
pub struct Isotonic {}
impl Isotonic {
    /// Fits a non-decreasing step curve to the outcomes by score.
    pub fn fit(reference: &ScoreCounts) -> Option<Self> { unimplemented!("{reference:?}") }
    /// Probability at a score.
    pub fn probability(&self, score: f64) -> f64 { unimplemented!("{score}") }
}
/// Confidence-based performance estimation (CBPE).
#[derive(Debug, Clone, PartialEq)]
pub struct Cbpe {}
impl Cbpe {
    /// From the scores of a window (with how many rows have each), a threshold, and the calibrator (none: scores are probabilities).
    pub fn of(scores: &[(f64, u64)], threshold: f64, calibrator: Option<&Isotonic>) -> Self { unimplemented!("{scores:?} {threshold} {calibrator:?}") }
    /// Expected AUC.
    pub fn auc(&self) -> Measured { unimplemented!() }
    /// Expected average precision.
    pub fn average_precision(&self) -> Measured { unimplemented!() }
    /// Expected precision.
    pub fn precision(&self) -> Measured { unimplemented!() }
    /// Expected recall.
    pub fn recall(&self) -> Measured { unimplemented!() }
    /// Expected F1.
    pub fn f1(&self) -> Measured { unimplemented!() }
    /// Expected accuracy.
    pub fn accuracy(&self) -> Measured { unimplemented!() }
    /// Expected true positives, false positives, true negatives, false negatives.
    pub fn confusion(&self) -> [f64; 4] { unimplemented!() }
}
/// Direct loss estimation: boosted trees that predict a row's loss from its features. Not nannyml's.
#[derive(Debug, Clone, PartialEq)]
pub struct LossModel {}
impl LossModel {
    /// Fits to rows of features (row-major, NaN is missing) and their losses.
    pub fn fit(features: &[f64], columns: usize, losses: &[f64]) -> Option<Self> { unimplemented!("{features:?} {columns} {losses:?}") }
    /// Expected loss of a row.
    pub fn loss(&self, row: &[f64]) -> f64 { unimplemented!("{row:?}") }
}
