//! Metrics of rankings.
use super::{DecodeError, Measured};
/// NDCG of one list of (score, relevance), as scikit-learn defines it.
pub fn ndcg(items: &[(f64, f64)], k: Option<usize>) -> Option<f64> { unimplemented!("{items:?} {k:?}") }
/// Reciprocal rank of the first relevant item.
pub fn reciprocal_rank(items: &[(f64, f64)]) -> Option<f64> { unimplemented!("{items:?}") }
/// Sums over lists, mergeable.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RankingSums {}
impl RankingSums {
    /// Cut at k.
    pub fn new(k: Option<usize>) -> Self { unimplemented!("{k:?}") }
    /// Takes a list of (score, relevance).
    pub fn add(&mut self, items: &[(f64, f64)]) { unimplemented!("{items:?}") }
    /// Adds the lists of `other`.
    pub fn merge(&mut self, other: &Self) -> bool { unimplemented!("{other:?}") }
    /// Bytes.
    pub fn to_bytes(&self) -> Vec<u8> { unimplemented!() }
    /// Reads them.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> { unimplemented!("{bytes:?}") }
    /// Mean NDCG.
    pub fn ndcg(&self) -> Measured { unimplemented!() }
    /// Mean reciprocal rank.
    pub fn mrr(&self) -> Measured { unimplemented!() }
}
