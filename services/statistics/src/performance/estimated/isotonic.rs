//! Scores made probabilities by isotonic regression.

use crate::performance::ScoreCounts;

/// A non-decreasing curve from score to probability: constant where outcomes were pooled, linear between, and beyond its
/// ends as at its ends. Pool-adjacent-violators (R. E. Barlow et al., "Statistical Inference under Order Restrictions",
/// 1972) with scikit-learn's interpolation.
#[derive(Debug, Clone, PartialEq)]
pub struct Isotonic {
    /// (score, probability), scores ascending.
    knots: Vec<(f64, f64)>,
}

/// Adjacent scores pooled.
struct Block {
    first: f64,
    last: f64,
    positives: u64,
    rows: u64,
}

impl Block {
    /// Whether the positive share is at least that of `next`, exactly.
    fn not_below(&self, next: &Self) -> bool {
        u128::from(self.positives) * u128::from(next.rows)
            >= u128::from(next.positives) * u128::from(self.rows)
    }
}

impl Isotonic {
    /// Fits to the outcomes of a reference; `None` without rows.
    pub fn fit(reference: &ScoreCounts) -> Option<Self> {
        let mut blocks: Vec<Block> = Vec::new();
        for (score, at) in reference.ascending() {
            let mut block = Block { first: score, last: score, positives: at.positives, rows: at.rows() };
            while let Some(before) = blocks.pop_if(|before| before.not_below(&block)) {
                block.first = before.first;
                block.positives += before.positives;
                block.rows += before.rows;
            }
            blocks.push(block);
        }
        let mut knots = Vec::with_capacity(2 * blocks.len());
        for block in &blocks {
            let probability = block.positives as f64 / block.rows as f64;
            knots.push((block.first, probability));
            if block.last > block.first {
                knots.push((block.last, probability));
            }
        }
        (!knots.is_empty()).then_some(Self { knots })
    }

    /// Probability at a score.
    pub fn probability(&self, score: f64) -> f64 {
        let above = self.knots.partition_point(|(knot, _)| *knot <= score);
        match (above.checked_sub(1).map(|below| self.knots[below]), self.knots.get(above)) {
            (None, Some((_, first))) => *first,
            (Some((_, last)), None) => last,
            (Some((x0, y0)), Some((x1, y1))) => y0 + (y1 - y0) / (x1 - x0) * (score - x0),
            (None, None) => 0.5,
        }
    }

    /// The curve's corners: (score, probability), scores ascending.
    pub fn knots(&self) -> &[(f64, f64)] {
        &self.knots
    }
}
