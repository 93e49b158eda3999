//! Which values the reference has: a Bloom filter, so that a million ids cost a megabyte.

/// A Bloom filter (Bloom 1970) of value hashes: says "seen" of every value added, and of few others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// A power of two of them.
    words: Vec<u64>,
}

const PROBES: u64 = 6;

impl Seen {
    /// Empty, of at least that many bytes (rounded up to a power of two, at least 64).
    pub fn new(bytes: usize) -> Self {
        Self { words: vec![0; (bytes / 8).max(8).next_power_of_two()] }
    }

    fn bits(&self, hash: u64) -> impl Iterator<Item = (usize, u64)> + use<> {
        let mask = self.words.len() as u64 * 64 - 1;
        // Double hashing (Kirsch and Mitzenmacher 2006), the second hash odd. Low bits name the bit, so that halves fold.
        let step = (hash >> 32) | 1;
        (0..PROBES).map(move |i| {
            let bit = hash.wrapping_add(i.wrapping_mul(step)) & mask;
            ((bit / 64) as usize, 1 << (bit % 64))
        })
    }

    /// Adds the value of this hash.
    pub fn add(&mut self, hash: u64) {
        for (word, bit) in self.bits(hash) {
            self.words[word] |= bit;
        }
    }

    /// Whether the value of this hash was (probably) added.
    pub fn contains(&self, hash: u64) -> bool {
        self.bits(hash).all(|(word, bit)| self.words[word] & bit != 0)
    }

    /// Halves it while the false-positive share stays below `share`: a filter made too large costs nothing.
    pub fn shrink(&mut self, share: f64) {
        while self.words.len() > 8 {
            let (low, high) = self.words.split_at(self.words.len() / 2);
            let folded = Self { words: low.iter().zip(high).map(|(a, b)| a | b).collect() };
            if folded.false_positive() > share {
                return;
            }
            *self = folded;
        }
    }

    /// The share of values never added that it takes for added: (share of set bits)^probes.
    pub fn false_positive(&self) -> f64 {
        let set: u32 = self.words.iter().map(|w| w.count_ones()).sum();
        (f64::from(set) / (self.words.len() * 64) as f64).powi(PROBES as i32)
    }

    /// Its size in memory.
    pub fn size_bytes(&self) -> usize {
        self.words.len() * 8
    }

    /// As little-endian words.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.words.iter().flat_map(|w| w.to_le_bytes()).collect()
    }

    /// Back from [`Self::to_bytes`]; `None` if that cannot be.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (words, rest) = bytes.as_chunks::<8>();
        let sound = rest.is_empty() && words.len() >= 8 && words.len().is_power_of_two();
        sound.then(|| Self { words: words.iter().map(|w| u64::from_le_bytes(*w)).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::of_text;

    #[test]
    fn what_was_added_is_seen_also_after_shrinking_and_little_else_is() {
        let mut seen = Seen::new(1 << 16);
        (0..5_000).for_each(|i| seen.add(of_text(&format!("c{i}"))));
        seen.shrink(0.01);
        assert_eq!(seen.size_bytes(), 1 << 13);
        assert!((0..5_000).all(|i| seen.contains(of_text(&format!("c{i}")))));
        let wrong = (0..20_000).filter(|i| seen.contains(of_text(&format!("d{i}")))).count();
        let expected = seen.false_positive() * 20_000.0;
        assert!((wrong as f64) < expected * 1.5 + 20.0, "{wrong} of {expected}");
        assert_eq!(Seen::from_bytes(&seen.to_bytes()), Some(seen));
    }
}
