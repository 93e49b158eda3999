//! Intervals hold what they promise: over seeded windows of a process whose metrics are known.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use millrace_statistics::performance::binary::*;
use millrace_statistics::performance::multiclass::{Average, ClassCounts};
use millrace_statistics::performance::regression::ErrorSums;
use millrace_statistics::performance::{Interval, Measured, ScoreCounts, fairness};

const WINDOWS: usize = 400;

type Named<S> = (&'static str, fn(&S) -> Measured);

/// A linear congruential generator, enough to draw from.
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A score with an outcome of just that probability: mostly low, as fraud scores are.
    fn row(&mut self) -> (f64, bool) {
        let score = self.uniform().powi(3);
        (score, self.uniform() < score)
    }

    fn rows(&mut self, count: usize) -> ScoreCounts {
        ScoreCounts::of((0..count).map(|_| self.row()))
    }
}

/// Asserts that of the windows' intervals between `least` and all but one in a hundred hold the truth.
fn holds(name: &str, truth: f64, least: f64, mut window: impl FnMut() -> Measured) {
    let inside = (0..WINDOWS).filter(|_| window().unwrap().interval.contains(truth)).count();
    let share = inside as f64 / WINDOWS as f64;
    assert!((least..=1.0).contains(&share), "{name}: {share} hold {truth}");
}

/// 95 % less three standard errors of 400 windows, less what the normal approximation may cost.
const LEAST: f64 = 0.91;

#[test]
fn of_binary_metrics() {
    let mut random = Random(1);
    let process = random.rows(60_000);
    let metrics: [Named<ScoreCounts>; 8] = [
        ("auc", auc),
        ("average precision", average_precision),
        ("log loss", log_loss),
        ("brier", brier),
        ("precision", |counts| Confusion::at(counts, 0.5).precision()),
        ("recall", |counts| Confusion::at(counts, 0.5).recall()),
        ("f1", |counts| Confusion::at(counts, 0.5).f1()),
        ("accuracy", |counts| Confusion::at(counts, 0.5).accuracy()),
    ];
    for (name, metric) in metrics {
        let truth = metric(&process).unwrap().value;
        holds(name, truth, LEAST, || metric(&random.rows(300)));
    }
}

#[test]
fn of_a_perfect_and_of_a_bad_calibration() {
    let mut random = Random(2);
    holds("calibrated", 0.0, 0.95, || expected_calibration_error(&random.rows(1_000), 10));
    // Scores a tenth too high, up to 1: the process's error is known from many rows, where noise is small.
    let shifted = |random: &mut Random, rows: usize| {
        ScoreCounts::of((0..rows).map(|_| random.row()).map(|(score, label)| ((score + 0.1).min(1.0), label)))
    };
    let truth = expected_calibration_error(&shifted(&mut random, 60_000), 10).unwrap().value;
    assert!((0.08..0.11).contains(&truth), "{truth}");
    holds("shifted", truth, 0.95, || expected_calibration_error(&shifted(&mut random, 1_000), 10));
    let refuted = expected_calibration_error(&shifted(&mut random, 5_000), 10).unwrap();
    assert!(refuted.interval.low > 0.02, "{refuted:?}");
}

#[test]
fn of_errors() {
    let mut random = Random(3);
    let mut draw = move |rows: usize| {
        let mut sums = ErrorSums::default();
        for _ in 0..rows {
            let noise: f64 = (0..12).map(|_| random.uniform()).sum::<f64>() - 6.0;
            sums.add(10.0 + noise + 0.5, 10.0);
        }
        sums
    };
    // The error is normal around a half with unit variance.
    holds("bias", 0.5, LEAST, || draw(200).bias());
    holds("rmse", 1.25_f64.sqrt(), LEAST, || draw(200).rmse());
    let truth = draw(60_000).mae().unwrap().value;
    holds("mae", truth, LEAST, || draw(200).mae());
}

#[test]
fn of_averages_over_classes() {
    let mut random = Random(4);
    let mut draw = move |rows: usize| {
        let mut counts = ClassCounts::new(3);
        for _ in 0..rows {
            let actual = [0, 0, 0, 1, 1, 2][(random.uniform() * 6.0) as usize];
            let raw: Vec<f64> =
                (0..3).map(|class| random.uniform() + if class == actual { 0.4 } else { 0.0 }).collect();
            let whole: f64 = raw.iter().sum();
            let shares: Vec<f64> = raw.iter().map(|value| value / whole).collect();
            let predicted = (0..3).max_by(|a, b| shares[*a].total_cmp(&shares[*b])).unwrap();
            counts.add(actual, predicted, Some(&shares));
        }
        counts
    };
    let process = draw(60_000);
    let metrics: [Named<ClassCounts>; 6] = [
        ("macro precision", |counts| counts.precision(Average::Macro)),
        ("weighted recall", |counts| counts.recall(Average::Weighted)),
        ("weighted f1", |counts| counts.f1(Average::Weighted)),
        ("macro f1", |counts| counts.f1(Average::Macro)),
        ("log loss", ClassCounts::log_loss),
        ("macro auc", |counts| counts.auc(Average::Macro)),
    ];
    for (name, metric) in metrics {
        let truth = metric(&process).unwrap().value;
        holds(name, truth, LEAST, || metric(&draw(300)));
    }
}

#[test]
fn of_differences_between_groups_also_when_there_is_none() {
    let mut random = Random(5);
    for (rates, truth) in [([0.3, 0.3, 0.3, 0.3], 0.0), ([0.3, 0.4, 0.35, 0.5], 0.2)] {
        let mut draw = || {
            let mut groups: BTreeMap<String, Confusion> = BTreeMap::new();
            for (group, rate) in rates.iter().enumerate() {
                let counts = groups.entry(format!("g{group}")).or_default();
                (0..150).for_each(|_| counts.add(random.uniform() < *rate, random.uniform() < 0.5));
            }
            fairness::demographic_parity(&groups).map(|difference| difference.estimate)
        };
        holds("demographic parity", truth, 0.95, &mut draw);
    }
}

/// Newcombe's method 5 where DeLong's variance is zero: AUC of 1, of 0, and of a constant score.
#[test]
fn of_separated_classes_keeps_a_width() {
    for (scores, value) in [([0.9, 0.1], 1.0), ([0.1, 0.9], 0.0), ([0.5, 0.5], 0.5)] {
        let rows = (0..60).map(|i| (scores[usize::from(i % 3 > 0)], i % 3 == 0));
        let area = auc(&ScoreCounts::of(rows)).unwrap();
        let Interval { low, high } = area.interval;
        assert_eq!(area.value, value);
        assert!(area.interval.contains(value) && (0.05..0.35).contains(&(high - low)), "{area:?}");
    }
}
