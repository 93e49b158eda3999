//! Two-sample statistics against SciPy, and NumPy's of published formulas (`golden/two_sample.py`).
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{counts, floats, golden, same_p_value, same_statistic, sample};
use millrace_statistics::sample::Sample;
use millrace_statistics::two_sample::{Method, Outcome, compare_counts, compare_numeric, correction};
use serde_json::Value;

fn two_sample() -> Value {
    golden(include_str!("../golden/two_sample.json"))
}

/// What differs from the golden `[statistic, p-value, effect]` or `[distance]`.
fn differences(method: Method, found: Outcome, expected: &[f64]) -> Option<String> {
    let statistic = same_statistic(found.statistic, expected[0]);
    let p_value = match (found.p_value, expected.get(1)) {
        (Some(p), Some(e)) => {
            same_p_value(p, *e) || (method == Method::CramerVonMises && (p - e).abs() < 1e-12)
        }
        (None, None) => true,
        _ => false,
    };
    let effect = same_statistic(found.effect, *expected.last().unwrap());
    (!(statistic && p_value && effect)).then(|| format!("{method}: {found:?}, expected {expected:?}"))
}

#[test]
fn numeric_statistics_are_scipys() {
    let mut wrong = Vec::new();
    let mut compared = 0;
    for case in two_sample()["numeric"].as_array().unwrap() {
        let [x, y] = ["x", "y"].map(|key| Sample::of(sample(&case[key])));
        for (name, expected) in case["is"].as_object().unwrap() {
            let method: Method = name.parse().unwrap();
            let about = format!("{} {}", case["x"], case["y"]);
            match compare_numeric(method, &x, &y, &[]) {
                Ok(found) => {
                    wrong.extend(
                        differences(method, found, &floats(expected)).map(|d| format!("{about}: {d}")),
                    );
                }
                Err(reason) => wrong.push(format!("{about}: {method}: {reason}, expected {expected}")),
            }
            compared += 1;
        }
    }
    assert!(wrong.is_empty(), "{} of {compared}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(compared > 3500, "{compared}");
}

#[test]
fn statistics_of_counts_are_scipys() {
    for case in two_sample()["counts"].as_array().unwrap() {
        let (p, q) = (counts(&case["p"]), counts(&case["q"]));
        for (name, expected) in case["is"].as_object().unwrap() {
            let method: Method = name.parse().unwrap();
            let found = compare_counts(method, &p, &q).unwrap();
            let wrong = differences(method, found, &floats(expected));
            assert!(wrong.is_none(), "{p:?} {q:?}: {}", wrong.unwrap_or_default());
        }
    }
}

#[test]
fn benjamini_and_hochbergs_correction_is_scipys() {
    for case in two_sample()["benjamini_hochberg"].as_array().unwrap() {
        let found = correction::benjamini_hochberg(&floats(&case["p"]));
        for (found, expected) in found.iter().zip(floats(&case["is"])) {
            assert!(same_statistic(*found, expected), "{case}");
        }
    }
}
