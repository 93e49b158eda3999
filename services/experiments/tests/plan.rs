//! Sizes of experiments before their start.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use millrace_experiments::analysis::Metric;
use millrace_experiments::analysis::plan::{Ask, Error, plan};
use millrace_experiments::analysis::power::{power, required_units};
use millrace_experiments::files::{Row, describe};

fn ask() -> Ask {
    Ask {
        effect: 0.1,
        variances: (1.0, 1.0),
        shares: vec![0.5, 0.5],
        alpha: 0.05,
        power: 0.8,
        units_per_day: 100.0,
        tail_days: 7.0,
    }
}

#[test]
fn two_halves_need_what_the_formula_says() {
    let found = plan(&ask()).unwrap();
    assert_eq!(found.units, [1570, 1570]);
    assert!((found.exposure_days - 31.4).abs() < 1e-9 && (found.days - 38.4).abs() < 1e-9);
    assert!(found.power >= 0.8 && found.power < 0.801);
    // What the planned length sees is the effect that was asked for: shorter ones see less, longer ones more.
    let effects: Vec<f64> = found.detectable.iter().map(|one| one.effect).collect();
    assert!(effects.windows(2).all(|pair| pair[1] < pair[0]) && effects[2] > 0.1 && effects[3] < 0.1);
}

#[test]
fn more_arms_are_compared_at_a_stricter_level_and_the_smallest_one_decides() {
    let found = plan(&Ask { shares: vec![0.4, 0.2, 0.1], ..ask() }).unwrap();
    assert_eq!(found.alpha_per_arm, 0.025);
    let (control, smallest) = required_units(0.1, (1.0, 1.0), 0.25, 0.025, 0.8).unwrap();
    assert_eq!(found.units[0], control);
    assert!(found.units[2].abs_diff(smallest) <= 1 && found.units[1].abs_diff(control / 2) <= 1);
    let error = (1.0 / found.units[0] as f64 + 1.0 / found.units[2] as f64).sqrt();
    assert!(power(0.1, error, 0.025) >= 0.8);
}

#[test]
fn what_cannot_be_planned_is_said() {
    let refused = |ask: Ask| plan(&ask).unwrap_err();
    assert_eq!(refused(Ask { shares: vec![1.0], ..ask() }), Error::Arms(1));
    for (name, ask) in [
        ("effect", Ask { effect: 0.0, ..ask() }),
        ("power", Ask { power: 1.0, ..ask() }),
        ("sum of shares", Ask { shares: vec![0.7, 0.7], ..ask() }),
        ("variance", Ask { variances: (0.0, 1.0), ..ask() }),
        ("units per day", Ask { units_per_day: f64::NAN, ..ask() }),
    ] {
        assert!(refused(ask).to_string().starts_with(name));
    }
    assert_eq!(refused(Ask { effect: 1e-9, variances: (1e9, 1e9), ..ask() }), Error::Never(1e-9));
}

#[test]
fn a_plan_starts_from_rows_of_the_past_whatever_their_arms() {
    let row = |at: usize| Row {
        unit: (at / 2).to_string(),
        arm: String::new(),
        value: (at % 5) as f64,
        beside: Some(1.0),
    };
    let rows = || (0..1000).map(|at| Ok(row(at)));
    let ratio = describe(rows(), Metric::Ratio).unwrap().unwrap();
    let mean = describe(rows().map(|row| row.map(|row| Row { beside: None, ..row })), Metric::Mean)
        .unwrap()
        .unwrap();
    assert_eq!((ratio.mean, mean.mean, mean.units), (2.0, 4.0, 500));
    assert!(describe([Ok(row(0))], Metric::Mean).unwrap().is_err());
}
