use millrace_statistics::two_sample::Method;

use super::*;
use crate::judge::Key;
use crate::testing::Dice;

/// A standard normal draw (Box and Muller).
fn normal(dice: &mut Dice) -> f64 {
    let (u, v) = (1.0 - dice.unit(), dice.unit());
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

/// What a column is like, day after day: a level that remembers the day before by `memory`, and noise.
fn levels(dice: &mut Dice, days: usize, memory: f64) -> Vec<f64> {
    let mut level = normal(dice);
    let day = |_| {
        level = memory * level + (1.0 - memory * memory).sqrt() * normal(dice);
        level + 0.5 * normal(dice)
    };
    (0..days).map(day).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Alarmed days per day of `days` live ones, with so many subjects calibrated on `days`.
fn alarmed(seed: u64, days: usize, memories: &[f64], rate: f64) -> f64 {
    let mut dice = Dice::new(seed);
    let mut alarmed = vec![false; days];
    let (mut series, mut live) = (Vec::new(), Vec::new());
    for subject in 0..40 {
        let levels = levels(&mut dice, 2 * days, memories[subject % memories.len()]);
        let (first, second) = (&levels[..days / 2], &levels[days / 2..days]);
        // Effects are distances with a floor of sampling noise, small beside any bound of plausibility.
        let mut effect =
            |level: f64, against: f64| 0.01 * ((level - against).abs() + 0.3 * normal(&mut dice).abs());
        let key = Key { column: Some(subject.to_string()), segment: String::new(), measure: MEASURE };
        let mut of = Series::new(key, days / 2);
        for (window, level) in first.iter().enumerate() {
            of.push(window, effect(*level, mean(second)), 1_000);
        }
        for (window, level) in second.iter().enumerate() {
            of.push(days / 2 + window, effect(*level, mean(first)), 1_000);
        }
        of.halves = 0.01 * (mean(first) - mean(second)).abs();
        series.push(of);
        let reference = mean(&levels[..days]);
        live.push(levels[days..].iter().map(|level| effect(*level, reference)).collect::<Vec<_>>());
    }
    for (bound, effects) in fit(&series, rate, 3.0).bounds.iter().zip(live) {
        let threshold = bound.at(MEASURE, 1_000).unwrap_or(f64::INFINITY);
        for (day, effect) in effects.into_iter().enumerate() {
            alarmed[day] |= effect > threshold;
        }
    }
    alarmed.iter().filter(|alarmed| **alarmed).count() as f64 / days as f64
}

const MEASURE: Measure = Measure::Distribution(Method::WassersteinNormed);

#[test]
fn unchanged_streams_alarm_no_more_often_than_asked_for() {
    let rate = 1.0 / 180.0;
    for (days, memories) in [(28, &[0.0][..]), (60, &[0.0]), (60, &[0.0, 0.0, 0.5, 0.9])] {
        let seeds = 40;
        let found = mean(&(0..seeds).map(|seed| alarmed(seed, days, memories, rate)).collect::<Vec<_>>());
        assert!(found <= 1.25 * rate, "{days} days, {memories:?}: one alarmed day in {:.0}", 1.0 / found);
    }
}

#[test]
fn the_quantile_of_a_gumbel_distribution_is_found() {
    let mut dice = Dice::new(3);
    let values: Vec<f64> = (0..20_000).map(|_| 2.0 - 0.5 * (-(1.0 - dice.unit()).ln()).ln()).collect();
    let found = gumbel_quantile(&values, 0.01, 1e12);
    // 2 + 0.5 * 4.6001
    assert!((found - 4.3).abs() < 0.05, "{found}");
    assert!(gumbel_quantile(&values[..30], 0.01, 30.0) > gumbel_quantile(&values[..30], 0.01, 1e12));
}

#[test]
fn a_subject_that_never_moved_gets_room_for_chance_and_a_rare_one_no_threshold() {
    let key = |column: &str, measure| Key { column: Some(column.into()), segment: String::new(), measure };
    let mut still = Series::new(key("still", Measure::Missing), 10);
    let mut rare = Series::new(key("rare", MEASURE), 10);
    let mut other = Series::new(key("other", MEASURE), 10);
    for window in 0..20 {
        still.push(window, 0.0, 500);
        other.push(window, 0.01 + 0.001 * (window % 3) as f64, 500);
    }
    rare.push(0, 0.01, 500);
    let bounds = fit(&[still, rare, other], 0.01, 3.0).bounds;
    // One missing row of 500 is Cohen's h = 0.09: it may be chance.
    assert!(
        bounds[0].at(Measure::Missing, 500).is_some_and(|effect| effect > 0.09 && effect < 0.2),
        "{bounds:?}"
    );
    assert!(matches!(&bounds[1], Bound::NotJudged { reason } if reason.contains("few windows")));
    assert!(bounds[2].at(MEASURE, 500).is_some_and(|effect| effect > 0.012 && effect < 0.05));
}
