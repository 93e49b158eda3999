//! Which values the reference has: a Bloom filter, so that a million ids cost a megabyte.

/// A Bloom filter (Bloom 1970) of value hashes: answers "seen" for every value added, and for few others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    words: Vec<u64>,
}

impl Seen {
    /// Whether the value of this hash was (probably) added.
    pub fn contains(&self, hash: u64) -> bool {
        unimplemented!()
    }

    /// The share of values never added that it takes for added: (share of set bits)^probes.
    pub fn false_positive(&self) -> f64 {
        unimplemented!()
    }
}
