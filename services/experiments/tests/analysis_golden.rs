//! Tests of arms against gbstats 0.8, ssrm-test and SciPy (`golden/analysis.py`).
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use millrace_experiments::analysis::always_valid::{ConfidenceSequence, Msprt};
use millrace_experiments::analysis::estimate::adjusted;
use millrace_experiments::analysis::off_policy::{self, Logged};
use millrace_experiments::analysis::paired::{self, RowMetric, Scored};
use millrace_experiments::analysis::reward_model;
use millrace_experiments::analysis::sample_ratio::{self, Sequential};
use millrace_experiments::analysis::{Effect, Estimate, Metric, Scale, Side, Sums, Tested, fixed, power};
use millrace_experiments::canary::requests::{self, Share};
use millrace_experiments::files::Error;
use millrace_experiments::files::evaluate::{Decision, EvaluateOptions, evaluate};
use millrace_experiments::random::Random;
use serde_json::Value;

fn golden() -> Value {
    serde_json::from_str(include_str!("../golden/analysis.json")).unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn numbers(value: &Value) -> Vec<f64> {
    list(value).iter().map(number).collect()
}

/// Statistics: 1e-9, relative above 1.
fn close(found: f64, expected: f64, what: &str) {
    assert!(
        (found - expected).abs() <= 1e-9 * expected.abs().max(1.0),
        "{what}: {found}, expected {expected}"
    );
}

/// p-values: 1e-9 absolute, and six digits of the tail.
fn same_p(found: f64, expected: f64, what: &str) {
    let off = (found - expected).abs();
    assert!(off <= 1e-9 && off <= 1e-6 * expected + 1e-300, "{what}: {found}, expected {expected}");
}

/// The units that `golden/analysis.py` makes.
fn arm(case: &Value, at: usize) -> Sums {
    let mut random = Random::of(case["seed"].as_u64().unwrap() + at as u64);
    let mut sums = Sums::default();
    for _ in 0..case["units"][at].as_u64().unwrap() {
        let (u, v, w) = (random.uniform(), random.uniform(), random.uniform());
        let (y, x) = match case["metric"].as_str().unwrap() {
            "conversion" => (f64::from(u8::from(u < number(&case["rates"][at]))), 2.0 * v + u),
            "ratio" => {
                let x = 1.0 + (v * 6.0).floor();
                (x * (u + number(&case["shift"][at])) + w, x)
            }
            _ => ((u + v - w) * number(&case["scale"]) + number(&case["shift"][at]), v * 3.0),
        };
        sums.add(y, x);
    }
    sums
}

fn same_test(found: &Tested, expected: &Value, what: &str) {
    let expected = numbers(expected);
    close(found.difference, expected[0], &format!("{what} difference"));
    close(found.standard_error, expected[1], &format!("{what} standard error"));
    close(found.low, expected[2], &format!("{what} low"));
    close(found.high, expected[3], &format!("{what} high"));
    same_p(found.p_value, expected[4], &format!("{what} p-value"));
}

#[test]
fn welch_confidence_sequences_and_cuped_are_those_of_gbstats() {
    for case in list(&golden()["compare"]) {
        let metric: Metric = case["metric"].as_str().unwrap().parse().unwrap();
        let (control, treatment) = (arm(case, 0), arm(case, 1));
        let raw = [
            Estimate::of(metric, &control, Side::Control).unwrap(),
            Estimate::of(metric, &treatment, Side::Treatment).unwrap(),
        ];
        let mut kinds = vec![("raw", raw)];
        if metric != Metric::Ratio {
            let adjusted = adjusted(metric, &control, &treatment).unwrap();
            kinds.push(("cuped", [adjusted.control, adjusted.treatment]));
        }
        let (alpha, null) = (number(&case["alpha"]), number(&case["null"]));
        let sequence = ConfidenceSequence { tuned_for_units: number(&case["tuning"]) };
        for (kind, arms) in kinds {
            for (scale, name) in [(Scale::Absolute, "absolute"), (Scale::Relative, "relative")] {
                let effect = Effect::of(&arms[0], &arms[1], scale).unwrap();
                let what = format!("{metric} {} {kind} {name}", case["seed"]);
                let expected = |test: &str| &case["expected"][format!("{kind}_{name}_{test}")];
                same_test(&fixed::welch(&effect, null, alpha), expected("welch"), &what);
                same_test(&sequence.test(&effect, null, alpha), expected("sequence"), &what);
            }
        }
    }
}

#[test]
fn two_proportions_are_pearsons_chi_square() {
    for case in list(&golden()["two_proportions"]) {
        let found = fixed::two_proportions(&arm(case, 0), &arm(case, 1), 0.05).unwrap();
        same_p(found.p_value, number(&case["p_value"]), &case["seed"].to_string());
    }
}

#[test]
fn the_sample_ratio_test_is_that_of_gbstats() {
    for case in list(&golden()["sample_ratio"]) {
        let units: Vec<u64> = list(&case["units"]).iter().map(|v| v.as_u64().unwrap()).collect();
        same_p(
            sample_ratio::fixed(&units, &numbers(&case["shares"])),
            number(&case["p_value"]),
            &case.to_string(),
        );
    }
}

#[test]
fn the_sequential_sample_ratio_test_is_ssrm_test() {
    for case in list(&golden()["sequential"]) {
        let mut test = Sequential::new(&numbers(&case["shares"]), number(&case["concentration"]));
        for (batch, expected) in list(&case["batches"]).iter().zip(numbers(&case["p_values"])) {
            let batch: Vec<u64> = list(batch).iter().map(|v| v.as_u64().unwrap()).collect();
            let found = test.look(&batch);
            assert!((found - expected).abs() < 1e-9, "{found} {expected}");
        }
    }
}

/// The mixture of likelihood ratios that Johari et al. print, integrated numerically.
#[test]
fn msprt_is_the_published_mixture() {
    for case in list(&golden()["msprt"]) {
        let (units, variances) = (numbers(&case["units"]), numbers(&case["variances"]));
        let of = |at: usize, mean: f64| Estimate {
            units: units[at] as u64,
            mean,
            raw_mean: mean,
            variance: variances[at],
        };
        let effect =
            Effect::of(&of(0, 1.0), &of(1, 1.0 + number(&case["difference"])), Scale::Absolute).unwrap();
        let test = Msprt { expected_effect: number(&case["tau"]) };
        let found = test.test(&effect, 0.0, number(&case["alpha"]));
        assert!((found.p_value - number(&case["p_value"])).abs() < 1e-9, "{case}: {}", found.p_value);
        assert!((found.high - found.difference - number(&case["width"])).abs() < 1e-8, "{case}");
    }
}

#[test]
fn paired_tests_are_delongs_and_the_paired_t_test() {
    for case in list(&golden()["paired"]) {
        let mut random = Random::of(case["seed"].as_u64().unwrap());
        let (levels, noise) = (number(&case["levels"]), number(&case["noise"]));
        let rows: Vec<Scored> = (0..case["rows"].as_u64().unwrap())
            .map(|_| {
                let [u, v, w, x] = [(); 4].map(|()| random.uniform());
                let positive = u < number(&case["rate"]);
                let base = if positive { 0.4 } else { 0.0 } + 0.5 * v;
                let level = |score: f64| (score * levels).floor() / levels;
                Scored { positive, control: level(base + 0.1 * w), treatment: level(base + noise * x) }
            })
            .collect();
        let found = paired::auc(&rows, 0.0, 0.05).unwrap();
        let expected = numbers(&case["expected"]["auc"]);
        close(found.control, expected[0], "control");
        close(found.treatment, expected[1], "treatment");
        close(found.tested.standard_error, expected[2], "standard error");
        same_p(found.tested.p_value, expected[3], "DeLong");
        for (name, metric) in [("log_loss", RowMetric::LogLoss), ("brier", RowMetric::Brier)] {
            let mut sums = Sums::default();
            rows.iter().for_each(|row| sums.add(metric.of(row), 1.0));
            let found = fixed::welch(&paired::effect(&sums).unwrap(), 0.0, 0.05);
            let expected = numbers(&case["expected"][name]);
            close(found.difference, expected[0], name);
            close(found.low, expected[1], name);
            close(found.high, expected[2], name);
            same_p(found.p_value, expected[3], name);
        }
    }
}

#[test]
fn off_policy_estimates_are_those_of_their_formulas() {
    for case in list(&golden()["off_policy"]) {
        let mut random = Random::of(case["seed"].as_u64().unwrap());
        let rows: Vec<Logged> = (0..case["rows"].as_u64().unwrap())
            .map(|at| {
                let [u, v, w, x] = [(); 4].map(|()| random.uniform());
                let propensity = 0.05 + 0.9 * u;
                let target = f64::from(u8::from(v < propensity));
                Logged {
                    reward: w + x,
                    propensity,
                    target,
                    expected: 0.9 * w,
                    expected_of_target: 0.4 + 0.1 * u,
                    unit: at,
                }
            })
            .collect();
        let found = off_policy::evaluate(&rows, &off_policy::Rules { alpha: 0.05, clip: None }).unwrap();
        for (value, name) in [
            (found.ips, "ips"),
            (found.doubly_robust, "doubly_robust"),
            (found.self_normalised, "self_normalised"),
        ] {
            let expected = numbers(&case["expected"][name]);
            close(value.mean, expected[0], name);
            close(value.standard_error, expected[1], name);
        }
    }
}

#[test]
fn power_is_the_normal_formula_and_required_units_are_the_least() {
    for row in list(&golden()["power"]) {
        let row = numbers(row);
        same_p(power::power(row[0], row[1], row[2]), row[3], "power");
    }
    let (control, treatment) = power::required_units(0.1, (1.0, 1.0), 1.0, 0.05, 0.8).unwrap();
    assert_eq!((control, treatment), (1570, 1570));
    let error = |n: f64| (2.0 / n).sqrt();
    assert!(power::power(0.1, error(1570.0), 0.05) >= 0.8 && power::power(0.1, error(1569.0), 0.05) < 0.8);
    assert!((power::detectable(error(1570.0), 0.05, 0.8) - 0.1).abs() < 1e-4);
    let (control, treatment) = power::required_units(0.1, (1.0, 1.0), 0.25, 0.05, 0.8).unwrap();
    assert!(control.abs_diff(3924) <= 2 && treatment == control.div_ceil(4), "{control} {treatment}");
    assert!(power::required_units(0.0, (1.0, 1.0), 1.0, 0.05, 0.8).is_none());
}

/// Decisions of three arms: what `golden/analysis.py` draws.
fn decisions(case: &Value) -> Vec<Result<Decision, Error>> {
    let mut random = Random::of(case["seed"].as_u64().unwrap());
    let target = numbers(&case["target"]);
    let unit_rows = case["rows_of_unit"].as_u64().unwrap();
    let decide = |at: u64| {
        let [a, b, c, d, e] = [(); 5].map(|()| random.uniform());
        let weights = [1.0, 0.5 + a, 0.3 + b];
        let whole: f64 = weights.iter().sum();
        let shares = weights.map(|weight| weight / whole);
        let arm = if c < shares[0] { 0 } else { 1 + usize::from(c >= shares[0] + shares[1]) };
        Ok(Decision {
            unit: Some((at / unit_rows).to_string()),
            arm: arm.to_string(),
            propensity: shares[arm],
            reward: a * arm as f64 + 0.5 * b + d - e,
            covariates: vec![a, 1000.0 * b, 7.0],
            target: target.iter().enumerate().map(|(arm, p)| (arm.to_string(), *p)).collect(),
        })
    };
    (0..case["rows"].as_u64().unwrap()).map(decide).collect()
}

#[test]
fn policies_are_evaluated_as_numpy_does_with_cross_fitted_ridge_regressions() {
    for case in list(&golden()["evaluation"]) {
        let options = EvaluateOptions {
            model: reward_model::Rules {
                folds: case["folds"].as_u64().unwrap() as usize,
                penalty: number(&case["ridge"]),
            },
            rules: Some(off_policy::Rules { alpha: 0.05, clip: case["clip"].as_f64() }),
            ..EvaluateOptions::default()
        };
        let report = evaluate(decisions(case), &options).unwrap();
        let (found, expected) = (&report.evaluation, &case["expected"]);
        for (value, name) in [
            (found.served, "served"),
            (found.ips, "ips"),
            (found.self_normalised, "self_normalised"),
            (found.doubly_robust, "doubly_robust"),
            (found.gain, "gain"),
        ] {
            let expected = numbers(&expected[name]);
            close(value.mean, expected[0], name);
            close(value.standard_error, expected[1], name);
        }
        close(found.effective_rows, number(&expected["effective_rows"]), "effective rows");
        close(report.model.r_squared, number(&expected["r_squared"]), "r squared");
    }
}

#[test]
fn shares_of_requests_differ_by_newcombes_interval() {
    for case in list(&golden()["newcombe"]) {
        let share = |name: &str| {
            let pair = numbers(&case[name]);
            Share { bad: pair[0] as u64, all: pair[1] as u64 }
        };
        let (baseline, canary) = (share("baseline"), share("canary"));
        let found = requests::compare(baseline, canary, number(&case["alpha"])).unwrap();
        let expected = numbers(&case["interval"]);
        close(found.low, expected[0], &format!("{case} low"));
        close(found.high, expected[1], &format!("{case} high"));
        assert_eq!(found.support, baseline.all.min(canary.all));
    }
}
