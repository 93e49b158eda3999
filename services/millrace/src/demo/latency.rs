//! Latencies as a histogram: constant size, whatever the number of payments.

/// Percentiles in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Percentiles {
    /// Half are faster.
    pub p50: f64,
    /// 99 % are faster.
    pub p99: f64,
    /// 99.9 % are faster.
    pub p999: f64,
}

/// Counts per bucket; a bucket is 2 % wider than the one before, from 10 µs on: percentiles are exact to 2 %.
#[derive(Debug, Clone)]
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
}

const FIRST_US: f64 = 10.0;
const GROWTH: f64 = 1.02;
const BUCKETS: usize = 900; // up to 9 minutes

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; BUCKETS], total: 0 }
    }
}

impl Histogram {
    /// Counts one latency in microseconds.
    pub fn add(&mut self, latency_us: u64) {
        let bucket = ((latency_us as f64 / FIRST_US).max(1.0).ln() / GROWTH.ln()) as usize;
        if let Some(count) = self.counts.get_mut(bucket.min(BUCKETS - 1)) {
            *count += 1;
            self.total += 1;
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.counts.fill(0);
        self.total = 0;
    }

    /// The percentiles; `None` before the first latency.
    pub fn percentiles(&self) -> Option<Percentiles> {
        (self.total > 0).then(|| Percentiles { p50: self.at(0.5), p99: self.at(0.99), p999: self.at(0.999) })
    }

    fn at(&self, share: f64) -> f64 {
        let rank = (share * self.total as f64).ceil() as u64;
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return FIRST_US * GROWTH.powi(bucket as i32 + 1) / 1000.0;
            }
        }
        f64::NAN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_exact_to_two_percent() {
        let mut histogram = Histogram::default();
        (1..=1000).for_each(|ms| histogram.add(ms * 1000));
        let p = histogram.percentiles().unwrap();
        for (found, exact) in [(p.p50, 500.0), (p.p99, 990.0), (p.p999, 999.0)] {
            assert!((found / exact - 1.0).abs() <= 0.021, "{found} for {exact}");
        }
    }

    #[test]
    fn no_latency_has_no_percentiles() {
        assert_eq!(Histogram::default().percentiles(), None);
    }
}
