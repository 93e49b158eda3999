//! CBPE against nannyml 0.13.1 (golden/cbpe.py).
#![allow(clippy::unwrap_used)]

use millrace_statistics::performance::binary::{Confusion, auc, average_precision};
use millrace_statistics::performance::estimated::{Cbpe, Isotonic};
use millrace_statistics::performance::{Outcomes, ScoreCounts, Undefined};
use millrace_statistics::sample::Sample;
use serde_json::Value;

fn golden(case: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("../golden/cbpe.json")).unwrap();
    all[case].clone()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn rows(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap()
}

fn reference(case: &Value) -> ScoreCounts {
    let mut counts = ScoreCounts::default();
    for row in rows(&case["reference"]) {
        let outcomes = Outcomes { positives: row[1].as_u64().unwrap(), negatives: row[2].as_u64().unwrap() };
        counts.add_outcomes(number(&row[0]), outcomes);
    }
    counts
}

fn chunk(value: &Value) -> Sample {
    Sample::of_counts(rows(value).iter().map(|row| (number(&row[0]), row[1].as_u64().unwrap())))
}

fn check(name: &str) {
    let case = golden(name);
    let calibrator = Isotonic::fit(&reference(&case)).unwrap();
    for (key, calibrator) in [("calibrated", Some(&calibrator)), ("uncalibrated", None)] {
        for (i, scores) in rows(&case["chunks"]).iter().enumerate() {
            let estimate = Cbpe::of(&chunk(scores), number(&case["threshold"]), calibrator).unwrap();
            let [tp, fp, tn, fn_] = estimate.confusion();
            let figures = [
                ("roc_auc", estimate.auc().unwrap().value),
                ("average_precision", estimate.average_precision().unwrap().value),
                ("precision", estimate.precision().unwrap().value),
                ("recall", estimate.recall().unwrap().value),
                ("f1", estimate.f1().unwrap().value),
                ("accuracy", estimate.accuracy().unwrap().value),
                ("true_positive", tp),
                ("false_positive", fp),
                ("true_negative", tn),
                ("false_negative", fn_),
            ];
            for (figure, value) in figures {
                let expected = number(&case[key][i][figure]);
                assert!((value - expected).abs() < 1e-6, "{name} {key} {i} {figure}: {value} {expected}");
            }
        }
    }
}

#[test]
fn the_whole_car_loan_set_is_estimated_as_nannyml_does() {
    check("car_loan");
}

#[test]
fn continuous_scores_are_estimated_as_nannyml_does() {
    check("continuous");
}

/// Outcomes drawn from the probabilities themselves: 95 of 100 windows lie inside.
#[test]
fn intervals_hold_what_a_window_will_turn_out_to_be() {
    let case = golden("continuous");
    let scores = chunk(&case["chunks"][0]);
    let estimate = Cbpe::of(&scores, 0.4, None).unwrap();
    let mut random = Random(5);
    let mut inside = [0; 6];
    for _ in 0..400 {
        let window = ScoreCounts::of(scores.expanded().map(|score| (score, random.uniform() < score)));
        let confusion = Confusion::at(&window, 0.4);
        let pairs = [
            (estimate.auc(), auc(&window)),
            (estimate.average_precision(), average_precision(&window)),
            (estimate.precision(), confusion.precision()),
            (estimate.recall(), confusion.recall()),
            (estimate.f1(), confusion.f1()),
            (estimate.accuracy(), confusion.accuracy()),
        ];
        for (count, (estimated, realised)) in inside.iter_mut().zip(pairs) {
            *count += i32::from(estimated.unwrap().interval.contains(realised.unwrap().value));
        }
    }
    assert!(inside.iter().all(|count| (368..=396).contains(count)), "of 400: {inside:?}");
}

#[test]
fn what_cannot_be_estimated_says_why() {
    assert_eq!(Cbpe::of(&Sample::of([]), 0.5, None), Err(Undefined::NoRows));
    let raw = Cbpe::of(&Sample::of([0.2, 1.5]), 0.5, None).unwrap_err();
    assert_eq!(raw.to_string(), "a score of 1.5 is no probability");
    let zeros = Cbpe::of(&Sample::of([0.0, 0.0]), 0.5, None).unwrap();
    assert_eq!(zeros.auc(), Err(Undefined::OneClass { rows: 2, positive: false }));
    assert_eq!(zeros.average_precision(), Err(Undefined::NoPositives { rows: 2 }));
    assert_eq!(zeros.precision(), Err(Undefined::NoPredictedPositives { rows: 2 }));
    assert_eq!(zeros.recall(), Err(Undefined::NoPositives { rows: 2 }));
    assert_eq!(zeros.f1(), Err(Undefined::NothingPositive { rows: 2 }));
    assert_eq!(zeros.accuracy().unwrap().value, 1.0);
}

/// A linear congruential generator, enough to draw from.
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}
