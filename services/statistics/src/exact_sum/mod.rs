//! Sums of doubles without rounding, so that rows may enter and leave in any order and the sum is rounded once.
//!
//! A double is an integer times a power of two, so a sum of doubles is a big integer on a fixed point. Values of one
//! column mostly lie within a few dozen powers of two of one another: then 128 bits that start at a floating base hold
//! the sum. What does not fit goes to a fixed-point number that spans the whole range of a double (the "large"
//! accumulator idea of R. M. Neal, "Fast exact summation using small and large superaccumulators", 2015, with carries
//! propagated at once). Both are exact, so which one holds a sum never shows in its value.

mod merge;

/// Exponent of the least bit of any double, 2^-1074.
const LEAST: i32 = -1074;
/// Exponent of the least bit of the greatest finite double.
const GREATEST: i32 = 971;
/// Bits kept free below the first value of a sum: later values may be that much finer.
const FINER: i32 = 36;
/// A 53-bit magnitude shifted further than this could reach the sign of 128 bits.
const ROOM: i32 = 72;
/// 2,098 bits hold any double, 64 more any count of them, one the sign.
const LIMBS: usize = 34;

/// An exact sum of doubles. NaN and infinities are counted aside and leave with their rows.
///
/// Zeros, also negative ones, add nothing: an empty sum and a sum of `-0.0` round to `0.0`, as DataFusion's sum does.
/// Merging is commutative and associative, bit for bit: equality, bytes and value depend on the multiset alone.
#[derive(Debug, Clone, Default)]
pub struct ExactSum(Form);

#[derive(Debug, Clone)]
enum Form {
    /// `(high, low)` as one 128-bit integer, times 2^base. (Two halves: 24 bytes instead of 32.)
    Narrow { base: i16, high: i64, low: u64 },
    /// What 128 bits do not hold.
    Wide(Box<Wide>),
}

/// The whole range of a double as one two's complement integer, in units of 2^-1074.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wide {
    limbs: [u64; LIMBS],
    nan: u64,
    infinite: u64,
    negative_infinite: u64,
}

/// A finite double as `±magnitude * 2^exponent`.
struct Parts {
    magnitude: u64,
    exponent: i32,
    negative: bool,
}

impl Parts {
    #[inline]
    fn of(value: f64) -> Self {
        let bits = value.to_bits();
        let field = ((bits >> 52) & 0x7ff) as i32;
        let fraction = bits & ((1 << 52) - 1);
        let negative = bits >> 63 != 0;
        match field {
            0 => Self { magnitude: fraction, exponent: LEAST, negative },
            _ => Self { magnitude: fraction | 1 << 52, exponent: field - 1075, negative },
        }
    }
}

impl Default for Form {
    fn default() -> Self {
        Self::Narrow { base: 0, high: 0, low: 0 }
    }
}

impl ExactSum {
    /// Bytes that a sum holds on the heap once it is wide.
    pub const WIDE_BYTES: usize = size_of::<Wide>();

    /// Adds `value`, or takes it out again if it is `leaving`. Returns whether the sum became wide.
    #[inline]
    pub fn step(&mut self, value: f64, leaving: bool) -> bool {
        let parts = Parts::of(value);
        if parts.magnitude == 0 {
            return false;
        }
        if let Form::Narrow { base, high, low } = &mut self.0 {
            let shift = parts.exponent - i32::from(*base);
            if (0..=ROOM).contains(&shift) && parts.exponent <= GREATEST {
                let term = i128::from(parts.magnitude) << shift;
                let term = if parts.negative != leaving { -term } else { term };
                if let Some(sum) = join(*high, *low).checked_add(term) {
                    (*high, *low) = split(sum);
                    return false;
                }
            }
        }
        self.step_outside(value, &parts, leaving)
    }

    /// The sum, rounded to the nearest double, ties to even; beyond the greatest double it is infinite.
    pub fn round(&self) -> f64 {
        match &self.0 {
            Form::Narrow { base, high, low } => {
                let (sum, base) = (join(*high, *low), i32::from(*base));
                if base < -1022 {
                    return Wide::of(sum, base).round();
                }
                // A nonzero multiple of 2^-1022 is a normal number: scaling it by a power of two cannot round again.
                sum as f64 * f64::from_bits(((base + 1023) as u64) << 52)
            }
            Form::Wide(wide) => wide.round(),
        }
    }

    /// Whether the sum holds [`WIDE_BYTES`](Self::WIDE_BYTES) on the heap.
    pub fn is_wide(&self) -> bool {
        matches!(self.0, Form::Wide(_))
    }

    /// A value that the 128 bits at their present base do not take.
    #[cold]
    fn step_outside(&mut self, value: f64, parts: &Parts, leaving: bool) -> bool {
        let mut widened = false;
        if let Form::Narrow { base, high, low } = &mut self.0 {
            let (sum, at) = (join(*high, *low), i32::from(*base));
            if value.is_finite()
                && let Some(to) = new_base(sum, at, parts.exponent)
            {
                // An empty sum is zero at any base; another one is only ever made finer here.
                (*high, *low) = split(if sum == 0 { 0 } else { sum << (at - to) });
                *base = to as i16;
                return self.step(value, leaving);
            }
            self.0 = Form::Wide(Box::new(Wide::of(sum, at)));
            widened = true;
        }
        if let Form::Wide(wide) = &mut self.0 {
            wide.step(value, parts, leaving);
        }
        widened
    }
}

/// The base at which `sum`, now at `base`, also takes a value of this exponent; `None` if it has no room.
fn new_base(sum: i128, base: i32, exponent: i32) -> Option<i32> {
    if sum == 0 {
        let to = (exponent - FINER).max(LEAST);
        return (to != base).then_some(to);
    }
    let finer = base - exponent;
    (finer > 0 && finer + 2 < sum.unsigned_abs().leading_zeros() as i32).then_some(exponent)
}

#[inline]
fn join(high: i64, low: u64) -> i128 {
    i128::from(high) << 64 | i128::from(low)
}

#[inline]
fn split(sum: i128) -> (i64, u64) {
    ((sum >> 64) as i64, sum as u64)
}

impl Wide {
    /// `sum * 2^base`.
    fn of(sum: i128, base: i32) -> Self {
        let mut wide = Self { limbs: [0; LIMBS], nan: 0, infinite: 0, negative_infinite: 0 };
        wide.add(sum.unsigned_abs(), (base - LEAST) as usize, sum < 0);
        wide
    }

    fn step(&mut self, value: f64, parts: &Parts, leaving: bool) {
        if value.is_finite() {
            let place = (parts.exponent - LEAST) as usize;
            self.add(u128::from(parts.magnitude), place, parts.negative != leaving);
            return;
        }
        let count = if value.is_nan() {
            &mut self.nan
        } else if parts.negative {
            &mut self.negative_infinite
        } else {
            &mut self.infinite
        };
        *count = if leaving { count.saturating_sub(1) } else { *count + 1 };
    }

    /// Adds `±magnitude * 2^place`.
    fn add(&mut self, magnitude: u128, place: usize, negative: bool) {
        let (first, offset) = (place / 64, place % 64);
        let low = magnitude << offset;
        let top = if offset == 0 { 0 } else { (magnitude >> (128 - offset)) as u64 };
        let parts = [low as u64, (low >> 64) as u64, top];
        let mut carry = false;
        for (at, limb) in self.limbs.iter_mut().enumerate().skip(first) {
            let part = parts.get(at - first).copied().unwrap_or(0);
            if at - first >= parts.len() && !carry {
                break;
            }
            let (sum, over) = if negative { limb.overflowing_sub(part) } else { limb.overflowing_add(part) };
            let step = u64::from(carry);
            let (sum, again) = if negative { sum.overflowing_sub(step) } else { sum.overflowing_add(step) };
            *limb = sum;
            carry = over || again;
        }
    }

    fn round(&self) -> f64 {
        if self.nan > 0 || (self.infinite > 0 && self.negative_infinite > 0) {
            return f64::NAN;
        }
        match (self.infinite > 0, self.negative_infinite > 0) {
            (true, _) => return f64::INFINITY,
            (_, true) => return f64::NEG_INFINITY,
            _ => {}
        }
        let (negative, magnitude) = self.magnitude();
        let rounded = round_magnitude(&magnitude);
        if negative { -rounded } else { rounded }
    }

    /// The sign, and the number without it.
    fn magnitude(&self) -> (bool, [u64; LIMBS]) {
        let mut magnitude = self.limbs;
        let negative = self.limbs[LIMBS - 1] >> 63 != 0;
        if negative {
            let mut carry = true;
            for limb in &mut magnitude {
                (*limb, carry) = (!*limb).overflowing_add(u64::from(carry));
            }
        }
        (negative, magnitude)
    }
}

/// The double nearest to an unsigned number in units of 2^-1074.
fn round_magnitude(limbs: &[u64; LIMBS]) -> f64 {
    let Some(last) = limbs.iter().rposition(|limb| *limb != 0) else { return 0.0 };
    let length = last * 64 + 64 - limbs[last].leading_zeros() as usize;
    // Up to 53 bits the number is the bit pattern of its double: subnormals and the first normal binade.
    let Some(dropped) = length.checked_sub(53) else { return f64::from_bits(limbs[0]) };
    let bit = |at: usize| limbs[at / 64] >> (at % 64) & 1;
    let (first, offset) = (dropped / 64, dropped % 64);
    let next = limbs.get(first + 1).copied().unwrap_or(0);
    let kept = (u128::from(next) << 64 | u128::from(limbs[first])) >> offset;
    let kept = kept as u64 & ((1 << 53) - 1);
    let half = dropped > 0 && bit(dropped - 1) == 1;
    let beyond = half
        && (limbs[..(dropped - 1) / 64].iter().any(|limb| *limb != 0) || {
            let low = (1u64 << ((dropped - 1) % 64)) - 1;
            limbs[(dropped - 1) / 64] & low != 0
        });
    let up = half && (beyond || kept & 1 == 1);
    // A carry out of the fraction steps the exponent field by one, as it should.
    let bits = ((dropped as u64) << 52) + kept + u64::from(up);
    if bits >= f64::INFINITY.to_bits() { f64::INFINITY } else { f64::from_bits(bits) }
}
