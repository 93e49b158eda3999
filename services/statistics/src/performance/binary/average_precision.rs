use crate::performance::{Measured, ScoreCounts};
/// Average precision.
pub fn average_precision(counts: &ScoreCounts) -> Measured { unimplemented!("{counts:?}") }
