//! Scores with their outcomes on fixed edges: bounded, with a stated error.

use super::score_counts::{Outcomes, ScoreCounts};
use crate::decode::{DecodeError, Reader, put_varint};

const FORMAT: u8 = 1;

/// Outcomes counted between fixed ascending edges. Bin `i` holds the scores from `edges[i - 1]` (included) to `edges[i]`
/// (excluded); the first and the last bin are open. Merging is commutative and associative, bit for bit.
///
/// Counts at or above a threshold that is an edge are exact. Everything else is read off [`counts`](Self::counts),
/// where a bin's rows share one score; [`auc_error`](Self::auc_error) and [`width`](Self::width) bound what that costs.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreBins {
    edges: Vec<f64>,
    bins: Vec<Outcomes>,
    not_finite: u64,
}

impl ScoreBins {
    /// Empty bins; `None` unless the edges are finite, strictly ascending and at least one.
    pub fn new(edges: Vec<f64>) -> Option<Self> {
        let ascends = edges.windows(2).all(|pair| pair[0] < pair[1]);
        let bins = vec![Outcomes::default(); edges.len() + 1];
        (ascends && !edges.is_empty() && edges.iter().all(|edge| edge.is_finite())).then_some(Self {
            edges,
            bins,
            not_finite: 0,
        })
    }

    /// Bins of equal width over the unit interval, with `threshold` as one more edge.
    pub fn of_probabilities(bins: usize, threshold: f64) -> Option<Self> {
        let mut edges: Vec<f64> = (0..=bins).map(|i| i as f64 / bins as f64).chain([threshold]).collect();
        edges.sort_by(f64::total_cmp);
        edges.dedup();
        Self::new(edges)
    }

    /// Takes one row; a score that is not finite is counted aside.
    pub fn add(&mut self, score: f64, positive: bool) {
        if !score.is_finite() {
            self.not_finite += 1;
            return;
        }
        let bin = &mut self.bins[self.edges.partition_point(|edge| *edge <= score)];
        *(if positive { &mut bin.positives } else { &mut bin.negatives }) += 1;
    }

    /// Adds the rows of `other`. Returns whether its edges are these; if not, nothing changes.
    pub fn merge(&mut self, other: &Self) -> bool {
        if self.edges != other.edges {
            return false;
        }
        for (bin, more) in self.bins.iter_mut().zip(&other.bins) {
            bin.positives += more.positives;
            bin.negatives += more.negatives;
        }
        self.not_finite += other.not_finite;
        true
    }

    /// The edges, ascending.
    pub fn edges(&self) -> &[f64] {
        &self.edges
    }

    /// Rows whose score was not finite; they enter no metric.
    pub fn not_finite(&self) -> u64 {
        self.not_finite
    }

    /// The rows with the scores of a bin drawn together: at its middle, in the open bins at their edge (just below the
    /// first one).
    pub fn counts(&self) -> ScoreCounts {
        let mut counts = ScoreCounts::default();
        for (i, outcomes) in self.bins.iter().enumerate() {
            let score = match (i.checked_sub(1).map(|below| self.edges[below]), self.edges.get(i)) {
                (Some(low), Some(high)) => low + (high - low) / 2.0,
                (Some(low), None) => low,
                (None, high) => high.map_or(0.0, |edge| edge.next_down()),
            };
            counts.add_outcomes(score, *outcomes);
        }
        counts
    }

    /// How far the AUC of [`counts`](Self::counts) can be from that of the scores: half the share of the pairs (positive,
    /// negative) that fall into one bin. Zero without both classes.
    pub fn auc_error(&self) -> f64 {
        let total = self
            .bins
            .iter()
            .fold((0.0, 0.0), |(p, n), bin| (p + bin.positives as f64, n + bin.negatives as f64));
        let pairs = total.0 * total.1;
        let tied: f64 = self.bins.iter().map(|bin| bin.positives as f64 * bin.negatives as f64).sum();
        if pairs > 0.0 { tied / pairs / 2.0 } else { 0.0 }
    }

    /// How far a score can be moved by half at most: the widest inner bin that holds rows. The Brier score then moves by
    /// at most this width. Rows in the open bins are not bounded; probabilities have none there.
    pub fn width(&self) -> f64 {
        let inner = self.edges.windows(2).zip(&self.bins[1..]);
        inner.filter(|(_, bin)| bin.rows() > 0).map(|(pair, _)| pair[1] - pair[0]).fold(0.0, f64::max)
    }

    /// Equal states have equal bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![FORMAT];
        put_varint(&mut bytes, self.edges.len() as u64);
        self.edges.iter().for_each(|edge| bytes.extend_from_slice(&edge.to_le_bytes()));
        for bin in &self.bins {
            put_varint(&mut bytes, bin.positives);
            put_varint(&mut bytes, bin.negatives);
        }
        put_varint(&mut bytes, self.not_finite);
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote; anything else is an error that says where.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new("score bins", bytes);
        reader.format(FORMAT)?;
        let edges = (0..reader.varint()?).map(|_| reader.float()).collect::<Result<Vec<_>, _>>()?;
        let Some(mut state) = Self::new(edges) else {
            return Err(reader.malformed("edges do not ascend"));
        };
        for bin in &mut state.bins {
            *bin = Outcomes { positives: reader.varint()?, negatives: reader.varint()? };
        }
        state.not_finite = reader.varint()?;
        reader.end()?;
        Ok(state)
    }
}
