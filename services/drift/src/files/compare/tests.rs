#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;

use super::*;
use crate::report::html;

/// A CSV file of `rows` rows: a number that is `shift` larger, a country, a flag, a column that has values now and then.
fn file(dir: &Path, name: &str, rows: u32, shift: f64, country: &str) -> PathBuf {
    let mut text = String::from("id,amount,country,flag,rare\n");
    for i in 0..rows {
        let amount = f64::from(i.wrapping_mul(2_654_435_761) >> 16) / 655.36 + shift;
        let country = if i % 3 == 0 { country } else { "DE" };
        let rare = if i % 2 == 0 { format!("{}", i % 7) } else { String::new() };
        writeln!(text, "{i},{amount},{country},{},{rare}", i % 2 == 0).unwrap();
    }
    let path = dir.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn options() -> Options {
    Options { id: Some("id".into()), ..Options::default() }
}

#[test]
fn equal_files_have_no_drift_and_effects_of_zero() {
    let dir = tempfile::tempdir().unwrap();
    let a = file(dir.path(), "a.csv", 3_000, 0.0, "FR");
    let b = file(dir.path(), "b.csv", 3_000, 0.0, "FR");
    let told = compare(&a, &b, &options()).unwrap().told();
    assert!(!told.drifted && told.drifted_columns.is_empty(), "{told:?}");
    assert_eq!((told.reference_rows, told.rows), (3_000, 3_000));
    assert!(told.columns.iter().all(|figure| figure.effect == Some(0.0)), "{:?}", told.columns);
}

#[test]
fn what_moved_is_named_with_its_figures_and_the_rest_stays_quiet() {
    let dir = tempfile::tempdir().unwrap();
    let a = file(dir.path(), "a.csv", 3_000, 0.0, "FR");
    let b = file(dir.path(), "b.csv", 2_000, 40.0, "IT");
    let options = Options { methods: vec![Method::KolmogorovSmirnov, Method::Psi], ..options() };
    let comparison = compare(&a, &b, &options).unwrap();
    let told = comparison.told();
    assert_eq!(told.drifted_columns, ["amount", "country"]);
    let ks = told.columns.iter().find(|f| f.column.as_deref() == Some("amount") && f.method == "ks").unwrap();
    // Uniform on 0 to 100 against 40 to 140.
    assert!((ks.statistic.unwrap() - 0.4).abs() < 0.02 && ks.p_value.unwrap() < 1e-12 && ks.error.is_none());
    assert!(told.columns.iter().any(|f| f.method == "new_values" && f.drifted && f.detail.contains("IT")));
    assert!(!told.columns.iter().any(|f| f.column.as_deref() == Some("flag") && f.drifted));
    let json = serde_json::to_value(&told).unwrap();
    assert_eq!(json["drifted"], true);
    let page = html(&comparison.page());
    assert!(page.contains("2 of 4 columns drifted.") && page.contains("<svg"));
}

#[test]
fn segments_are_compared_on_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let a = file(dir.path(), "a.csv", 3_000, 0.0, "FR");
    let b = file(dir.path(), "b.csv", 3_000, 40.0, "FR");
    let options = Options { segments: vec!["country".into()], ..options() };
    let told = compare(&a, &b, &options).unwrap().told();
    let found =
        |segment: &str| told.columns.iter().any(|f| f.segment.as_deref() == Some(segment) && f.drifted);
    assert!(found("country=FR") && found("country=DE"));
}

#[test]
fn a_column_that_a_file_lacks_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let a = file(dir.path(), "a.csv", 200, 0.0, "FR");
    let b = dir.path().join("b.csv");
    std::fs::write(&b, "id,amount\n1,2\n").unwrap();
    let error = compare(&a, &b, &options()).unwrap_err().to_string();
    assert!(error.contains("b.csv") && error.contains("country"), "{error}");
    let error = compare(&dir.path().join("none.csv"), &b, &options()).unwrap_err().to_string();
    assert!(error.contains("none.csv"), "{error}");
}
