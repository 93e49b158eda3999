//! The sample of whole rows: those of the smallest id hashes.

/// Rows of a profile's sample, by ascending id hash.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleRows {
    /// Hashes of the ids, ascending, distinct.
    pub ids: Vec<u64>,
    /// How many rows of the window had that id: above 1 it was duplicated. (Of such rows the one of the least values is kept.)
    pub copies: Vec<u32>,
    /// Per column of the plan, a cell a row.
    pub columns: Vec<SampleColumn>,
}

/// Cells of one column in the sample.
#[derive(Debug, Clone, PartialEq)]
pub enum SampleColumn {
    /// Numeric: the value; NaN where it is missing or of the wrong type, infinities as they are.
    Numbers(Vec<f64>),
    /// Category, boolean, id: the hash of the value ([`crate::hash::of_text`]; of `false` and `true`); 0 where missing.
    Hashes(Vec<u64>),
}

/// The sample as it is kept.
#[derive(Debug, Clone)]
pub(super) struct RowSample {}
