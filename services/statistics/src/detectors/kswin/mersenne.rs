//! The Mersenne Twister as CPython's `random.Random(seed)` runs it: Matsumoto and Nishimura, "Mersenne Twister: a
//! 623-dimensionally equidistributed uniform pseudo-random number generator", ACM TOMACS 8, 1998; seeding by an array of
//! 2002.

use crate::detectors::Error;
use crate::detectors::bytes::Codec;

const WORDS: usize = 624;
const OFFSET: usize = 397;

/// MT19937.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mersenne {
    words: Vec<u32>,
    /// The next word to be given out.
    next: u32,
}

impl Mersenne {
    /// Seeded with the 32-bit digits of the seed, the lowest first, as few as it has.
    pub fn seeded(seed: u64) -> Self {
        let key = [seed as u32, (seed >> 32) as u32];
        let key = if key[1] == 0 { &key[..1] } else { &key[..] };
        let mut words = spread(19_650_218);
        let mut i = 1;
        for step in 0..WORDS.max(key.len()) {
            let j = step % key.len();
            words[i] = (words[i] ^ mixed(words[i - 1]).wrapping_mul(1_664_525))
                .wrapping_add(key[j])
                .wrapping_add(j as u32);
            i = following(&mut words, i);
        }
        for _ in 0..WORDS - 1 {
            words[i] = (words[i] ^ mixed(words[i - 1]).wrapping_mul(1_566_083_941)).wrapping_sub(i as u32);
            i = following(&mut words, i);
        }
        words[0] = 1 << 31;
        Self { words, next: WORDS as u32 }
    }

    /// The next 32 bits.
    pub fn bits(&mut self) -> u32 {
        if self.next as usize >= WORDS {
            self.twist();
        }
        let mut y = self.words[self.next as usize];
        self.next += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    fn twist(&mut self) {
        for i in 0..WORDS {
            let y = (self.words[i] & 1 << 31) | (self.words[(i + 1) % WORDS] & !(1 << 31));
            let odd = if y & 1 == 1 { 0x9908_b0df } else { 0 };
            self.words[i] = self.words[(i + OFFSET) % WORDS] ^ (y >> 1) ^ odd;
        }
        self.next = 0;
    }

    /// Two words to a field.
    pub fn visit(&mut self, codec: &mut dyn Codec) -> Result<(), Error> {
        codec.count(&mut self.next)?;
        for pair in self.words.chunks_exact_mut(2) {
            let mut word = u64::from(pair[0]) | u64::from(pair[1]) << 32;
            codec.word(&mut word)?;
            (pair[0], pair[1]) = (word as u32, (word >> 32) as u32);
        }
        Ok(())
    }
}

/// The state that one 32-bit seed gives.
fn spread(seed: u32) -> Vec<u32> {
    let mut words = vec![seed; WORDS];
    for i in 1..WORDS {
        words[i] = mixed(words[i - 1]).wrapping_mul(1_812_433_253).wrapping_add(i as u32);
    }
    words
}

fn mixed(word: u32) -> u32 {
    word ^ (word >> 30)
}

/// The next place to seed; past the end the last word is carried to the front.
fn following(words: &mut [u32], i: usize) -> usize {
    if i + 1 < WORDS {
        return i + 1;
    }
    words[0] = words[WORDS - 1];
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bits_equal_those_of_cpython() {
        // random.Random(seed).getrandbits(32), the first, second and thousandth
        for (seed, expected) in CPYTHON {
            let mut random = Mersenne::seeded(seed);
            let bits: Vec<u32> = (0..1000).map(|_| random.bits()).collect();
            assert_eq!([bits[0], bits[1], bits[999]], expected, "seed {seed}");
        }
    }

    const CPYTHON: [(u64, [u32; 3]); 3] = [
        (0, [3_626_764_237, 1_654_615_998, 2_971_151_651]),
        (42, [2_746_317_213, 478_163_327, 4_212_168_831]),
        (1 << 40, [445_128_065, 1_517_081_360, 786_715_518]),
    ];
}
