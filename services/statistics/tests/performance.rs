//! Metrics against scikit-learn, fairlearn and statsmodels (golden/performance.py).
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use millrace_statistics::performance::binary::*;
use millrace_statistics::performance::multiclass::{Average, ClassCounts};
use millrace_statistics::performance::ranking::{ndcg, reciprocal_rank};
use millrace_statistics::performance::{Measured, ScoreCounts, fairness, interval};
use serde_json::Value;

const TOLERANCE: f64 = 1e-10;

fn golden(part: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("../golden/performance.json")).unwrap();
    all[part].clone()
}

fn rows(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    rows(value).iter().map(|x| x.as_f64().unwrap()).collect()
}

fn indices(value: &Value) -> Vec<usize> {
    rows(value).iter().map(|x| x.as_u64().unwrap() as usize).collect()
}

fn close(value: f64, case: &Value, key: &str) {
    let expected = case[key].as_f64().unwrap();
    assert!((value - expected).abs() <= TOLERANCE, "{key}: {value}, expected {expected}");
}

fn agrees(measured: Measured, case: &Value, key: &str) {
    let estimate = measured.unwrap();
    close(estimate.value, case, key);
    assert!(estimate.interval.low <= estimate.interval.high, "{key}: {estimate:?}");
    if let Some(ends) = case.get(format!("{key}_interval")) {
        assert!(
            (estimate.interval.low - ends[0].as_f64().unwrap()).abs() <= TOLERANCE,
            "{key}: {estimate:?} {ends}"
        );
        assert!(
            (estimate.interval.high - ends[1].as_f64().unwrap()).abs() <= TOLERANCE,
            "{key}: {estimate:?} {ends}"
        );
    }
}

#[test]
fn binary_metrics_are_scikit_learns() {
    for case in rows(&golden("binary")) {
        let labels = indices(&case["labels"]);
        let pairs = numbers(&case["scores"]).into_iter().zip(labels.iter().map(|label| *label == 1));
        let counts = ScoreCounts::of(pairs);
        agrees(auc(&counts), case, "auc");
        agrees(average_precision(&counts), case, "average_precision");
        agrees(log_loss(&counts), case, "log_loss");
        agrees(brier(&counts), case, "brier");
        agrees(expected_calibration_error(&counts, 10), case, "ece");
        let confusion = Confusion::at(&counts, case["threshold"].as_f64().unwrap());
        let Confusion { true_positives, false_positives, true_negatives, false_negatives } = confusion;
        let cells =
            [true_positives, false_positives, true_negatives, false_negatives].map(|cell| cell as usize);
        assert_eq!(cells.to_vec(), indices(&case["confusion"]));
        agrees(confusion.precision(), case, "precision");
        agrees(confusion.recall(), case, "recall");
        agrees(confusion.f1(), case, "f1");
        agrees(confusion.accuracy(), case, "accuracy");
        let k = case["k"].as_u64().unwrap();
        agrees(precision_at_k(&counts, k), case, "precision_at_k");
        agrees(recall_at_k(&counts, k), case, "recall_at_k");
    }
}

fn class_counts(case: &Value) -> ClassCounts {
    let mut counts = ClassCounts::new(case["classes"].as_u64().unwrap() as usize);
    let probabilities =
        case.get("probabilities").map(|rows_| rows(rows_).iter().map(numbers).collect::<Vec<_>>());
    let pairs = indices(&case["actual"]).into_iter().zip(indices(&case["predicted"]));
    for (i, (actual, predicted)) in pairs.enumerate() {
        counts.add(actual, predicted, probabilities.as_ref().map(|rows| rows[i].as_slice()));
    }
    counts
}

fn averages_agree(counts: &ClassCounts, case: &Value) {
    agrees(counts.accuracy(), case, "accuracy");
    for (average, name) in [(Average::Macro, "macro"), (Average::Weighted, "weighted")] {
        agrees(counts.precision(average), case, &format!("precision_{name}"));
        agrees(counts.recall(average), case, &format!("recall_{name}"));
        agrees(counts.f1(average), case, &format!("f1_{name}"));
    }
}

#[test]
fn multiclass_metrics_are_scikit_learns() {
    for case in rows(&golden("multiclass")) {
        let counts = class_counts(case);
        averages_agree(&counts, case);
        agrees(counts.log_loss(), case, "log_loss");
        for (average, name) in [(Average::Macro, "macro"), (Average::Weighted, "weighted")] {
            agrees(counts.auc(average), case, &format!("auc_{name}"));
            let f1 = counts.f1(average).unwrap();
            let error = (f1.interval.high - f1.value) / interval::Z;
            let expected = case[format!("f1_{name}_error")].as_f64().unwrap();
            assert!((error - expected).abs() < 1e-8, "{name}: {error} {expected}");
        }
    }
}

#[test]
fn classes_that_do_not_occur_are_averaged_as_scikit_learn_does() {
    let case = golden("sparse");
    averages_agree(&class_counts(&case), &case);
}

#[test]
fn ranking_metrics_are_scikit_learns_and_those_of_every_order() {
    for case in rows(&golden("ranking")) {
        let items: Vec<(f64, f64)> =
            numbers(&case["scores"]).into_iter().zip(numbers(&case["relevances"])).collect();
        close(ndcg(&items, Some(case["k"].as_u64().unwrap() as usize)).unwrap(), case, "ndcg");
        close(ndcg(&items, None).unwrap(), case, "ndcg_whole");
        if case.get("reciprocal_rank").is_some() {
            close(reciprocal_rank(&items).unwrap(), case, "reciprocal_rank");
        }
    }
}

#[test]
fn fairness_is_fairlearns() {
    for case in rows(&golden("fairness")) {
        let mut groups: BTreeMap<String, Confusion> = BTreeMap::new();
        let decisions = indices(&case["predicted"]).into_iter().zip(indices(&case["actual"]));
        for (group, (predicted, actual)) in rows(&case["groups"]).iter().zip(decisions) {
            groups.entry(group.as_str().unwrap().to_owned()).or_default().add(predicted == 1, actual == 1);
        }
        for (difference, key) in [
            (fairness::demographic_parity(&groups), "demographic_parity"),
            (fairness::equal_opportunity(&groups), "equal_opportunity"),
            (fairness::equalised_odds(&groups), "equalised_odds"),
        ] {
            let estimate = difference.unwrap().estimate;
            close(estimate.value, case, key);
            assert!(estimate.interval.contains(estimate.value), "{key}: {estimate:?}");
        }
    }
}

#[test]
fn differences_of_proportions_have_statsmodels_interval() {
    for case in rows(&golden("newcombe")) {
        let counts = numbers(&case["counts"]);
        let ends = interval::newcombe((counts[0], counts[1]), (counts[2], counts[3]), interval::Z);
        let expected = numbers(&case["interval"]);
        assert!((ends.low - expected[0]).abs() <= TOLERANCE, "{case}: {ends:?}");
        assert!((ends.high - expected[1]).abs() <= TOLERANCE, "{case}: {ends:?}");
    }
}
