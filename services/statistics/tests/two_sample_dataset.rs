//! All columns at once: the discrepancy against its exact kernel, and what the domain classifier must see.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{Random, golden, sample};
use millrace_statistics::two_sample::dataset::{
    ClassifierOptions, Domains, Error, MmdOptions, domain_classifier, mmd,
};
use serde_json::Value;

/// Columns of a golden window; the last one has missing values.
fn window(recipes: &Value, missing: f64) -> Vec<Vec<f64>> {
    let mut columns: Vec<Vec<f64>> = recipes.as_array().unwrap().iter().map(sample).collect();
    columns[2].iter_mut().filter(|v| **v == missing).for_each(|v| *v = f64::NAN);
    columns
}

#[test]
fn random_features_come_near_the_exact_kernel() {
    for case in golden(include_str!("../golden/dataset.json")).as_array().unwrap() {
        let number = |key: &str| case[key].as_f64().unwrap();
        let missing = common::floats(&case["missing"]);
        let (x, y) = (window(&case["x"], missing[0]), window(&case["y"], missing[1]));
        let options =
            MmdOptions { frequencies: 10_000, bandwidth: Some(number("bandwidth")), ..MmdOptions::default() };
        let found = mmd(&x, &y, &options).unwrap();
        // Each frequency estimates the discrepancy; their mean is within 5 % and a little.
        for (found, expected) in [(found.biased, number("biased")), (found.unbiased, number("unbiased"))] {
            assert!((found - expected).abs() < 0.05 * expected.abs() + 3e-4, "{found} {expected}");
        }
        let by_median = mmd(&x, &y, &MmdOptions::default()).unwrap();
        assert!((by_median.bandwidth / number("median") - 1.0).abs() < 0.07, "{by_median:?}");
    }
}

/// Columns of nearly normal values.
fn noise(random: &mut Random, columns: usize, rows: usize) -> Vec<Vec<f64>> {
    (0..columns).map(|_| (0..rows).map(|_| random.bell()).collect()).collect()
}

#[test]
fn permutation_p_values_are_small_under_drift_and_uniform_without() {
    let mut random = Random::of(1);
    let options = MmdOptions { frequencies: 64, permutations: 99, ..MmdOptions::default() };
    let mut low = 0;
    for _ in 0..60 {
        let (x, mut y) = (noise(&mut random, 3, 60), noise(&mut random, 3, 50));
        low += u32::from(mmd(&x, &y, &options).unwrap().p_value.unwrap() <= 0.2);
        y[1].iter_mut().for_each(|v| *v += 1.0);
        assert_eq!(mmd(&x, &y, &options).unwrap().p_value, Some(0.01));
    }
    // Binomial(60, 0.2): mean 12, standard deviation 3.1.
    assert!((3..=22).contains(&low), "{low}");
}

fn told_apart(x: &[Vec<f64>], y: &[Vec<f64>]) -> Domains {
    domain_classifier(x, y, &ClassifierOptions::default()).unwrap()
}

#[test]
fn equal_windows_are_not_told_apart() {
    let mut random = Random::of(2);
    let areas: Vec<f64> =
        (0..10).map(|_| told_apart(&noise(&mut random, 6, 500), &noise(&mut random, 6, 400)).auc).collect();
    let mean = areas.iter().sum::<f64>() / 10.0;
    // The standard error of each is about 0.02.
    assert!((mean - 0.5).abs() < 0.02 && areas.iter().all(|a| (a - 0.5).abs() < 0.07), "{areas:?}");
}

#[test]
fn the_column_that_moved_is_named() {
    let mut random = Random::of(3);
    let (x, mut y) = (noise(&mut random, 8, 800), noise(&mut random, 8, 800));
    y[5].iter_mut().for_each(|v| *v += 0.6);
    let found = told_apart(&x, &y);
    assert!(found.auc > 0.7 && found.effect > 0.4, "{found:?}");
    assert!(found.columns[0].column == 5 && found.columns[0].share > 0.9, "{found:?}");
}

#[test]
fn one_column_of_hundreds_is_found() {
    let mut random = Random::of(4);
    let (x, mut y) = (noise(&mut random, 300, 300), noise(&mut random, 300, 300));
    y[217].iter_mut().for_each(|v| *v += 1.0);
    let found = told_apart(&x, &y);
    assert!(found.auc > 0.75 && found.columns[0].column == 217, "{found:?}");
}

#[test]
fn columns_that_moved_only_together_are_found() {
    let mut random = Random::of(5);
    let (x, mut y) = (noise(&mut random, 4, 3000), noise(&mut random, 4, 3000));
    // The same margin, but it follows column 0 now.
    y[3] = y[0].iter().zip(&y[3]).map(|(a, b)| 0.9 * a + 0.19_f64.sqrt() * b).collect();
    let found = told_apart(&x, &y);
    let first_two: Vec<usize> = found.columns[..2].iter().map(|c| c.column).collect();
    assert!(found.auc > 0.75 && first_two.contains(&0) && first_two.contains(&3), "{found:?}");
}

#[test]
fn missing_values_tell_windows_apart() {
    let mut random = Random::of(6);
    let (x, mut y) = (noise(&mut random, 3, 400), noise(&mut random, 3, 400));
    y[1].iter_mut().step_by(3).for_each(|v| *v = f64::NAN);
    let found = told_apart(&x, &y);
    assert!(found.auc > 0.6 && found.columns[0].column == 1, "{found:?}");
    assert!(mmd(&x, &y, &MmdOptions::default()).unwrap().effect > 0.1);
}

#[test]
fn a_seed_gives_the_same_result_twice() {
    let mut random = Random::of(7);
    let (x, y) = (noise(&mut random, 100, 60), noise(&mut random, 100, 60));
    assert_eq!(told_apart(&x, &y), told_apart(&x, &y));
    let options = MmdOptions { permutations: 20, ..MmdOptions::default() };
    assert_eq!(mmd(&x, &y, &options), mmd(&x, &y, &options));
}

#[test]
fn windows_that_cannot_be_compared_say_why() {
    let text = |x: &[Vec<f64>], y: &[Vec<f64>]| mmd(x, y, &MmdOptions::default()).unwrap_err().to_string();
    let two = vec![vec![1.0, 2.0], vec![1.0, 1.0]];
    assert_eq!(text(&two, &two[..1]), "the reference has 2 columns, the current window 1");
    let ragged = vec![vec![1.0, 2.0], vec![1.0]];
    assert_eq!(text(&two, &ragged), "column 1 of the current window has 1 rows, its first column 2");
    assert_eq!(text(&two[1..], &two[1..]), "no column has two values");
    assert!(text(&[], &[]).starts_with("the reference window has 0 rows"));
    let options = ClassifierOptions::default();
    assert!(matches!(domain_classifier(&two, &two, &options), Err(Error::TooFew { needed: 10, .. })));
}
