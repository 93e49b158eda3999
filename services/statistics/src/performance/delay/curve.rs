//! The label delay curve.

use std::collections::BTreeMap;

use super::buckets::{bucket, span};
use crate::decode::{DecodeError, Reader, put_varint};

const FORMAT: u8 = 1;

/// The empirical distribution of label delays (label time minus prediction time) in a reference, on log buckets at most
/// 1/32 of a delay wide. Merging is commutative and associative, bit for bit.
///
/// Only predictions older than the horizon may be added: of younger ones the slow labels are missing, and the curve
/// would come out too fast.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DelayCurve {
    buckets: BTreeMap<u16, u64>,
    labelled: u64,
    unlabelled: u64,
}

impl DelayCurve {
    /// A prediction whose label came after this many milliseconds; a label before its prediction counts as at once.
    pub fn add(&mut self, delay_ms: i64) {
        *self.buckets.entry(bucket(u64::try_from(delay_ms).unwrap_or(0))).or_default() += 1;
        self.labelled += 1;
    }

    /// A prediction older than the horizon that has no label.
    pub fn add_unlabelled(&mut self) {
        self.unlabelled += 1;
    }

    /// Adds the predictions of `other`.
    pub fn merge(&mut self, other: &Self) {
        for (bucket, count) in &other.buckets {
            *self.buckets.entry(*bucket).or_default() += count;
        }
        self.labelled += other.labelled;
        self.unlabelled += other.unlabelled;
    }

    /// Predictions learnt from.
    pub fn predictions(&self) -> u64 {
        self.labelled + self.unlabelled
    }

    /// Share of predictions that ever get a label; `None` before anything was learnt.
    pub fn ever(&self) -> Option<f64> {
        (self.predictions() > 0).then(|| self.labelled as f64 / self.predictions() as f64)
    }

    /// Share of predictions that have their label by this age, linear within a bucket; `None` before anything was learnt.
    pub fn labelled_by(&self, age_ms: i64) -> Option<f64> {
        let Ok(age) = u64::try_from(age_ms) else { return self.ever().map(|_| 0.0) };
        let mut labelled = 0.0;
        for (bucket, count) in &self.buckets {
            let (low, width) = span(*bucket);
            if low > age {
                break;
            }
            // A label after exactly `age` has come.
            labelled += *count as f64 * ((age - low + 1) as f64 / width as f64).min(1.0);
        }
        self.ever().map(|_| labelled / self.predictions() as f64)
    }

    /// The age by which this share of the labels that ever come have come, rounded up to its bucket's end; `None`
    /// without labels.
    pub fn quantile(&self, share: f64) -> Option<i64> {
        let needed = share.clamp(0.0, 1.0) * self.labelled as f64;
        let mut labelled = 0;
        for (bucket, count) in &self.buckets {
            labelled += count;
            if labelled as f64 >= needed {
                let (low, width) = span(*bucket);
                return Some(i64::try_from(low.saturating_add(width - 1)).unwrap_or(i64::MAX));
            }
        }
        None
    }

    /// Labels expected to come after `from_ms` and up to `to_ms` for predictions of (time, how many); `None` before
    /// anything was learnt. The curve counts single labels: corrections are not expected.
    pub fn expected(&self, predictions: &[(i64, u64)], from_ms: i64, to_ms: i64) -> Option<f64> {
        let by = |now: i64, time: i64| self.labelled_by(now.saturating_sub(time));
        let each =
            |(time, count): &(i64, u64)| Some((by(to_ms, *time)? - by(from_ms, *time)?) * *count as f64);
        self.ever()?;
        predictions.iter().map(each).sum()
    }

    /// Of the labels that these predictions of (time, how many) will ever get, the share expected to have come at
    /// `now_ms`; `None` before a label was learnt, or without predictions.
    pub fn maturity(&self, predictions: &[(i64, u64)], now_ms: i64) -> Option<f64> {
        let total: u64 = predictions.iter().map(|(_, count)| count).sum();
        let ever = self.ever()? * total as f64;
        let came = self.expected(predictions, i64::MIN, now_ms)?;
        (ever > 0.0).then(|| (came / ever).min(1.0))
    }

    /// Equal states have equal bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![FORMAT];
        put_varint(&mut bytes, self.unlabelled);
        put_varint(&mut bytes, self.buckets.len() as u64);
        for (bucket, count) in &self.buckets {
            bytes.extend(bucket.to_le_bytes());
            put_varint(&mut bytes, *count);
        }
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote; anything else is an error that says where.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new("label delay curve", bytes);
        reader.format(FORMAT)?;
        let mut curve = Self { unlabelled: reader.varint()?, ..Self::default() };
        for _ in 0..reader.varint()? {
            let at = u16::from_le_bytes(reader.array()?);
            let count = reader.varint()?;
            let ascends = curve.buckets.last_key_value().is_none_or(|(last, _)| *last < at);
            let labelled = curve.labelled.checked_add(count);
            let Some(labelled) = labelled.filter(|_| ascends && count > 0 && at <= bucket(u64::MAX)) else {
                return Err(reader.malformed("buckets do not ascend, are empty, or do not exist"));
            };
            curve.labelled = labelled;
            curve.buckets.insert(at, count);
        }
        reader.end()?;
        Ok(curve)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000;

    /// Labels after 1, 2, ... 7 days, 100 each, and 300 that never come.
    fn week() -> DelayCurve {
        let mut curve = DelayCurve::default();
        for day in 1..=7 {
            (0..100).for_each(|_| curve.add(day * DAY));
        }
        (0..300).for_each(|_| curve.add_unlabelled());
        curve
    }

    #[test]
    fn labels_come_by_age() {
        let curve = week();
        assert_eq!(curve.labelled_by(-1), Some(0.0));
        assert_eq!(curve.labelled_by(DAY / 2), Some(0.0));
        assert_eq!(curve.labelled_by(3 * DAY + DAY / 2), Some(0.3));
        assert_eq!(curve.labelled_by(i64::MAX), Some(0.7));
        let median = curve.quantile(0.5).unwrap();
        assert!((4 * DAY..4 * DAY + DAY / 8).contains(&median), "{median}");
        assert_eq!(DelayCurve::default().labelled_by(DAY), None);
    }

    #[test]
    fn expectation_and_maturity_follow_the_ages() {
        let curve = week();
        let half = DAY / 2;
        let predictions = [(0, 1_000), (DAY, 2_000)];
        let expected = curve.expected(&predictions, 2 * DAY + half, 3 * DAY + half).unwrap();
        assert!((expected - 300.0).abs() < 1e-9, "{expected}");
        let maturity = curve.maturity(&predictions, 3 * DAY + half).unwrap();
        assert!((maturity - (300.0 + 400.0) / 2_100.0).abs() < 1e-12, "{maturity}");
        assert_eq!(curve.maturity(&predictions, 30 * DAY), Some(1.0));
        assert_eq!(curve.maturity(&[], DAY), None);
    }

    #[test]
    fn parts_merge_in_any_order_and_bytes_read_back() {
        let (mut a, mut b) = (week(), DelayCurve::default());
        b.add(5);
        b.add(-5);
        b.add(i64::MAX);
        let mut other = b.clone();
        other.merge(&a);
        a.merge(&b);
        assert_eq!(a.to_bytes(), other.to_bytes());
        assert_eq!(DelayCurve::from_bytes(&a.to_bytes()), Ok(a.clone()));
        let bytes = a.to_bytes();
        for end in 0..bytes.len() {
            assert!(DelayCurve::from_bytes(&bytes[..end]).is_err(), "cut at {end}");
        }
        let error = DelayCurve::from_bytes(&[9]).unwrap_err();
        assert_eq!(error.to_string(), "label delay curve, byte 1: format 9, this version reads 1");
    }
}
