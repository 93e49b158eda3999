use crate::performance::{Measured, ScoreCounts};
/// Area under the ROC curve.
pub fn auc(counts: &ScoreCounts) -> Measured { unimplemented!("{counts:?}") }
