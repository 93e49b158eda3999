//! Sums of several parts as one, and as bytes.

use super::{ExactSum, Form, LEAST, LIMBS, ROOM, Wide, join, split};
use crate::decode::{DecodeError, Reader, put_varint};

const NEGATIVE: u8 = 1;
const SPECIAL: u8 = 2;

impl ExactSum {
    /// Adds what `other` has summed.
    pub fn merge(&mut self, other: &Self) {
        if let (Form::Narrow { base, high, low }, Form::Narrow { base: other_base, high: h, low: l }) =
            (&mut self.0, &other.0)
        {
            let (sum, more) = (join(*high, *low), join(*h, *l));
            if more == 0 {
                return;
            }
            if let Some((at, total)) = aligned(sum, *base, more, *other_base) {
                *base = at;
                (*high, *low) = split(total);
                return;
            }
        }
        let mut wide = self.wide();
        wide.merge(&other.wide());
        self.0 = Form::Wide(Box::new(wide));
    }

    /// Equal sums have equal bytes, whatever the order in which they came about.
    pub fn to_bytes(&self) -> Vec<u8> {
        let wide = self.wide();
        let (negative, limbs) = wide.magnitude();
        let first = limbs.iter().position(|limb| *limb != 0).unwrap_or(0);
        let end = limbs.iter().rposition(|limb| *limb != 0).map_or(first, |last| last + 1);
        let special = wide.nan + wide.infinite + wide.negative_infinite > 0;
        let mut bytes = vec![u8::from(negative) * NEGATIVE + u8::from(special) * SPECIAL];
        bytes.extend([first as u8, (end - first) as u8]);
        limbs[first..end].iter().for_each(|limb| bytes.extend(limb.to_le_bytes()));
        if special {
            for count in [wide.nan, wide.infinite, wide.negative_infinite] {
                put_varint(&mut bytes, count);
            }
        }
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote; anything else is an error that says where.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new("exact sum", bytes);
        let [flags, first, count] = reader.array()?;
        let (first, end) = (usize::from(first), usize::from(first) + usize::from(count));
        if flags > NEGATIVE + SPECIAL || end > LIMBS {
            return Err(reader.malformed("no exact sum begins like this"));
        }
        let mut wide = Wide::of(0, LEAST);
        for at in first..end {
            let limb = u64::from_le_bytes(reader.array()?);
            wide.add(u128::from(limb), at * 64, flags & NEGATIVE != 0);
        }
        if flags & SPECIAL != 0 {
            wide.nan = reader.varint()?;
            wide.infinite = reader.varint()?;
            wide.negative_infinite = reader.varint()?;
        }
        reader.end()?;
        Ok(Self(Form::Wide(Box::new(wide))))
    }

    fn wide(&self) -> Wide {
        match &self.0 {
            Form::Narrow { base, high, low } => Wide::of(join(*high, *low), i32::from(*base)),
            Form::Wide(wide) => (**wide).clone(),
        }
    }
}

impl PartialEq for ExactSum {
    fn eq(&self, other: &Self) -> bool {
        self.wide() == other.wide()
    }
}

impl Eq for ExactSum {}

/// Two sums on the finer of their bases, if 128 bits hold that.
fn aligned(sum: i128, base: i16, more: i128, other_base: i16) -> Option<(i16, i128)> {
    if sum == 0 {
        return Some((other_base, more));
    }
    let at = base.min(other_base);
    let raised = |value: i128, from: i16| {
        let by = i32::from(from) - i32::from(at);
        (by <= ROOM && value.unsigned_abs().leading_zeros() as i32 > by + 1).then(|| value << by)
    };
    Some((at, raised(sum, base)?.checked_add(raised(more, other_base)?)?))
}

impl Wide {
    fn merge(&mut self, other: &Self) {
        let mut carry = false;
        for (limb, more) in self.limbs.iter_mut().zip(&other.limbs) {
            let (sum, over) = limb.overflowing_add(*more);
            let (sum, again) = sum.overflowing_add(u64::from(carry));
            (*limb, carry) = (sum, over || again);
        }
        self.nan += other.nan;
        self.infinite += other.infinite;
        self.negative_infinite += other.negative_infinite;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Magnitudes from the least double to the greatest, with cancellation.
    fn values() -> Vec<f64> {
        let mut state = 7_u64;
        let mut next = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            state
        };
        (0..400)
            .map(|i| match i % 4 {
                0 => f64::from_bits(next() & !(1 << 62)),
                1 => (next() % 1_000_000) as f64 / 100.0,
                2 => -((next() % 1_000_000) as f64) * 1e30,
                _ => (next() % 1_000) as f64 * 1e-25,
            })
            .collect()
    }

    fn sum_of(values: &[f64]) -> ExactSum {
        let mut sum = ExactSum::default();
        values.iter().for_each(|value| _ = sum.step(*value, false));
        sum
    }

    #[test]
    fn merged_parts_are_the_sum_of_the_whole_in_any_order() {
        for stride in [1, 3, 4, 50] {
            let values: Vec<f64> =
                values().into_iter().filter(|v| stride != 1 || (1e-9..1e9).contains(v)).collect();
            let whole = sum_of(&values);
            let parts: Vec<ExactSum> = values.chunks(stride).map(sum_of).collect();
            let (mut forth, mut back) = (ExactSum::default(), ExactSum::default());
            parts.iter().for_each(|part| forth.merge(part));
            parts.iter().rev().for_each(|part| back.merge(part));
            assert_eq!(forth, whole);
            assert_eq!(forth.to_bytes(), back.to_bytes());
            assert_eq!(forth.round().to_bits(), whole.round().to_bits());
        }
    }

    #[test]
    fn bytes_are_those_of_the_value_and_read_back() {
        let mut emptied = sum_of(&[1e300, 0.1]);
        emptied.step(1e300, true);
        assert_eq!(emptied.to_bytes(), sum_of(&[0.1]).to_bytes());
        for values in [vec![], vec![-2.5], vec![0.1, -1e300], vec![f64::NAN, f64::INFINITY, 1.0], values()] {
            let sum = sum_of(&values);
            let read = ExactSum::from_bytes(&sum.to_bytes()).unwrap();
            assert_eq!(read, sum);
            assert_eq!(read.round().to_bits(), sum.round().to_bits());
        }
    }

    #[test]
    fn foreign_bytes_are_refused() {
        assert!(ExactSum::from_bytes(&[]).is_err());
        assert!(ExactSum::from_bytes(&[0, 30, 9, 0]).is_err());
        assert!(ExactSum::from_bytes(&[9, 0, 0]).is_err());
        assert!(ExactSum::from_bytes(&[0, 0, 0, 0]).is_err(), "bytes beyond the end");
    }
}
