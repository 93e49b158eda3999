//! All scores of a block with what came true, as counts: what the distribution of scores and metrics on labels are
//! calibrated on. A sample will not do, since few rows (frauds, alerts) carry these metrics.

use millrace_statistics::DecodeError;
use millrace_statistics::decode::{Reader, put_block};
use millrace_statistics::performance::ScoreCounts;
use millrace_statistics::performance::regression::ErrorSums;

/// Scored rows. Merges commutatively and associatively, bit for bit; its size is bounded by the scores' range, since
/// scores are rounded up to 10 bits of mantissa (by 0.1 % at most).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scored {
    /// Rows with a label of 0 or 1.
    binary: ScoreCounts,
    /// All others, as if negative.
    others: ScoreCounts,
    /// Of rows with a label: score minus label.
    errors: ErrorSums,
}

/// Bits of a number below those that are kept.
const SHIFT: u32 = 42;

/// The largest number of those that share sign, exponent and the first 10 bits of the mantissa.
fn rounded_up(score: f64) -> f64 {
    let bits = (score + 0.0).to_bits();
    let below = (1 << SHIFT) - 1;
    match score {
        score if !score.is_finite() || score == 0.0 => score,
        score if score > 0.0 => f64::from_bits(bits | below),
        _ => f64::from_bits(bits & !below),
    }
}

impl Scored {
    /// Adds a row; a label that is not known is NaN.
    pub fn add(&mut self, score: f64, label: f64) {
        let positive = label == 1.0;
        match positive || label == 0.0 {
            true => self.binary.add(rounded_up(score), positive),
            false => self.others.add(rounded_up(score), false),
        }
        if !label.is_nan() {
            self.errors.add(score, label);
        }
    }

    /// Adds the rows of another.
    pub fn merge(&mut self, other: &Self) {
        self.binary.merge(&other.binary);
        self.others.merge(&other.others);
        self.errors.merge(&other.errors);
    }

    /// Scores with labels; none where a label is no class.
    pub fn binary(&self) -> Option<&ScoreCounts> {
        (self.binary.rows() == self.errors.rows()).then_some(&self.binary)
    }

    /// Errors of predicted numbers.
    pub fn errors(&self) -> &ErrorSums {
        &self.errors
    }

    /// Rows with a score and a label.
    pub fn labelled(&self) -> u64 {
        self.errors.rows()
    }

    /// Every score, ascending, NaN for rows without a finite one at the end.
    pub fn scores(&self) -> Vec<f64> {
        let mut all = self.binary.clone();
        all.merge(&self.others);
        let rows = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        let each = all.ascending().flat_map(|(score, of)| std::iter::repeat_n(score, rows(of.rows())));
        each.chain(std::iter::repeat_n(f64::NAN, rows(all.not_finite()))).collect()
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![FORMAT];
        for part in [self.binary.to_bytes(), self.others.to_bytes(), self.errors.to_bytes()] {
            put_block(&mut bytes, &part);
        }
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new("scored rows", bytes);
        reader.format(FORMAT)?;
        let scored = Self {
            binary: ScoreCounts::from_bytes(reader.block()?)?,
            others: ScoreCounts::from_bytes(reader.block()?)?,
            errors: ErrorSums::from_bytes(reader.block()?)?,
        };
        reader.end()?;
        Ok(scored)
    }
}

const FORMAT: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Dice;

    #[test]
    fn scores_are_rounded_by_a_thousandth_at_most_and_in_their_order() {
        let mut dice = Dice::new(1);
        for _ in 0..1_000 {
            let score = (dice.unit() - 0.5) * 10_f64.powi(dice.below(12) as i32 - 6);
            let rounded = rounded_up(score);
            assert!(rounded >= score && rounded - score <= score.abs() / 1_000.0, "{score} {rounded}");
            assert_eq!(rounded_up(rounded), rounded);
        }
        assert_eq!((rounded_up(0.0), rounded_up(f64::INFINITY)), (0.0, f64::INFINITY));
    }

    #[test]
    fn what_is_kept_does_not_depend_on_the_order_and_comes_back_from_bytes() {
        let rows = [(0.25, 1.0), (0.5, 0.0), (0.75, f64::NAN), (f64::NAN, 1.0), (0.5, 0.0)];
        let of = |rows: &[(f64, f64)]| {
            let mut scored = Scored::default();
            rows.iter().for_each(|(score, label)| scored.add(*score, *label));
            scored
        };
        let whole = of(&rows);
        let (mut one, other) = (of(&rows[3..]), of(&rows[..3]));
        one.merge(&other);
        assert_eq!(one, whole);
        assert_eq!(Scored::from_bytes(&whole.to_bytes()), Ok(whole.clone()));
        assert!(Scored::from_bytes(&whole.to_bytes()[1..]).is_err());
        let scores = whole.scores();
        assert_eq!(scores.len(), 5);
        assert!(scores[..4].is_sorted() && scores[4].is_nan());
        assert_eq!(whole.binary().map(|counts| counts.total().positives), Some(1));
        assert_eq!((of(&[(0.5, 3.0)]).binary(), of(&[(0.5, 3.0)]).labelled()), (None, 1));
    }
}
