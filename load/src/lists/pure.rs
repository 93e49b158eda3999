//! Interleaving and credit as pure functions.

use anyhow::{Result, ensure};
use millrace_experiments::interleave::credit::{Ledger, Rules};
use millrace_experiments::interleave::{Method, Rankings, interleave};
use millrace_experiments::random::Random;

use super::rankers;
use crate::usage::Usage;

const CANDIDATES: usize = 20;
/// So many pairs of rankings take turns.
const PAIRS: usize = 256;

/// CPU time of so many requests, in seconds: two rankings by text id are indexed and interleaved, two clicks credited, of
/// which one is a duplicate.
pub fn cpu_seconds(method: Method, requests: u32) -> Result<f64> {
    let mut random = Random::of(1);
    let pairs: Vec<Vec<Vec<String>>> = (0..PAIRS).map(|_| rankers(items(), &mut random)).collect();
    let rules = Rules { horizon_ms: 1_000, skip_common_prefix: true };
    let (mut usage, mut earned) = (Usage::begin()?, 0.0);
    for (at, pair) in (0..requests as usize).zip(pairs.iter().cycle()) {
        let rankings = Rankings::of(pair)?;
        let list = interleave(method, &rankings, CANDIDATES, Random::keyed("salt", &at.to_string()))?;
        let mut ledger = Ledger::new(list, 0, rules);
        ledger.click("a", Some(at % 7), 10);
        ledger.click("b", Some(at % 7), 20);
        earned += ledger.close().credit.iter().sum::<f64>();
    }
    let lap = usage.lap()?;
    ensure!(earned > 0.0, "{method}: clicks earned nothing");
    Ok(lap.cpu_seconds)
}

fn items() -> Vec<String> {
    (0..CANDIDATES).map(|item| format!("item-{item}")).collect()
}
