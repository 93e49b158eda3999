use crate::performance::{Measured, ScoreCounts};
/// Precision among the k highest scores.
pub fn precision_at_k(counts: &ScoreCounts, k: u64) -> Measured { unimplemented!("{counts:?} {k}") }
/// Share of the positives among the k highest scores.
pub fn recall_at_k(counts: &ScoreCounts, k: u64) -> Measured { unimplemented!("{counts:?} {k}") }
