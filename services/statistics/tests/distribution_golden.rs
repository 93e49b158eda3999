//! Distribution functions against SciPy's (`golden/distribution.py`).
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{floats, golden, same_p_value};
use millrace_statistics::distribution::{chi_square, cramer_von_mises, kolmogorov, normal};

/// Compares `found` of each row's arguments with its last number.
fn compare(key: &str, found: impl Fn(&[f64]) -> f64) {
    let all = golden(include_str!("../golden/distribution.json"));
    let mut wrong = Vec::new();
    for row in all[key].as_array().unwrap() {
        let row = floats(row);
        let (expected, arguments) = row.split_last().unwrap();
        let p = found(arguments);
        if !same_p_value(p, *expected) {
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
