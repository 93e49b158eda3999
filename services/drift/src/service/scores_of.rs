//! Metrics from what the join counts.

use std::collections::{BTreeMap, BTreeSet};

use millrace_statistics::performance::multiclass::{Average, ClassCounts};
use millrace_statistics::performance::ranking::RankingSums;

use super::join::Counts;
use crate::performance::{Metric, of_binary, of_numbers};

/// Every metric. `threshold`: from which score on is decided for positive; precision, recall and NDCG are also cut at `ks`.
pub fn metrics(counts: &Counts, threshold: Option<f64>, ks: &[u32]) -> Vec<Metric> {
    match counts {
        Counts::Binary(counts) => of_binary(counts, threshold, ks),
        Counts::Classes(pairs) => classes(pairs),
        Counts::Numbers(sums) => of_numbers(sums),
        Counts::Lists(lists) => rankings(lists.values(), ks),
    }
}

fn rankings<'a>(lists: impl Iterator<Item = &'a Vec<(f64, f64)>> + Clone, ks: &[u32]) -> Vec<Metric> {
    let sums = |k: Option<u64>| {
        let mut sums = RankingSums::new(k);
        lists.clone().for_each(|items| sums.add(items));
        sums
    };
    let whole = sums(None);
    let mut all = vec![Metric::new("ndcg", true, whole.ndcg()), Metric::new("mrr", true, whole.mrr())];
    all.extend(ks.iter().map(|k| Metric::new(format!("ndcg_{k}"), true, sums(Some(u64::from(*k))).ndcg())));
    all
}

/// `pairs`: rows by decided and true class.
fn classes(pairs: &BTreeMap<(String, String), u64>) -> Vec<Metric> {
    let names: BTreeSet<&String> = pairs.keys().flat_map(|(decided, truth)| [decided, truth]).collect();
    let index: BTreeMap<&String, usize> = names.into_iter().zip(0..).collect();
    let mut counts = ClassCounts::new(index.len());
    for ((decided, truth), rows) in pairs {
        for _ in 0..*rows {
            counts.add(index[truth], index[decided], None);
        }
    }
    let mut all = vec![Metric::new("accuracy", true, counts.accuracy())];
    for (name, average) in [("macro", Average::Macro), ("weighted", Average::Weighted)] {
        all.push(Metric::new(format!("precision_{name}"), true, counts.precision(average)));
        all.push(Metric::new(format!("recall_{name}"), true, counts.recall(average)));
        all.push(Metric::new(format!("f1_{name}"), true, counts.f1(average)));
    }
    all
}
