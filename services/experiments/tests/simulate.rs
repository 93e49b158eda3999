//! Calibration, briefly; the whole table is `simulate::table` at 1,000 replications.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use millrace_experiments::interleave::Method;
use millrace_experiments::random::Random;
use millrace_experiments::simulate::{
    ClickModel, Line, Looking, Size, UnitRows, most_rejections, power, same_arms, sensitivity, type_one,
};

#[test]
fn the_bound_of_a_thousand_replications_is_73() {
    assert_eq!(most_rejections(1000, 0.05), 73);
    assert_eq!(most_rejections(200, 0.05), 21);
}

fn print(lines: &[Line]) {
    for line in lines {
        println!(
            "| {} | {:?} | {} | {} | {} of {} | {:?} |",
            line.test,
            line.looking,
            line.watch.units,
            line.effect,
            line.rejections,
            line.replications,
            line.most
        );
    }
}

#[test]
fn tests_keep_their_level_and_naive_looking_does_not() {
    let lines = type_one(Size { replications: 30, looks: 40, seed: 1 });
    print(&lines);
    assert!(lines.iter().all(Line::holds));
    let naive: u64 =
        lines.iter().filter(|line| line.looking == Looking::Naively).map(|line| line.rejections).sum();
    assert!(naive > 15, "{naive} of 120");
}

#[test]
#[ignore = "minutes: prints the whole table, with --release --nocapture"]
fn the_whole_table() {
    let lines = type_one(Size { replications: 1000, looks: 100, seed: 1 });
    print(&lines);
    print(&power(Size { replications: 300, looks: 100, seed: 2 }));
    for model in ClickModel::ALL {
        for method in Method::ALL {
            println!("{:?}", sensitivity(model, method, 0.8, 20_000, 3).unwrap());
        }
    }
    assert!(lines.iter().all(Line::holds));
}

/// Units have a level of their own and 1 to 40 rows: rows of a unit say much the same.
#[test]
fn rows_of_units_taken_for_independent_reject_far_too_often() {
    let mut random = Random::of(9);
    let unit = |at: usize| {
        let level = random.normal();
        let values: Vec<f64> = (0..=random.below(40)).map(|_| level + random.normal()).collect();
        let squares = values.iter().map(|value| value * value).sum();
        UnitRows { unit: at.to_string(), rows: values.len() as u64, sum: values.iter().sum(), squares }
    };
    let units: Vec<UnitRows> = (0..400).map(unit).collect();
    let found = same_arms(&units, 200, 0.05, 1).unwrap();
    assert!(found.by_unit <= most_rejections(200, 0.05) && found.by_row > 80, "{found:?}");
    assert!(same_arms(&units[..1], 1, 0.05, 1).is_err());
}

#[test]
fn interleaving_needs_fewer_impressions_than_ab() {
    for model in ClickModel::ALL {
        let found = sensitivity(model, Method::TeamDraft, 1.2, 4000, 3).unwrap();
        assert!(found.preference > 0.0 && found.fewer > 1.3, "{found:?}");
    }
}
