//! All tests: type I errors beside their bounds, and power.

use millrace_statistics::distribution::binomial;
use serde::Serialize;

use super::population::Population::{Amounts, Conversion, Normal, RowsOfUnits};
use super::trial::{Test, Watch, rejects};
use crate::random::Random;

/// How an experiment is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Looking {
    /// Once, at the end.
    Once,
    /// Again and again, by a test that allows it.
    Continuously,
    /// Again and again, by a test that does not: for contrast.
    Naively,
}

/// A line of the table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// What is tested, and by what.
    pub test: String,
    /// How it is looked at.
    pub looking: Looking,
    /// Units of both arms, looks, units before the first one.
    pub watch: Watch,
    /// The true effect, 0 for type I errors: a share of the mean; of win rates and sample ratios an addition; of DeLong's
    /// test a shift of positives.
    pub effect: f64,
    /// Simulated experiments.
    pub replications: u64,
    /// How many rejected.
    pub rejections: u64,
    /// How many may at most; none where the rate is not a type I error, or is a naive one.
    pub most: Option<u64>,
}

impl Line {
    /// Whether the bound is kept.
    pub fn holds(&self) -> bool {
        self.most.is_none_or(|most| self.rejections <= most)
    }
}

/// The number of rejections that a test of level `alpha` exceeds with probability 0.001 at most.
pub fn most_rejections(replications: u64, alpha: f64) -> u64 {
    (0..replications)
        .find(|most| binomial::sf(most + 1, replications, alpha) <= 0.001)
        .unwrap_or(replications)
}

/// How much is simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Size {
    /// Experiments a line.
    pub replications: u64,
    /// Looks at those that are looked at again and again.
    pub looks: u64,
    /// The same seed gives the same table.
    pub seed: u64,
}

const ALPHA: f64 = 0.05;

fn once(units: u64) -> Watch {
    Watch { units, looks: 1, burn_in: 0 }
}

/// As many looks as the size says.
fn often(units: u64, burn_in: u64) -> Watch {
    Watch { units, looks: 0, burn_in }
}

/// Every test with how it is to be watched.
fn tests() -> Vec<(Test, Watch)> {
    let rare = Conversion(0.008);
    vec![
        (Test::Welch(Normal), once(1000)),
        (Test::Welch(rare), once(20_000)),
        (Test::Welch(Amounts), once(10_000)),
        (Test::Welch(RowsOfUnits), once(600)),
        (Test::Cuped(Normal), once(1000)),
        (Test::Cuped(Amounts), once(10_000)),
        (Test::TwoProportions(Conversion(0.1)), once(2000)),
        (Test::TwoProportions(rare), once(20_000)),
        (Test::ConfidenceSequence(Normal), often(5000, 200)),
        (Test::ConfidenceSequence(rare), often(20_000, 5000)),
        (Test::ConfidenceSequence(Amounts), often(10_000, 1000)),
        (Test::ConfidenceSequence(RowsOfUnits), often(5000, 200)),
        (Test::Msprt(Normal), often(5000, 200)),
        (Test::Msprt(rare), often(20_000, 5000)),
        (Test::Msprt(Amounts), often(10_000, 1000)),
        (Test::SampleRatio, once(10_000)),
        (Test::SequentialSampleRatio, often(10_000, 0)),
        (Test::Sign, once(1000)),
        (Test::SignSequence, often(1000, 0)),
        (Test::DeLong, once(600)),
    ]
}

/// Type I errors at alpha 0.05: every test as it is meant, and the fixed ones looked at again and again.
pub fn type_one(size: Size) -> Vec<Line> {
    let most = Some(most_rejections(size.replications, ALPHA));
    let meant = tests().into_iter().map(|(test, watch)| {
        let looking = if test.always_valid() { Looking::Continuously } else { Looking::Once };
        (test, looking, watch, most)
    });
    let naive = [
        (Test::Welch(Normal), often(5000, 200)),
        (Test::Welch(Amounts), often(10_000, 1000)),
        (Test::SampleRatio, often(10_000, 100)),
        (Test::Sign, often(1000, 50)),
    ];
    let naive = naive.into_iter().map(|(test, watch)| (test, Looking::Naively, watch, None));
    let run = |(test, looking, watch, most)| line(test, looking, watch, 0.0, size, most);
    meant.chain(naive).map(run).collect()
}

/// How often a true effect is seen: fixed tests at the end, always-valid ones at any look.
pub fn power(size: Size) -> Vec<Line> {
    let effect = |test: Test| match test {
        Test::Welch(Conversion(_)) | Test::ConfidenceSequence(Conversion(_)) | Test::Msprt(Conversion(_)) => {
            0.5
        }
        Test::TwoProportions(Conversion(rate)) => {
            if rate < 0.05 {
                0.5
            } else {
                0.4
            }
        }
        Test::SampleRatio | Test::SequentialSampleRatio => 0.02,
        Test::Sign | Test::SignSequence => 0.06,
        Test::DeLong => 0.4,
        _ => 0.2,
    };
    let run = |(test, watch): (Test, Watch)| {
        let looking = if test.always_valid() { Looking::Continuously } else { Looking::Once };
        line(test, looking, watch, effect(test), size, None)
    };
    tests().into_iter().map(run).collect()
}

fn line(test: Test, looking: Looking, watch: Watch, effect: f64, size: Size, most: Option<u64>) -> Line {
    let name = test.name();
    let watch = if looking == Looking::Once { watch } else { Watch { looks: size.looks.max(1), ..watch } };
    let of = |replication: u64| Random::keyed(&name, &format!("{} {replication} {effect}", size.seed));
    let rejected = |at: &u64| rejects(test, &watch, effect, ALPHA, of(*at));
    let rejections = (0..size.replications).filter(rejected).count() as u64;
    Line { test: name, looking, watch, effect, replications: size.replications, rejections, most }
}
