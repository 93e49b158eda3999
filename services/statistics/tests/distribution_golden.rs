//! Distribution functions against SciPy's (`golden/distribution.py`).
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{floats, golden, same_p_value, same_statistic};
use millrace_statistics::distribution::{
    binomial, chi_square, cramer_von_mises, kolmogorov, normal, student_t,
};

/// Compares `found` of each row's arguments with its last number.
fn compare(key: &str, found: impl Fn(&[f64]) -> f64) {
    compare_by(key, same_p_value, found);
}

fn compare_by(key: &str, same: impl Fn(f64, f64) -> bool, found: impl Fn(&[f64]) -> f64) {
    let all = golden(include_str!("../golden/distribution.json"));
    let mut wrong = Vec::new();
    for row in all[key].as_array().unwrap() {
        let row = floats(row);
        let (expected, arguments) = row.split_last().unwrap();
        let p = found(arguments);
        if !same(p, *expected) {
            wrong.push(format!("{arguments:?}: {p}, expected {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{key}: {}\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn kolmogorovs_is_scipys() {
    compare("kolmogorov", |row| kolmogorov::sf(row[1], row[0] as u64));
}

#[test]
fn chi_squares_is_scipys() {
    compare("chi_square", |row| chi_square::sf(row[0], row[1]));
}

#[test]
fn the_normal_one_is_scipys() {
    compare("normal", |row| normal::sf(row[0]));
}

#[test]
fn cramer_and_von_mises_limit_is_scipys() {
    compare("cramer_von_mises", |row| cramer_von_mises::limiting_cdf(row[0]));
}

#[test]
fn students_is_scipys() {
    compare("student_t", |row| student_t::sf(row[0], row[1]));
}

#[test]
fn the_binomial_one_is_scipys() {
    compare("binomial", |row| binomial::sf(row[0] as u64, row[1] as u64, row[2]));
}

#[test]
fn quantiles_are_scipys() {
    compare_by("normal_isf", same_statistic, |row| normal::isf(row[0]));
    compare_by("student_t_isf", same_statistic, |row| student_t::isf(row[0], row[1]));
}
