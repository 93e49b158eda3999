//! Metrics of several classes, of numbers and of rankings, from what the join counts.

use std::collections::{BTreeMap, BTreeSet};

use millrace_statistics::performance::Measured;
use millrace_statistics::performance::multiclass::{Average, ClassCounts};
use millrace_statistics::performance::ranking::RankingSums;

use super::join::Counts;

/// Name, whether greater is better, and value; none for binary scores, which have their own. NDCG is also cut at `ks`.
pub fn metrics(counts: &Counts, ks: &[u32]) -> Vec<(String, bool, Measured)> {
    match counts {
        Counts::Binary(_) => Vec::new(),
        Counts::Classes(pairs) => classes(pairs),
        Counts::Numbers(sums) => vec![
            ("mae".into(), false, sums.mae()),
            ("rmse".into(), false, sums.rmse()),
            ("bias".into(), false, sums.bias()),
        ],
        Counts::Lists(lists) => rankings(lists.values(), ks),
    }
}

fn rankings<'a>(
    lists: impl Iterator<Item = &'a Vec<(f64, f64)>> + Clone,
    ks: &[u32],
) -> Vec<(String, bool, Measured)> {
    let sums = |k: Option<u64>| {
        let mut sums = RankingSums::new(k);
        lists.clone().for_each(|items| sums.add(items));
        sums
    };
    let whole = sums(None);
    let mut all = vec![("ndcg".to_owned(), true, whole.ndcg()), ("mrr".to_owned(), true, whole.mrr())];
    all.extend(ks.iter().map(|k| (format!("ndcg_{k}"), true, sums(Some(u64::from(*k))).ndcg())));
    all
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
