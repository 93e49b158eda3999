//! What a frame keeps of the rows between its two cursors, for the aggregates that a leaving row can be taken out of.

use millrace_statistics::exact_sum::ExactSum;

use super::plan::SumKind;

/// A count, and the sum of the values counted.
#[derive(Debug, Clone)]
pub(super) enum Accumulator {
    /// Only how many.
    Count(u64),
    /// Integers of 64 bits, signed or not: two's complement wraps alike.
    Wrapping { count: u64, sum: u64 },
    /// Doubles.
    Exact { count: u64, sum: ExactSum },
}

impl Accumulator {
    pub(super) fn new(kind: SumKind) -> Self {
        match kind {
            SumKind::Count => Self::Count(0),
            SumKind::Wrapping => Self::Wrapping { count: 0, sum: 0 },
            SumKind::Exact => Self::Exact { count: 0, sum: ExactSum::default() },
        }
    }

    /// Takes in one value, or takes it out if it is `leaving`. Returns by how many bytes the heap grew.
    #[inline]
    pub(super) fn step(&mut self, value: impl FnOnce() -> u64, leaving: bool) -> isize {
        match self {
            Self::Count(count) => {
                *count = stepped(*count, leaving);
                0
            }
            Self::Wrapping { count, sum } => {
                *count = stepped(*count, leaving);
                *sum = if leaving { sum.wrapping_sub(value()) } else { sum.wrapping_add(value()) };
                0
            }
            Self::Exact { count, sum } => {
                *count = stepped(*count, leaving);
                let widened = sum.step(f64::from_bits(value()), leaving);
                let grown = if widened { ExactSum::WIDE_BYTES as isize } else { 0 };
                grown - if *count == 0 { clear(sum) } else { 0 }
            }
        }
    }

    pub(super) fn count(&self) -> u64 {
        match self {
            Self::Count(count) | Self::Wrapping { count, .. } | Self::Exact { count, .. } => *count,
        }
    }

    /// The sum's bits; `None` without a value.
    pub(super) fn sum(&self) -> Option<u64> {
        match self {
            Self::Wrapping { count, sum } if *count > 0 => Some(*sum),
            Self::Exact { count, sum } if *count > 0 => Some(sum.round().to_bits()),
            _ => None,
        }
    }

    /// The bits of the sum, rounded once, divided by the count; `None` without a value.
    pub(super) fn average(&self) -> Option<u64> {
        match self {
            Self::Exact { count, sum } if *count > 0 => Some((sum.round() / *count as f64).to_bits()),
            _ => None,
        }
    }

    /// Bytes on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        match self {
            Self::Exact { sum, .. } if sum.is_wide() => ExactSum::WIDE_BYTES,
            _ => 0,
        }
    }
}

#[inline]
fn stepped(count: u64, leaving: bool) -> u64 {
    if leaving { count.wrapping_sub(1) } else { count + 1 }
}

/// An empty sum starts anew, narrow. Returns the bytes it gave back.
#[inline]
fn clear(sum: &mut ExactSum) -> isize {
    let freed = if sum.is_wide() { ExactSum::WIDE_BYTES as isize } else { 0 };
    *sum = ExactSum::default();
    freed
}
