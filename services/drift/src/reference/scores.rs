//! Scores with their labels: what performance before labels is estimated from.

/// A scored row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoreRow {
    /// Hash of its id.
    pub id: u64,
    /// What the model said.
    pub score: f64,
    /// What came true: 0 or 1, or the target of a regression; NaN: not known.
    pub label: f64,
}

/// Scored rows, at most a bound of them: those of the smallest id hashes. Merges commutatively and associatively.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    /// How many rows there were.
    pub rows: u64,
    /// How many of them had a label.
    pub labelled: u64,
    /// The kept ones, by ascending id hash.
    pub sample: Vec<ScoreRow>,
    bound: usize,
}
