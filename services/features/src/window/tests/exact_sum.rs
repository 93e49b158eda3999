//! Exact sums against schoolbook decimal addition.

use proptest::prelude::*;

use millrace_statistics::exact_sum::ExactSum;

use super::decimal;

fn sum_of(values: &[f64]) -> ExactSum {
    let mut sum = ExactSum::default();
    for value in values {
        sum.step(*value, false);
    }
    sum
}

/// Doubles of every magnitude, with the awkward ones over-represented.
fn doubles() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => any::<u64>().prop_map(f64::from_bits).prop_filter("finite", |value| value.is_finite()),
        3 => (-1_000_000i64..1_000_000).prop_map(|cents| cents as f64 / 100.0),
        2 => prop::sample::select(vec![
            0.0, -0.0, 1.0, -1.0, 1e308, -1e308, f64::MAX, f64::MIN, 1e-300, -1e-300, f64::MIN_POSITIVE,
            f64::from_bits(1), -f64::from_bits(1), 9007199254740993.0, 0.1, -0.1, 1e16, 2f64.powi(-1022),
        ]),
        1 => (-60i32..60, any::<bool>()).prop_map(|(power, minus)| 2f64.powi(power) * if minus { -1.0 } else { 1.0 }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn a_sum_is_the_decimal_sum_rounded_once(values in prop::collection::vec(doubles(), 0..24)) {
        prop_assert_eq!(sum_of(&values).round().to_bits(), decimal::sum(&values).to_bits());
    }

    #[test]
    fn what_leaves_leaves_nothing_behind(
        stay in prop::collection::vec(doubles(), 0..8),
        leave in prop::collection::vec(doubles(), 0..16),
    ) {
        let mut sum = sum_of(&leave);
        for value in &stay {
            sum.step(*value, false);
        }
        for value in &leave {
            sum.step(*value, true);
        }
        prop_assert_eq!(sum.round().to_bits(), sum_of(&stay).round().to_bits());
    }

    #[test]
    fn a_tie_of_two_bits_goes_to_even(power in -1074i32..900, odd in 0u64..1 << 20, tail in 0i32..3) {
        // 53 significant bits plus exactly half an ulp, or a hair more or less.
        let unit = f64::from_bits(if power < -1022 { 1u64 << (power + 1074) } else { ((power + 1023) as u64) << 52 });
        let big = ((1u64 << 52) + odd) as f64 * unit * 2.0;
        let hair = unit * 2f64.powi(-60);
        let values = match tail { 0 => vec![big, unit], 1 => vec![big, unit, hair], _ => vec![big, unit, -hair] };
        prop_assert_eq!(sum_of(&values).round().to_bits(), decimal::sum(&values).to_bits());
    }
}

#[test]
fn overflow_recovers_when_the_great_values_leave() {
    let mut sum = sum_of(&[f64::MAX, f64::MAX, 0.25]);
    assert_eq!(sum.round(), f64::INFINITY);
    sum.step(f64::MAX, true);
    assert_eq!(sum.round(), f64::MAX);
    sum.step(f64::MAX, true);
    assert_eq!(sum.round(), 0.25);
}

#[test]
fn nan_and_infinities_leave_with_their_rows() {
    let mut sum = sum_of(&[1.5, f64::INFINITY, f64::NEG_INFINITY, f64::NAN]);
    assert!(sum.round().is_nan());
    sum.step(f64::NAN, true);
    assert!(sum.round().is_nan(), "inf - inf");
    sum.step(f64::INFINITY, true);
    assert_eq!(sum.round(), f64::NEG_INFINITY);
    sum.step(f64::NEG_INFINITY, true);
    assert_eq!(sum.round(), 1.5);
}

#[test]
fn amounts_stay_narrow_and_a_sum_takes_24_bytes() {
    let amounts: Vec<f64> = (1..200_000).map(|cents| f64::from(cents) / 100.0).collect();
    assert!(!sum_of(&amounts).is_wide());
    assert_eq!(size_of::<ExactSum>(), 24);
}
