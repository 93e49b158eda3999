//! Where randomness comes from.

use crate::random::Random;

/// The choices that a method makes. Tests walk all of them, with their probabilities.
pub trait Choices {
    /// One of 0..n, all equally likely; n > 0.
    fn below(&mut self, n: usize) -> usize;

    /// An index with probability in proportion to its weight; weights are not negative and not all zero.
    fn weighted(&mut self, weights: &[f64]) -> usize;
}

/// Choices of a seed.
pub struct Seeded(pub Random);

impl Choices for Seeded {
    #[inline]
    fn below(&mut self, n: usize) -> usize {
        self.0.below(n)
    }

    fn weighted(&mut self, weights: &[f64]) -> usize {
        let mut point = self.0.uniform() * weights.iter().sum::<f64>();
        let mut last = 0;
        for (at, weight) in weights.iter().enumerate() {
            if *weight > 0.0 {
                last = at;
                if point < *weight {
                    break;
                }
                point -= weight;
            }
        }
        last
    }
}
