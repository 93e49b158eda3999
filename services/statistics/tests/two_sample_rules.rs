//! Names, reasons, pooling and corrections.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use millrace_statistics::sample::{Categories, Sample};
use millrace_statistics::two_sample::{
    ColumnKind, Method, Undefined, Window, compare_categories, compare_counts, compare_numeric, correction,
};

fn sample(values: &[f64]) -> Sample {
    Sample::of(values.iter().copied())
}

fn categories(pairs: &[(&str, u64)], other: u64) -> Categories {
    Categories { counts: pairs.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect(), other }
}

#[test]
fn every_method_is_found_by_its_name() {
    for method in Method::ALL {
        assert_eq!(method.name().parse(), Ok(method));
    }
}

#[test]
fn an_unknown_method_names_the_one_that_was_meant_or_all() {
    let message = |name: &str| name.parse::<Method>().unwrap_err().to_string();
    assert_eq!(message("wasserstien"), "no method is named `wasserstien`: did you mean `wasserstein`?");
    assert_eq!(message("Jensen-Shannon"), "no method is named `Jensen-Shannon`: did you mean `js`?");
    assert_eq!(message("KS"), "no method is named `KS`: did you mean `ks`?");
    assert!(message("magic").starts_with("no method is named `magic`: there are ks, wasserstein, "));
}

#[test]
fn what_is_undefined_says_why() {
    let (none, one, two) = (sample(&[]), sample(&[1.0]), sample(&[1.0, 2.0]));
    let ks = |x: &Sample, y: &Sample| compare_numeric(Method::KolmogorovSmirnov, x, y, &[]).unwrap_err();
    assert_eq!(ks(&none, &two), Undefined::Empty(Window::Reference));
    assert_eq!(ks(&two, &none), Undefined::Empty(Window::Current));
    let constant = sample(&[1.0, 1.0, 1.0]);
    let of = |method, x: &Sample, y: &Sample| compare_numeric(method, x, y, &[]);
    assert_eq!(of(Method::AndersonDarling, &constant, &constant), Err(Undefined::Constant));
    assert_eq!(of(Method::WassersteinNormed, &constant, &two), Err(Undefined::ConstantReference));
    assert_eq!(of(Method::WassersteinNormed, &constant, &constant).unwrap().statistic, 0.0);
    assert_eq!(
        of(Method::CramerVonMises, &two, &one).unwrap_err().to_string(),
        "cvm needs 2 values, the current window has 1"
    );
    assert!(matches!(of(Method::AndersonDarling, &one, &two), Err(Undefined::TooFew { needed: 2, .. })));
    assert_eq!(of(Method::Wasserstein, &sample(&[f64::MIN]), &sample(&[f64::MAX])), Err(Undefined::Overflow));
    assert_eq!(compare_numeric(Method::Psi, &two, &two, &[1.0, 1.0]), Err(Undefined::Edges));
    let wrong = Undefined::WrongKind { method: Method::ChiSquare, kind: ColumnKind::Numeric };
    assert_eq!(of(Method::ChiSquare, &two, &two), Err(wrong));
    assert_eq!(wrong.to_string(), "chi_square does not apply to a numeric column");
    assert_eq!(
        compare_counts(Method::Psi, &[1], &[1, 2]),
        Err(Undefined::Cells { reference: 1, current: 2 })
    );
}

#[test]
fn new_and_vanished_categories_are_cells_like_any_other() {
    let before = categories(&[("a", 500), ("b", 500)], 0);
    let after = categories(&[("a", 500), ("c", 500)], 0);
    let chi = compare_categories(Method::ChiSquare, &before, &after).unwrap();
    assert_eq!(chi.statistic, 1000.0);
    assert!((chi.effect - 0.5_f64.sqrt()).abs() < 1e-15);
    assert_eq!(compare_categories(Method::TotalVariation, &before, &after).unwrap().statistic, 0.5);
    let psi = compare_categories(Method::Psi, &before, &after).unwrap().statistic;
    assert!((psi - 2.0 * 500.0 / 1001.5 * 1001.0_f64.ln()).abs() < 1e-12, "{psi}");
}

#[test]
fn sparse_categories_are_pooled() {
    let chi = |p: &[u64], q: &[u64]| compare_counts(Method::ChiSquare, p, q);
    // Expected in the smaller window: 3 and 2, together 5: one cell.
    assert_eq!(chi(&[500, 400, 4, 2], &[500, 400, 2, 2]), chi(&[500, 400, 6], &[500, 400, 4]));
    // 3 + 1 are still sparse: they join the smallest of the rest.
    assert_eq!(chi(&[500, 400, 2, 1], &[500, 400, 4, 1]), chi(&[500, 403], &[500, 405]));
    // Nothing is left to compare with, or nothing at all.
    assert_eq!(
        chi(&[1000, 2], &[1000, 4]).map(|o| (o.statistic, o.p_value, o.effect)),
        Ok((0.0, Some(1.0), 0.0))
    );
    assert_eq!(chi(&[2, 1], &[1, 2]), Err(Undefined::Sparse));
    // Cells that neither window has do not count.
    assert_eq!(chi(&[500, 0, 400], &[300, 0, 600]), chi(&[500, 400], &[300, 600]));
}

#[test]
fn the_rest_beyond_the_bound_is_one_category() {
    let (before, after) = (categories(&[("a", 90)], 10), categories(&[("a", 50)], 50));
    assert!(
        (compare_categories(Method::TotalVariation, &before, &after).unwrap().statistic - 0.4).abs() < 1e-15
    );
}

#[test]
fn holms_correction_multiplies_by_what_is_left_and_never_falls() {
    let adjusted = correction::holm(&[0.01, 0.04, 0.03, 0.005]);
    for (found, expected) in adjusted.iter().zip([0.03, 0.06, 0.06, 0.02]) {
        assert!((found - expected).abs() < 1e-15, "{adjusted:?}");
    }
    let with_gap = correction::holm(&[f64::NAN, 0.5, 0.6]);
    assert!(with_gap[0].is_nan() && with_gap[1] == 1.0 && with_gap[2] == 1.0);
}

#[test]
fn a_default_applies_to_its_kind_at_any_size() {
    for kind in [ColumnKind::Numeric, ColumnKind::Category] {
        for rows in [0, 999, 1000, 3_000_000] {
            assert!(Method::default_for(kind, rows).applies_to(kind));
        }
    }
    assert_eq!(Method::default_for(ColumnKind::Numeric, 999), Method::KolmogorovSmirnov);
    assert_eq!(Method::default_for(ColumnKind::Numeric, 1000), Method::WassersteinNormed);
}
