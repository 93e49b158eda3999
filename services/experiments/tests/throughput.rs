//! How many requests one core interleaves and credits in a second.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Instant;

use millrace_experiments::interleave::credit::{Ledger, Rules};
use millrace_experiments::interleave::{Method, Rankings, interleave};
use millrace_experiments::random::Random;

/// 20 candidates by text id, two rankers, two clicks of which one is a duplicate.
#[test]
#[ignore = "a figure, not a test: run it with --release --nocapture"]
fn requests_a_second() {
    let mut random = Random::of(1);
    let requests: Vec<Vec<Vec<String>>> = (0..256)
        .map(|_| {
            let mut lists = vec![(0..20).map(|item| format!("item-{item}")).collect::<Vec<_>>(); 2];
            lists.iter_mut().for_each(|list| (1..20).for_each(|at| list.swap(at, random.below(at + 1))));
            lists
        })
        .collect();
    let rules = Rules { horizon_ms: 1000, skip_common_prefix: true };
    for method in Method::ALL {
        let count = if method == Method::Optimized { 2000 } else { 100_000 };
        let started = Instant::now();
        let mut earned = 0.0;
        for at in 0..count {
            let rankings = Rankings::of(&requests[at % requests.len()]).unwrap();
            let list = interleave(method, &rankings, 20, Random::keyed("salt", &at.to_string())).unwrap();
            let mut ledger = Ledger::new(list, 0, rules);
            ledger.click("a", Some(at % 7), 10);
            ledger.click("b", Some(at % 7), 20);
            earned += ledger.close().credit.iter().sum::<f64>();
        }
        println!(
            "{method}: {:.0} requests/s ({earned:.0})",
            f64::from(count as u32) / started.elapsed().as_secs_f64()
        );
    }
}
