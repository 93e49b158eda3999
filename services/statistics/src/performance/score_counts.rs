//! Scores with their outcomes, as an exact multiset.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::decode::{DecodeError, Reader, put_varint};

const FORMAT: u8 = 1;

/// How many rows of one score turned out positive and negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outcomes {
    /// Rows whose label is positive.
    pub positives: u64,
    /// Rows whose label is negative.
    pub negatives: u64,
}

impl Outcomes {
    /// Rows of either class.
    pub fn rows(&self) -> u64 {
        self.positives + self.negatives
    }
}

/// Distinct finite scores, ascending, with the outcomes of their rows. Merging is commutative and associative, bit for
/// bit: the state is a function of the multiset of rows alone. One entry a distinct score.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScoreCounts {
    /// By score, in a form whose order as integers is that of the scores.
    counts: BTreeMap<u64, Outcomes>,
    total: Outcomes,
    not_finite: u64,
}

impl ScoreCounts {
    /// From rows of (score, label).
    pub fn of(rows: impl IntoIterator<Item = (f64, bool)>) -> Self {
        let mut counts = Self::default();
        for (score, positive) in rows {
            counts.add(score, positive);
        }
        counts
    }

    /// Takes one row. A score that is not finite is counted aside and enters no metric. `-0.0` counts as `0.0`.
    pub fn add(&mut self, score: f64, positive: bool) {
        let outcomes = if positive {
            Outcomes { positives: 1, negatives: 0 }
        } else {
            Outcomes { positives: 0, negatives: 1 }
        };
        self.add_outcomes(score, outcomes);
    }

    /// Takes rows of one score.
    pub fn add_outcomes(&mut self, score: f64, outcomes: Outcomes) {
        if !score.is_finite() {
            self.not_finite += outcomes.rows();
        } else if outcomes.rows() > 0 {
            let entry = self.counts.entry(ordered(score)).or_default();
            *entry = sum(*entry, outcomes);
            self.total = sum(self.total, outcomes);
        }
    }

    /// Takes one row out again, as when its label is corrected. Returns whether it was there; if not, nothing changes.
    pub fn remove(&mut self, score: f64, positive: bool) -> bool {
        if !score.is_finite() {
            let there = self.not_finite > 0;
            self.not_finite -= u64::from(there);
            return there;
        }
        let Entry::Occupied(mut entry) = self.counts.entry(ordered(score)) else { return false };
        let outcomes = entry.get_mut();
        let (count, total) = if positive {
            (&mut outcomes.positives, &mut self.total.positives)
        } else {
            (&mut outcomes.negatives, &mut self.total.negatives)
        };
        if *count == 0 {
            return false;
        }
        *count -= 1;
        *total -= 1;
        if outcomes.rows() == 0 {
            entry.remove();
        }
        true
    }

    /// Adds the rows of `other`.
    pub fn merge(&mut self, other: &Self) {
        for (score, outcomes) in &other.counts {
            let entry = self.counts.entry(*score).or_default();
            *entry = sum(*entry, *outcomes);
        }
        self.total = sum(self.total, other.total);
        self.not_finite += other.not_finite;
    }

    /// Rows of a finite score, by class.
    pub fn total(&self) -> Outcomes {
        self.total
    }

    /// Rows of a finite score.
    pub fn rows(&self) -> u64 {
        self.total.rows()
    }

    /// Rows whose score was not finite; they enter no metric.
    pub fn not_finite(&self) -> u64 {
        self.not_finite
    }

    /// How many distinct scores: what the state's size grows with.
    pub fn distinct(&self) -> usize {
        self.counts.len()
    }

    /// Distinct scores with their outcomes, ascending.
    pub fn ascending(&self) -> impl DoubleEndedIterator<Item = (f64, Outcomes)> + '_ {
        self.counts.iter().map(|(score, outcomes)| (unordered(*score), *outcomes))
    }

    /// Distinct scores with their outcomes, descending: as a ranking reads.
    pub fn descending(&self) -> impl Iterator<Item = (f64, Outcomes)> + '_ {
        self.ascending().rev()
    }

    /// Outcomes of the rows at or above `threshold`.
    pub fn at_or_above(&self, threshold: f64) -> Outcomes {
        if threshold.is_nan() {
            return Outcomes::default();
        }
        self.counts.range(ordered(threshold)..).fold(Outcomes::default(), |total, (_, o)| sum(total, *o))
    }

    /// Equal states have equal bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![FORMAT];
        put_varint(&mut bytes, self.not_finite);
        put_varint(&mut bytes, self.counts.len() as u64);
        for (score, outcomes) in &self.counts {
            bytes.extend_from_slice(&score.to_be_bytes());
            put_varint(&mut bytes, outcomes.positives);
            put_varint(&mut bytes, outcomes.negatives);
        }
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote; anything else is an error that says where.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new("score counts", bytes);
        reader.format(FORMAT)?;
        let mut counts = Self { not_finite: reader.varint()?, ..Self::default() };
        let mut above = None;
        for _ in 0..reader.varint()? {
            let score = u64::from_be_bytes(reader.array()?);
            let outcomes = Outcomes { positives: reader.varint()?, negatives: reader.varint()? };
            if above.is_some_and(|above| score <= above) || !unordered(score).is_finite() {
                return Err(reader.malformed("scores do not ascend"));
            }
            let Some(rows) = outcomes.positives.checked_add(outcomes.negatives).filter(|rows| *rows > 0)
            else {
                return Err(reader.malformed("a score without rows"));
            };
            if rows.checked_add(counts.rows()).is_none() {
                return Err(reader.malformed("more rows than 64 bits count"));
            }
            counts.counts.insert(score, outcomes);
            counts.total = sum(counts.total, outcomes);
            above = Some(score);
        }
        reader.end()?;
        Ok(counts)
    }
}

fn sum(a: Outcomes, b: Outcomes) -> Outcomes {
    Outcomes { positives: a.positives + b.positives, negatives: a.negatives + b.negatives }
}

const SIGN: u64 = 1 << 63;

/// Bits whose order as integers is that of the numbers: the sign bit set on positives, all bits turned on negatives.
fn ordered(score: f64) -> u64 {
    let bits = (score + 0.0).to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

fn unordered(bits: u64) -> f64 {
    f64::from_bits(if bits & SIGN == 0 { !bits } else { bits & !SIGN })
}
