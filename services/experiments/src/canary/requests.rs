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
    let pair = |share: Share| (share.bad.min(share.all) as f64, share.all as f64);
    compare_parts(pair(baseline), pair(canary), alpha)
}

/// [`compare`] of requests that went wrong among all, in numbers that need not be whole.
fn compare_parts(baseline: (f64, f64), canary: (f64, f64), alpha: f64) -> Option<Evidence> {
    let support = baseline.1.min(canary.1);
    if support <= 0.0 {
        return None;
    }
    let found = newcombe(canary, baseline, normal::isf(alpha / 2.0));
    Some(Evidence { low: found.low, high: found.high, support: support as u64 })
}

/// Latencies of one arm in buckets that grow by a tenth: mergeable in any order, and each known within 10 %.
///
/// Requests that are answered in one run take the same time, so that many of them say little more than one; how many are
/// worth a time of their own is kept beside.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Latencies {
    /// Requests by bucket.
    buckets: Vec<u64>,
    /// Over all runs, the sum of their requests' squares.
    squares: u64,
}

/// Latencies in one bucket differ by this factor at most.
const GROWTH: f64 = 1.1;
/// 1 microsecond to some 20 hours: the last bucket takes what is slower.
const BUCKETS: usize = 264;

impl Latencies {
    /// Takes requests of this latency, each with a run of its own.
    pub fn add(&mut self, latency_ms: f64, requests: u64) {
        self.add_of_runs(latency_ms, requests);
        self.squares += requests;
    }

    /// Takes requests of this latency that shared runs: [`share`](Self::share) says which.
    pub fn add_of_runs(&mut self, latency_ms: f64, requests: u64) {
        let exponent = libm::log(latency_ms.max(0.001) / 0.001) / libm::log(GROWTH);
        // Of what is no number the slowest is thought.
        let at = if exponent.is_nan() { BUCKETS - 1 } else { (exponent as usize).min(BUCKETS - 1) };
        if self.buckets.len() <= at {
            self.buckets.resize(at + 1, 0);
        }
        self.buckets[at] += requests;
    }

    /// Takes, over runs whose requests were added, the sum of the squares of their numbers.
    pub fn share(&mut self, squares: u64) {
        self.squares += squares;
    }

    /// Takes those of another part.
    pub fn merge(&mut self, other: &Self) {
        self.squares += other.squares;
        if self.buckets.len() < other.buckets.len() {
            self.buckets.resize(other.buckets.len(), 0);
        }
        self.buckets.iter_mut().zip(&other.buckets).for_each(|(one, more)| *one += more);
    }

    /// How many requests.
    pub fn requests(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// How many requests with a latency of their own these are worth: the square of their number over the sum of the
    /// squares of runs (Kish, 1965), at most their number.
    pub fn effective(&self) -> f64 {
        let all = self.requests() as f64;
        all * all / (self.squares as f64).max(all).max(1.0)
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

    /// Requests in buckets above this one, and all, in effective ones.
    fn slower_than(&self, bucket: usize) -> (f64, f64) {
        let (slower, all) = (self.buckets.iter().skip(bucket + 1).sum::<u64>(), self.effective());
        (slower as f64 / self.requests().max(1) as f64 * all, all)
    }
}

/// Latency as a share: of requests slower than the bucket of the baseline's p99. Its own share is 1 % or less, a
/// slower canary's is greater. `alpha` as in [`compare`]. Rests on effective requests of the smaller arm: with those of
/// one run taken for independent, a hundred in a run, equal versions would be told apart in 4 of 10 releases.
pub fn compare_latencies(baseline: &Latencies, canary: &Latencies, alpha: f64) -> Option<Evidence> {
    let bound = baseline.bucket_above(0.01);
    compare_parts(baseline.slower_than(bound), canary.slower_than(bound), alpha)
}
