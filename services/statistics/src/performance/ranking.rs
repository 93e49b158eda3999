//! Metrics of rankings, from lists of (score, relevance).

use super::interval::{MEAN_MINIMUM, normal};
use super::{Estimate, Interval, Measured, Undefined};
use crate::decode::{DecodeError, Reader, put_block, put_varint};
use crate::exact_sum::ExactSum;

const FORMAT: u8 = 1;

/// Normalised discounted cumulative gain of one list of (score, relevance), cut at the `k` highest scores: gain is the
/// relevance itself, the discount log2(1 + rank), items of one score share the mean gain of their ranks, and the ideal
/// order divides; as scikit-learn's `ndcg_score`, 0 of a list without relevant items. K. Järvelin, J. Kekäläinen,
/// "Cumulated gain-based evaluation of IR techniques", ACM TOIS 20, 2002.
///
/// `None` of fewer than two items (there is nothing to rank), or where a number is not finite or a relevance negative.
pub fn ndcg(items: &[(f64, f64)], k: Option<usize>) -> Option<f64> {
    let usable = items
        .iter()
        .all(|(score, relevance)| score.is_finite() && relevance.is_finite() && *relevance >= 0.0);
    if items.len() < 2 || !usable {
        return None;
    }
    let cut = k.unwrap_or(items.len()).min(items.len());
    let ideal: Vec<(f64, f64)> = items.iter().map(|(_, relevance)| (*relevance, *relevance)).collect();
    let best = gain(&ideal, cut);
    Some(if best > 0.0 { gain(items, cut) / best } else { 0.0 })
}

/// Discounted cumulative gain, items of one score sharing theirs.
fn gain(items: &[(f64, f64)], cut: usize) -> f64 {
    let mut rank = 0;
    let groups = tied(items);
    let gains = groups.iter().map(|group| {
        let discounts: f64 =
            (rank..(rank + group.len()).min(cut).max(rank)).map(|r| 1.0 / libm::log2(r as f64 + 2.0)).sum();
        rank += group.len();
        group.iter().sum::<f64>() / group.len() as f64 * discounts
    });
    gains.sum()
}

/// Relevances of the items of each score, the highest first.
fn tied(items: &[(f64, f64)]) -> Vec<Vec<f64>> {
    let mut sorted: Vec<(f64, f64)> =
        items.iter().map(|(score, relevance)| (score + 0.0, *relevance)).collect();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.total_cmp(&a.1)));
    sorted.chunk_by(|a, b| a.0 == b.0).map(|group| group.iter().map(|item| item.1).collect()).collect()
}

/// One over the rank of the first relevant item (relevance above zero), 0 without one; where it is tied, the mean over
/// all orders of the tied items (F. McSherry, M. Najork, ECIR 2008). E. M. Voorhees, "The TREC-8 question answering
/// track report", 1999. `None` of an empty list, or where a number is not finite.
pub fn reciprocal_rank(items: &[(f64, f64)]) -> Option<f64> {
    if items.is_empty() || items.iter().any(|(score, relevance)| !score.is_finite() || !relevance.is_finite())
    {
        return None;
    }
    let mut above = 0;
    for group in tied(items) {
        let relevant = group.iter().filter(|relevance| **relevance > 0.0).count();
        if relevant > 0 {
            return Some(expected_reciprocal(above, group.len(), relevant));
        }
        above += group.len();
    }
    Some(0.0)
}

/// Mean of one over the rank of the first of `relevant` among `tied` items in random order, after `above` others.
fn expected_reciprocal(above: usize, tied: usize, relevant: usize) -> f64 {
    let (mut none_yet, mut mean) = (1.0, 0.0);
    for place in 0..=tied - relevant {
        let here = relevant as f64 / (tied - place) as f64;
        mean += none_yet * here / (above + place + 1) as f64;
        none_yet *= 1.0 - here;
    }
    mean
}

/// Sums of a figure per list, exact.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Lists {
    lists: u64,
    sum: ExactSum,
    squares: ExactSum,
}

impl Lists {
    fn add(&mut self, value: f64) {
        self.lists += 1;
        self.sum.step(value, false);
        self.squares.step(value * value, false);
    }

    fn merge(&mut self, other: &Self) {
        self.lists += other.lists;
        self.sum.merge(&other.sum);
        self.squares.merge(&other.squares);
    }

    /// Both figures lie in [0, 1], and so does the interval.
    fn mean(&self) -> Measured {
        if self.lists == 0 {
            return Err(Undefined::NoRows);
        }
        let n = self.lists as f64;
        let value = self.sum.round() / n;
        let spread = (self.squares.round() / n - value * value).max(0.0);
        let error = if n > 1.0 { (spread / (n - 1.0)).sqrt() } else { 0.0 };
        let Interval { low, high } = normal(value, error);
        let interval = Interval { low: low.max(0.0), high: high.min(1.0) };
        Ok(Estimate { value, interval, support: self.lists, minimum: MEAN_MINIMUM })
    }

    fn put(&self, bytes: &mut Vec<u8>) {
        put_varint(bytes, self.lists);
        put_block(bytes, &self.sum.to_bytes());
        put_block(bytes, &self.squares.to_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let lists = reader.varint()?;
        let sum = ExactSum::from_bytes(reader.block()?)?;
        Ok(Self { lists, sum, squares: ExactSum::from_bytes(reader.block()?)? })
    }
}

/// NDCG and reciprocal rank summed over lists. Merging is commutative and associative, bit for bit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RankingSums {
    /// NDCG is cut here; 0 is uncut.
    k: u64,
    ndcg: Lists,
    reciprocal: Lists,
    without_relevant: u64,
}

impl RankingSums {
    /// For NDCG cut at `k`, or of whole lists.
    pub fn new(k: Option<u64>) -> Self {
        Self { k: k.unwrap_or(0), ..Self::default() }
    }

    /// Takes one list of (score, relevance). A list that has no NDCG (a single item, say) has no part in its mean.
    pub fn add(&mut self, items: &[(f64, f64)]) {
        let k = (self.k > 0).then(|| usize::try_from(self.k).unwrap_or(usize::MAX));
        if let Some(value) = ndcg(items, k) {
            self.ndcg.add(value);
        }
        if let Some(value) = reciprocal_rank(items) {
            self.reciprocal.add(value);
        }
        self.without_relevant += u64::from(!items.iter().any(|(_, relevance)| *relevance > 0.0));
    }

    /// Adds the lists of `other`. Returns whether it is cut at the same k; if not, nothing changes.
    pub fn merge(&mut self, other: &Self) -> bool {
        if self.k != other.k {
            return false;
        }
        self.ndcg.merge(&other.ndcg);
        self.reciprocal.merge(&other.reciprocal);
        self.without_relevant += other.without_relevant;
        true
    }

    /// Lists without a relevant item; they count as 0 in both means.
    pub fn without_relevant(&self) -> u64 {
        self.without_relevant
    }

    /// Mean NDCG over lists. Interval: normal, of a mean over lists.
    ///
    /// # Errors
    /// Without lists of at least two items.
    pub fn ndcg(&self) -> Measured {
        self.ndcg.mean()
    }

    /// Mean reciprocal rank over lists. Interval: normal, of a mean over lists.
    ///
    /// # Errors
    /// Without lists.
    pub fn mrr(&self) -> Measured {
        self.reciprocal.mean()
    }

    /// Equal states have equal bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![FORMAT];
        put_varint(&mut bytes, self.k);
        put_varint(&mut bytes, self.without_relevant);
        self.ndcg.put(&mut bytes);
        self.reciprocal.put(&mut bytes);
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote; anything else is an error that says where.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new("ranking sums", bytes);
        reader.format(FORMAT)?;
        let (k, without_relevant) = (reader.varint()?, reader.varint()?);
        let sums = Self {
            k,
            without_relevant,
            ndcg: Lists::read(&mut reader)?,
            reciprocal: Lists::read(&mut reader)?,
        };
        reader.end()?;
        Ok(sums)
    }
}
