//! Evidence from requests: errors, missing inputs, latency. All are shares of requests of two arms.

use millrace_statistics::distribution::normal;
use millrace_statistics::performance::interval::newcombe;
use serde::{Deserialize, Serialize};

use super::decision::Evidence;

/// Requests of one arm, and those of them that went wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// Requests with an error, with a missing input, slower than a bound.
    pub bad: u64,
    /// All requests.
    pub all: u64,
}

impl Share {
    /// Takes the requests of another part.
    pub fn merge(&mut self, other: Self) {
        self.bad += other.bad;
        self.all += other.all;
    }
}

/// The difference of two shares, canary less baseline: Newcombe's hybrid of two Wilson intervals (1998, method 10) at level
/// 1 - `alpha`, which is defined also where nothing goes wrong in either arm. For a look among `looks`, and one criterion
/// among several, `alpha` is the whole one over their product. Rests on the smaller arm. None without requests.
pub fn compare(baseline: Share, canary: Share, alpha: f64) -> Option<Evidence> {
    if baseline.all == 0 || canary.all == 0 {
        return None;
    }
    let pair = |share: Share| (share.bad.min(share.all) as f64, share.all as f64);
    let found = newcombe(pair(canary), pair(baseline), normal::isf(alpha / 2.0));
    Some(Evidence { low: found.low, high: found.high, support: baseline.all.min(canary.all) })
}

/// Latencies of one arm in buckets that grow by a tenth: mergeable in any order, and each known within 10 %.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Latencies {
    /// Requests by bucket.
    buckets: Vec<u64>,
}

/// Latencies in one bucket differ by this factor at most.
const GROWTH: f64 = 1.1;
/// 1 microsecond to some 20 hours: the last bucket takes what is slower.
const BUCKETS: usize = 264;

impl Latencies {
    /// Takes requests of this latency.
    pub fn add(&mut self, latency_ms: f64, requests: u64) {
        let exponent = libm::log(latency_ms.max(0.001) / 0.001) / libm::log(GROWTH);
        // Of what is no number the slowest is thought.
        let at = if exponent.is_nan() { BUCKETS - 1 } else { (exponent as usize).min(BUCKETS - 1) };
        if self.buckets.len() <= at {
            self.buckets.resize(at + 1, 0);
        }
        self.buckets[at] += requests;
    }

    /// Takes those of another part.
    pub fn merge(&mut self, other: &Self) {
        if self.buckets.len() < other.buckets.len() {
            self.buckets.resize(other.buckets.len(), 0);
        }
        self.buckets.iter_mut().zip(&other.buckets).for_each(|(one, more)| *one += more);
    }

    /// How many requests.
    pub fn requests(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// The bucket in which the share of slower requests falls to `share` or below.
    fn bucket_above(&self, share: f64) -> usize {
        let all = self.requests() as f64;
        let mut slower = all;
        for (at, requests) in self.buckets.iter().enumerate() {
            slower -= *requests as f64;
            if slower <= share * all {
                return at;
            }
        }
        self.buckets.len()
    }

    /// Requests in buckets above this one.
    fn slower_than(&self, bucket: usize) -> Share {
        Share { bad: self.buckets.iter().skip(bucket + 1).sum(), all: self.requests() }
    }
}

/// Latency as a share: of requests slower than the bucket of the baseline's p99. Its own share is 1 % or less, a
/// slower canary's is greater. `alpha` as in [`compare`].
pub fn compare_latencies(baseline: &Latencies, canary: &Latencies, alpha: f64) -> Option<Evidence> {
    let bound = baseline.bucket_above(0.01);
    compare(baseline.slower_than(bound), canary.slower_than(bound), alpha)
}
