//! What sums, units, paired tests and bandits promise besides their formulas.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use millrace_experiments::analysis::always_valid::Looks;
use millrace_experiments::analysis::off_policy::{self, Logged};
use millrace_experiments::analysis::paired::{self, Scored};
use millrace_experiments::analysis::thompson::{self, Conversions};
use millrace_experiments::analysis::units::{Beside, Rules, Units};
use millrace_experiments::analysis::{Effect, Estimate, Metric, Scale, Side, Sums, Tested, Undefined, fixed};
use millrace_experiments::random::Random;

fn sums(rows: &[(f64, f64)]) -> Sums {
    let mut sums = Sums::default();
    rows.iter().for_each(|(y, x)| sums.add(*y, *x));
    sums
}

#[test]
fn sums_merge_in_any_order_bit_for_bit() {
    let mut random = Random::of(8);
    let rows: Vec<_> = (0..300).map(|_| (random.normal() * 1e3, (random.normal() * 9.0).exp())).collect();
    let whole = sums(&rows);
    for _ in 0..10 {
        let mut parts = vec![Sums::default(); 4];
        rows.iter().for_each(|(y, x)| parts[random.below(4)].add(*y, *x));
        let mut merged = Sums::default();
        while !parts.is_empty() {
            merged.merge(&parts.swap_remove(random.below(parts.len())));
        }
        assert_eq!(merged, whole);
        assert_eq!(merged.covariance_xy().to_bits(), whole.covariance_xy().to_bits());
    }
}

#[test]
fn a_large_mean_costs_the_variance_no_digits() {
    let small: Vec<_> = (0..1000).map(|at| (f64::from(at % 7), f64::from(at % 5))).collect();
    let large: Vec<_> = small.iter().map(|(y, x)| (y + 1e12, x - 1e13)).collect();
    let (small, large) = (sums(&small), sums(&large));
    assert!((small.variance_y() / large.variance_y() - 1.0).abs() < 1e-12);
    assert!((small.covariance_xy() - large.covariance_xy()).abs() < 1e-12 * small.variance_x());
}

#[test]
fn what_is_not_defined_says_why() {
    let one = sums(&[(1.0, 1.0)]);
    let flat = sums(&[(1.0, 0.0), (1.0, 0.0)]);
    let zero = sums(&[(1.0, 1.0), (-1.0, 1.0)]);
    let of = |sums: &Sums, metric| Estimate::of(metric, sums, Side::Control);
    assert_eq!(of(&one, Metric::Mean), Err(Undefined::TooFew { side: Side::Control, units: 1 }));
    assert_eq!(of(&flat, Metric::Ratio), Err(Undefined::ZeroDenominator(Side::Control)));
    assert_eq!(
        of(&sums(&[(f64::NAN, 0.0), (1.0, 0.0)]), Metric::Mean),
        Err(Undefined::NotFinite(Side::Control))
    );
    assert_eq!(
        of(&sums(&[(1e200, 0.0), (1.0, 0.0)]), Metric::Mean),
        Err(Undefined::NotFinite(Side::Control))
    );
    let (flat, zero) = (of(&flat, Metric::Mean).unwrap(), of(&zero, Metric::Mean).unwrap());
    assert_eq!(Effect::of(&flat, &zero, Scale::Absolute), Err(Undefined::NoVariance(Side::Control)));
    assert_eq!(Effect::of(&zero, &zero, Scale::Relative), Err(Undefined::ZeroBaseline));
    assert!(Effect::of(&zero, &zero, Scale::Absolute).is_ok());
    assert!(fixed::two_proportions(&sums(&[(0.0, 0.0)]), &sums(&[(0.0, 0.0)]), 0.05).is_err());
}

const RULES: Rules = Rules { window_ms: 100, label_horizon_ms: 50, covariate_ms: 1000 };

#[test]
fn a_unit_counts_from_its_first_exposure_for_the_window_and_matures_with_the_label_horizon() {
    let mut units = Units::new(RULES);
    for (time, y) in [(-901, 64.0), (-900, 1.0), (99, 2.0), (100, 4.0), (199, 8.0), (200, 16.0)] {
        units.value("u", time, y, 1.0);
    }
    units.expose("u", "a", 150);
    units.expose("u", "a", 100);
    let early = units.summary(249, Beside::Covariate);
    assert_eq!((early.arms["a"].mature.units(), early.arms["a"].immature.units()), (0, 1));
    for compacted in [false, true] {
        if compacted {
            units.compact(250);
            units.value("u", 150, 1000.0, 1.0);
        }
        let found = units.summary(250, Beside::Covariate);
        let mature = &found.arms["a"].mature;
        assert_eq!((mature.units(), mature.sum_y(), mature.sum_x()), (1, 12.0, 3.0));
        assert_eq!(units.summary(250, Beside::Denominator).arms["a"].mature.sum_x(), 2.0);
    }
}

#[test]
fn units_of_two_arms_are_excluded_counted_and_stop_the_conclusion() {
    let mut units = Units::new(RULES);
    for unit in 0..20 {
        units.expose(&unit.to_string(), if unit % 2 == 0 { "a" } else { "b" }, 0);
        units.value(&unit.to_string(), 10, 1.0, 1.0);
    }
    units.value("stranger", 10, 1.0, 1.0);
    assert!(!units.summary(1000, Beside::Nothing).too_mixed(0.1));
    for unit in [0, 3, 4] {
        units.expose(&unit.to_string(), "c", 20);
    }
    let found = units.summary(1000, Beside::Nothing);
    assert_eq!((found.mixed, found.exposed, found.unexposed), (3, 20, 1));
    assert_eq!((found.arms["a"].mature.units(), found.arms["b"].mature.units()), (8, 9));
    assert!(!found.arms.contains_key("c") && found.too_mixed(0.1));
}

/// Many rows of few units: the variance must be that of units (Deng, Knoblich and Lu, 2018).
#[test]
fn a_mean_per_row_has_the_variance_of_units() {
    let mut random = Random::of(2);
    let (mut by_unit, mut by_row) = (0, 0);
    for _ in 0..300 {
        let mut arms = [[Sums::default(), Sums::default()], [Sums::default(), Sums::default()]];
        for arm in &mut arms {
            for _ in 0..60 {
                let level = random.normal();
                let rows = 1 + random.below(40);
                let values: Vec<f64> = (0..rows).map(|_| level + random.normal() * 0.3).collect();
                arm[0].add(values.iter().sum(), rows as f64);
                values.iter().for_each(|value| arm[1].add(*value, 1.0));
            }
        }
        let rejects = |at: usize| {
            let [a, b] = [Side::Control, Side::Treatment].map(|side| {
                Estimate::of(Metric::Ratio, &arms[usize::from(side == Side::Treatment)][at], side).unwrap()
            });
            fixed::welch(&Effect::of(&a, &b, Scale::Absolute).unwrap(), 0.0, 0.05).p_value <= 0.05
        };
        by_unit += usize::from(rejects(0));
        by_row += usize::from(rejects(1));
    }
    assert!(by_unit <= 30, "{by_unit} of 300");
    assert!(by_row > 150, "{by_row} of 300");
}

#[test]
fn looks_keep_the_least_p_value_and_what_intervals_share_after_the_burn_in() {
    let look = |p_value, low, high| Tested { difference: 0.0, standard_error: 1.0, low, high, p_value };
    let mut looks = Looks::new(100);
    looks.look(99, &look(0.001, 3.0, 4.0));
    assert_eq!((looks.looks, looks.p_value), (0, 1.0));
    looks.look(100, &look(0.2, -1.0, 2.0));
    looks.look(200, &look(0.6, -2.0, 1.0));
    assert_eq!((looks.looks, looks.p_value, looks.low, looks.high), (2, 0.2, -1.0, 1.0));
}

#[test]
fn versions_that_order_rows_alike_or_lack_a_class_have_no_paired_test() {
    let row = |positive, score: f64| Scored { positive, control: score, treatment: score * 2.0 };
    let rows = [row(true, 0.3), row(true, 0.4), row(false, 0.1), row(false, 0.35)];
    assert_eq!(paired::auc(&rows, 0.0, 0.05), Err(Undefined::NoDifference));
    assert_eq!(paired::auc(&rows[..3], 0.0, 0.05), Err(Undefined::OneClass { positives: 2, negatives: 1 }));
}

#[test]
fn off_policy_estimates_recover_an_arm_that_served_rarely_and_refuse_bad_logs() {
    let mut random = Random::of(12);
    let rows: Vec<Logged> = (0..20_000)
        .map(|unit| {
            let context = random.uniform();
            let propensity = 0.1 + 0.3 * context;
            let taken = random.chance(propensity);
            // The judged arm earns context + 0.5, the other one context.
            let reward = context + if taken { 0.5 } else { 0.0 } + 0.1 * random.normal();
            let expected = context + if taken { 0.4 } else { 0.0 };
            let propensity = if taken { propensity } else { 1.0 - propensity };
            let target = f64::from(u8::from(taken));
            Logged { reward, propensity, target, expected, expected_of_target: context + 0.4, unit }
        })
        .collect();
    let rules = off_policy::Rules { alpha: 0.01, clip: None };
    let found = off_policy::evaluate(&rows, &rules).unwrap();
    for value in [found.ips, found.self_normalised, found.doubly_robust] {
        assert!(value.low < 1.0 && 1.0 < value.high, "{value:?}");
    }
    assert!(found.doubly_robust.standard_error < 0.7 * found.self_normalised.standard_error);
    assert!(found.self_normalised.standard_error < found.ips.standard_error);
    assert!((found.mean_weight - 1.0).abs() < 0.1 && found.effective_rows < 8000.0);
    assert!(found.gain.low > 0.3 && found.gain.standard_error < found.doubly_robust.standard_error);
    // Every row twice says nothing more: units are what is independent.
    let twice = off_policy::evaluate(&[&rows[..], &rows[..]].concat(), &rules).unwrap();
    assert!((twice.ips.standard_error / found.ips.standard_error - 1.0).abs() < 1e-9);
    assert!((twice.self_normalised.standard_error / found.self_normalised.standard_error - 1.0).abs() < 1e-9);
    let clipped = off_policy::evaluate(&rows, &off_policy::Rules { clip: Some(3.0), ..rules }).unwrap();
    assert!(clipped.clipped_rows > 0 && clipped.clipped_share > 0.0 && clipped.greatest_weight > 3.0);
    assert!(clipped.ips.mean < found.ips.mean && clipped.ips.standard_error < found.ips.standard_error);
    let bad = |row: Logged| off_policy::evaluate(&[rows[0], row], &rules).unwrap_err().to_string();
    assert!(bad(Logged { propensity: 0.0, ..rows[0] }).starts_with("row 2: propensity 0"));
    assert!(bad(Logged { reward: f64::NAN, ..rows[0] }).starts_with("row 2"));
}

#[test]
fn thompson_weights_are_the_probabilities_of_being_best() {
    let arms = |converted: [u64; 2]| converted.map(|converted| Conversions { converted, units: 100 });
    let rules = thompson::Rules { draws: 40_000, least_share: 0.0 };
    let even = thompson::weights(&arms([10, 10]), &rules, Random::of(1)).unwrap();
    assert!(even[0].abs_diff(5000) < 100, "{even:?}");
    // P(Beta(21, 81) > Beta(11, 91)) by numerical integration: 0.9752.
    let better = thompson::weights(&arms([10, 20]), &rules, Random::of(1)).unwrap();
    assert!((f64::from(better[1]) / 1e4 - 0.9752).abs() < 0.004, "{better:?}");
    assert_eq!(better, thompson::weights(&arms([10, 20]), &rules, Random::of(1)).unwrap());
    assert_eq!(better.iter().sum::<u16>(), 10_000);
    let floored = thompson::weights(&arms([0, 90]), &thompson::Rules::default(), Random::of(1)).unwrap();
    assert_eq!(floored, [100, 9900]);
    assert!(thompson::weights(&[], &rules, Random::of(1)).is_none());
    let drawn = (0..10_000)
        .filter(|key| thompson::draw(&better, Random::keyed("s", &key.to_string())).unwrap().0 == 1);
    assert!(drawn.count().abs_diff(usize::from(better[1])) < 60);
    assert_eq!(thompson::draw(&[0, 0], Random::of(1)), None);
}
