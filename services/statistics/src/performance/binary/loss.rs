use crate::performance::{Measured, ScoreCounts};
/// Mean logarithmic loss.
pub fn log_loss(counts: &ScoreCounts) -> Measured { unimplemented!("{counts:?}") }
/// Brier score.
pub fn brier(counts: &ScoreCounts) -> Measured { unimplemented!("{counts:?}") }
