//! Random draws that are the same on every machine.
//!
//! The logarithm and the exponential of the platform's libm differ in the last bit between systems; `libm` is the
//! same code everywhere, and the other operations are exactly rounded by IEEE 754.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Draws of one stream.
pub struct Draw {
    rng: ChaCha8Rng,
    spare_normal: Option<f64>,
}

impl Draw {
    /// Stream number `stream` of `seed`: streams are independent, so that more draws of one shift no other's.
    pub fn new(seed: u64, stream: impl Into<u64>) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream.into());
        Self { rng, spare_normal: None }
    }

    /// U(0, 1) in steps of 2^-53, 1 excluded.
    pub fn unit(&mut self) -> f64 {
        (self.rng.next_u64() >> 11) as f64 * f64::EPSILON / 2.0
    }

    /// U(low, high).
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// N(mean, std), by the polar method (Marsaglia and Bray, 1964).
    pub fn normal(&mut self, mean: f64, std: f64) -> f64 {
        mean + std * self.spare_normal.take().unwrap_or_else(|| self.normal_pair())
    }

    fn normal_pair(&mut self) -> f64 {
        loop {
            let (u, v) = (self.uniform(-1.0, 1.0), self.uniform(-1.0, 1.0));
            let s = u * u + v * v;
            if s > 0.0 && s < 1.0 {
                let scale = libm::sqrt(-2.0 * libm::log(s) / s);
                self.spare_normal = Some(v * scale);
                return u * scale;
            }
        }
    }

    /// Poisson(rate), by products of uniforms (Knuth, volume 2, 3.4.1); meant for small rates.
    pub fn poisson(&mut self, rate: f64) -> u32 {
        let limit = libm::exp(-rate);
        let (mut n, mut product) = (0, self.unit());
        while product > limit {
            n += 1;
            product *= self.unit();
        }
        n
    }

    /// Uniform among 0..n, without bias (Lemire, 2019); `n` is at least 1.
    pub fn below(&mut self, n: u32) -> u32 {
        loop {
            let wide = u64::from(self.rng.next_u32()) * u64::from(n);
            let (high, low) = ((wide >> 32) as u32, wide as u32);
            if low >= n || low >= n.wrapping_neg() % n {
                return high;
            }
        }
    }

    /// Whether an event of this probability happens.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Moves a uniform sample of `k` distinct items to the front and returns it; all of them where there are fewer.
    pub fn sample<'a, T>(&mut self, items: &'a mut [T], k: usize) -> &'a [T] {
        let k = k.min(items.len());
        for i in 0..k {
            let rest = u32::try_from(items.len() - i).unwrap_or(u32::MAX);
            items.swap(i, i + self.below(rest) as usize);
        }
        &items[..k]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const N: usize = 200_000;

    fn moments(draws: impl Fn(&mut Draw) -> f64) -> (f64, f64) {
        let mut draw = Draw::new(1, 1_u64);
        let xs: Vec<f64> = (0..N).map(|_| draws(&mut draw)).collect();
        let mean = xs.iter().sum::<f64>() / N as f64;
        (mean, xs.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / N as f64)
    }

    #[test]
    fn the_distributions_have_their_means_and_variances() {
        let close = |(mean, var): (f64, f64), expected: (f64, f64)| {
            assert!((mean - expected.0).abs() < 5.0 * (expected.1 / N as f64).sqrt(), "mean {mean}");
            assert!((var / expected.1 - 1.0).abs() < 0.03, "variance {var}");
        };
        close(moments(|d| d.unit()), (0.5, 1.0 / 12.0));
        close(moments(|d| d.normal(3.0, 2.0)), (3.0, 4.0));
        close(moments(|d| f64::from(d.poisson(0.3))), (0.3, 0.3));
        close(moments(|d| f64::from(d.poisson(3.7))), (3.7, 3.7));
        close(moments(|d| f64::from(d.below(7))), (3.0, 4.0));
    }

    #[test]
    fn a_sample_is_distinct_and_no_item_is_preferred() {
        let mut draw = Draw::new(2, 3_u64);
        let mut counts = [0_u32; 10];
        for _ in 0..10_000 {
            let mut items: Vec<usize> = (0..10).collect();
            let sample = draw.sample(&mut items, 3);
            assert!(sample[0] != sample[1] && sample[0] != sample[2] && sample[1] != sample[2]);
            sample.iter().for_each(|&i| counts[i] += 1);
        }
        assert!(counts.iter().all(|n| (2_780..3_220).contains(n)), "{counts:?}");
        assert_eq!(draw.sample(&mut [1, 2], 5).len(), 2);
    }

    #[test]
    fn streams_draw_independently() {
        let first = |seed, stream: u64| Draw::new(seed, stream).unit();
        assert_ne!(first(1, 1), first(1, 2));
        assert_ne!(first(1, 1), first(2, 1));
        assert_eq!(first(1, 7), first(1, 7));
    }
}
