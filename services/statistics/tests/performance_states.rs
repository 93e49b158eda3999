//! States of metrics merge in any order, survive the log, and say why a figure is missing.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use millrace_statistics::performance::binary::*;
use millrace_statistics::performance::multiclass::{Average, ClassCounts};
use millrace_statistics::performance::ranking::{RankingSums, ndcg, reciprocal_rank};
use millrace_statistics::performance::regression::ErrorSums;
use millrace_statistics::performance::{DecodeError, ScoreBins, ScoreCounts, Undefined, fairness};

/// Awkward rows: ties, both zeros, the range of a double, values that are no numbers.
fn rows() -> Vec<(f64, bool)> {
    let awkward = [0.0, -0.0, 1.0, 0.1, 0.3, -2.5, 1e300, -1e300, 5e-324, f64::NAN, f64::INFINITY];
    (0..200)
        .map(|i| (awkward[i * 7 % awkward.len()] + if i % 3 == 0 { 0.0 } else { 0.1 }, i % 5 < 2))
        .collect()
}

/// Merges the parts forth and back, as a tree too, and asserts one state, in memory and in bytes.
fn merges<S: Clone + PartialEq + std::fmt::Debug>(
    parts: &[S],
    whole: &S,
    merge: impl Fn(&mut S, &S),
    bytes: impl Fn(&S) -> Vec<u8>,
    read: impl Fn(&[u8]) -> Result<S, DecodeError>,
) {
    let fold = |parts: Vec<&S>| {
        let mut sum = parts[0].clone();
        parts[1..].iter().for_each(|part| merge(&mut sum, part));
        sum
    };
    let halves = [fold(parts.iter().step_by(2).collect()), fold(parts.iter().skip(1).step_by(2).collect())];
    for merged in
        [fold(parts.iter().collect()), fold(parts.iter().rev().collect()), fold(halves.iter().collect())]
    {
        assert_eq!(&merged, whole);
        assert_eq!(bytes(&merged), bytes(whole));
    }
    let whole_bytes = bytes(whole);
    assert_eq!(&read(&whole_bytes).unwrap(), whole);
    for end in 0..whole_bytes.len() {
        assert!(read(&whole_bytes[..end]).is_err(), "cut at {end}");
    }
    assert!(read(&[whole_bytes.as_slice(), &[0]].concat()).is_err(), "a byte beyond the end");
}

#[test]
fn score_counts() {
    let parts: Vec<_> = rows().chunks(9).map(|part| ScoreCounts::of(part.iter().copied())).collect();
    let whole = ScoreCounts::of(rows());
    merges(&parts, &whole, ScoreCounts::merge, ScoreCounts::to_bytes, ScoreCounts::from_bytes);
    assert_eq!(whole.rows() + whole.not_finite(), 200);
    let scores: Vec<f64> = whole.ascending().map(|(score, _)| score).collect();
    assert!(scores.is_sorted() && scores.len() == whole.distinct());
}

#[test]
fn score_bins() {
    let new = |rows: &[(f64, bool)]| {
        let mut bins = ScoreBins::of_probabilities(20, 0.37).unwrap();
        rows.iter().for_each(|(score, label)| bins.add(*score, *label));
        bins
    };
    let parts: Vec<_> = rows().chunks(9).map(new).collect();
    let merge = |a: &mut ScoreBins, b: &ScoreBins| assert!(a.merge(b));
    merges(&parts, &new(&rows()), merge, ScoreBins::to_bytes, ScoreBins::from_bytes);
    assert!(!ScoreBins::new(vec![0.5]).unwrap().merge(&new(&[])), "other edges");
    assert!(ScoreBins::new(vec![1.0, 0.5]).is_none());
}

#[test]
fn error_sums() {
    let new = |rows: &[(f64, bool)]| {
        let mut sums = ErrorSums::default();
        rows.iter().for_each(|(score, label)| sums.add(*score * 1e-150, f64::from(u8::from(*label))));
        sums
    };
    let parts: Vec<_> = rows().chunks(9).map(new).collect();
    merges(&parts, &new(&rows()), ErrorSums::merge, ErrorSums::to_bytes, ErrorSums::from_bytes);
}

#[test]
fn ranking_sums() {
    let new = |rows: &[(f64, bool)]| {
        let mut sums = RankingSums::new(Some(3));
        let items: Vec<_> = rows.iter().map(|(score, label)| (*score, f64::from(u8::from(*label)))).collect();
        items.chunks(3).for_each(|list| sums.add(list));
        sums
    };
    let parts: Vec<_> = rows().chunks(9).map(new).collect();
    let merge = |a: &mut RankingSums, b: &RankingSums| assert!(a.merge(b));
    merges(&parts, &new(&rows()), merge, RankingSums::to_bytes, RankingSums::from_bytes);
    assert!(!RankingSums::new(None).merge(&new(&[])), "another cut");
}

#[test]
fn class_counts() {
    let new = |rows: &[(f64, bool)]| {
        let mut counts = ClassCounts::new(3);
        for (i, (score, label)) in rows.iter().enumerate() {
            let p = score.abs().clamp(0.0, 0.9);
            counts.add(usize::from(*label), i % 4, Some(&[p, 1.0 - p, 0.0]));
        }
        counts
    };
    let parts: Vec<_> = rows().chunks(8).map(new).collect();
    let merge = |a: &mut ClassCounts, b: &ClassCounts| assert!(a.merge(b));
    let whole = new(&rows());
    merges(&parts, &whole, merge, ClassCounts::to_bytes, ClassCounts::from_bytes);
    assert!(whole.unusable() >= 50, "class 3 does not exist");
    assert!(ClassCounts::from_bytes(&[1, 200, 1, 0]).is_err(), "200 classes in no bytes");
}

#[test]
fn a_corrected_label_leaves_no_trace() {
    let mut corrected = ScoreCounts::of(rows());
    corrected.add(0.7, true);
    corrected.add(f64::NAN, true);
    assert!(corrected.remove(0.7, true) && corrected.remove(f64::NAN, true));
    assert!(!corrected.remove(0.7, true), "no such row");
    assert!(!corrected.remove(-0.25, false), "no such score");
    assert_eq!(corrected.to_bytes(), ScoreCounts::of(rows()).to_bytes());
    let mut sums = ErrorSums::default();
    sums.add(1.0, 3.0);
    let bytes = sums.to_bytes();
    sums.add(1e300, 0.1);
    sums.remove(1e300, 0.1);
    assert_eq!(sums.to_bytes(), bytes);
}

#[test]
fn fixed_edges_keep_their_stated_error() {
    let mut state = 9_u64;
    let mut uniform = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let mut row = || {
        let score = uniform();
        (score, uniform() < score * score)
    };
    let rows: Vec<(f64, bool)> = (0..5_000).map(|_| row()).collect();
    let exact = ScoreCounts::of(rows.iter().copied());
    for bins in [5, 50, 1_000] {
        let mut state = ScoreBins::of_probabilities(bins, 0.37).unwrap();
        rows.iter().for_each(|(score, label)| state.add(*score, *label));
        let counts = state.counts();
        let distance = |metric: fn(&ScoreCounts) -> _| {
            let values: [f64; 2] = [&counts, &exact].map(|counts| Result::unwrap(metric(counts)));
            (values[0] - values[1]).abs()
        };
        assert!(distance(|counts| auc(counts).map(|area| area.value)) <= state.auc_error());
        assert!(distance(|counts| brier(counts).map(|score| score.value)) <= state.width());
        assert_eq!(Confusion::at(&counts, 0.37), Confusion::at(&exact, 0.37), "the threshold is an edge");
        assert!(state.auc_error() < 0.6 / bins as f64, "{}", state.auc_error());
    }
}

#[test]
fn what_is_undefined_says_why() {
    let none = ScoreCounts::default();
    let negatives = ScoreCounts::of([(0.2, false), (0.4, false), (f64::NAN, true)]);
    let positives = ScoreCounts::of([(0.2, true), (0.4, true)]);
    for metric in [auc, average_precision, log_loss, brier] {
        assert_eq!(metric(&none), Err(Undefined::NoRows));
    }
    assert_eq!(auc(&negatives), Err(Undefined::OneClass { rows: 2, positive: false }));
    assert_eq!(auc(&positives).unwrap_err().to_string(), "all 2 labels are positive");
    assert_eq!(average_precision(&negatives), Err(Undefined::NoPositives { rows: 2 }));
    assert_eq!(average_precision(&positives).unwrap().value, 1.0);
    assert_eq!(precision_at_k(&negatives, 3), Err(Undefined::FewerThanK { rows: 2, k: 3 }));
    assert_eq!(recall_at_k(&negatives, 1), Err(Undefined::NoPositives { rows: 2 }));
    let logits = ScoreCounts::of([(-1.5, false), (2.0, true)]);
    assert_eq!(brier(&logits).unwrap_err().to_string(), "a score of -1.5 is no probability");
    assert_eq!(auc(&logits).unwrap().value, 1.0, "any score ranks");
    let confusion = Confusion::at(&negatives, 0.5);
    assert_eq!(confusion.precision(), Err(Undefined::NoPredictedPositives { rows: 2 }));
    assert_eq!(confusion.recall(), Err(Undefined::NoPositives { rows: 2 }));
    assert_eq!(confusion.f1(), Err(Undefined::NothingPositive { rows: 2 }));
    assert_eq!(Confusion::default().accuracy(), Err(Undefined::NoRows));
}

#[test]
fn what_is_undefined_over_classes_lists_and_groups_says_why() {
    let mut classes = ClassCounts::new(3);
    assert_eq!(classes.f1(Average::Macro), Err(Undefined::NoRows));
    classes.add(0, 0, Some(&[0.5, 0.3, 0.2]));
    classes.add(1, 0, Some(&[0.5, 0.3, 0.2]));
    assert_eq!(classes.auc(Average::Macro).unwrap_err().to_string(), "class 2 has no labelled row");
    assert_eq!(ErrorSums::default().rmse(), Err(Undefined::NoRows));
    let mut errors = ErrorSums::default();
    errors.add(1e100, -1e100);
    assert_eq!(errors.rmse(), Err(Undefined::Overflow));
    assert_eq!(RankingSums::default().ndcg(), Err(Undefined::NoRows));
    assert_eq!(ndcg(&[(0.5, 1.0)], None), None, "one item is no ranking");
    assert_eq!(ndcg(&[(f64::NAN, 1.0), (0.5, 1.0)], None), None);
    assert_eq!(reciprocal_rank(&[(0.5, 0.0)]), Some(0.0));
    let group = |tp, fp, tn, fn_| Confusion {
        true_positives: tp,
        false_positives: fp,
        true_negatives: tn,
        false_negatives: fn_,
    };
    let groups = BTreeMap::from([("a".to_owned(), group(5, 5, 5, 5)), ("b".to_owned(), group(0, 5, 5, 0))]);
    let none = fairness::equal_opportunity(&groups).unwrap_err();
    assert_eq!(none.to_string(), "1 of 2 groups have a true positive rate, two are needed");
    let parity = fairness::demographic_parity(&groups).unwrap();
    assert_eq!((parity.highest.as_str(), parity.lowest.as_str()), ("a", "b"), "equals go by name");
    assert!(!parity.estimate.is_enough(), "{parity:?}");
}
