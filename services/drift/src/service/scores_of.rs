//! Metrics of several classes and of numbers, from what the join counts.

use std::collections::{BTreeMap, BTreeSet};

use millrace_statistics::performance::Measured;
use millrace_statistics::performance::multiclass::{Average, ClassCounts};

use super::join::Counts;

/// Name, whether greater is better, and value; none for binary scores, which have their own.
pub fn metrics(counts: &Counts) -> Vec<(String, bool, Measured)> {
    match counts {
        Counts::Binary(_) => Vec::new(),
        Counts::Classes(pairs) => classes(pairs),
        Counts::Numbers(sums) => vec![
            ("mae".into(), false, sums.mae()),
            ("rmse".into(), false, sums.rmse()),
            ("bias".into(), false, sums.bias()),
        ],
    }
}

/// `pairs`: rows by decided and true class.
fn classes(pairs: &BTreeMap<(String, String), u64>) -> Vec<(String, bool, Measured)> {
    let names: BTreeSet<&String> = pairs.keys().flat_map(|(decided, truth)| [decided, truth]).collect();
    let index: BTreeMap<&String, usize> = names.into_iter().zip(0..).collect();
    let mut counts = ClassCounts::new(index.len());
    for ((decided, truth), rows) in pairs {
        for _ in 0..*rows {
            counts.add(index[truth], index[decided], None);
        }
    }
    let mut all = vec![("accuracy".to_owned(), true, counts.accuracy())];
    for (name, average) in [("macro", Average::Macro), ("weighted", Average::Weighted)] {
        all.push((format!("precision_{name}"), true, counts.precision(average)));
        all.push((format!("recall_{name}"), true, counts.recall(average)));
        all.push((format!("f1_{name}"), true, counts.f1(average)));
    }
    all
}
