#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use millrace_statistics::performance::ScoreCounts;
use millrace_topics::TaskKind;

use super::*;
use crate::judge::Bound;
use crate::profile::{Bounds, ColumnPlan, Kind, Plan};
use crate::reference::{Block, Reference};
use crate::testing::Dice;
use crate::window::WHOLE;

const DAY: i64 = 86_400_000;

/// A reference of empty days: what is refused is refused before anything is measured.
fn days(count: i64) -> Reference {
    let plan =
        Arc::new(Plan::new(vec![ColumnPlan::new("amount", Kind::Numeric)], Bounds::default(), Vec::new()));
    let block = |day| Block { start_ms: day * DAY, end_ms: (day + 1) * DAY, ..Block::default() };
    let blocks = (0..count).map(block).collect();
    Reference { plan, blocks, delays: None, source: "a test".into() }
}

fn error(reference: &Reference, options: &Options) -> String {
    calibrate(reference, options).unwrap_err().to_string()
}

#[test]
fn a_range_too_short_is_refused_with_how_much_is_needed() {
    let text = error(&days(20), &Options::default());
    assert!(
        text.contains("20 windows") && text.contains("180d") && text.contains("needs 23, that is 23d"),
        "{text}"
    );
    assert!(text.contains("ask for 160d or less"), "{text}");
    assert!(calibrate(&days(23), &Options::default()).is_ok());
    let text = error(&days(9), &Options { expected_time_between_alarms_ms: 30 * DAY, ..Options::default() });
    assert!(text.contains("needs 14"), "{text}");
    let half = Options { share: 0.5, ..Options::default() };
    assert!(error(&days(30), &half).contains("needs 45"), "{}", error(&days(30), &half));
}

#[test]
fn windows_that_blocks_do_not_make_are_refused() {
    let hours = Options { window: WindowSpec::Tumbling { length_ms: 3_600_000 }, ..Options::default() };
    let text = error(&days(60), &hours);
    assert!(text.contains("blocks of 1h"), "{text}");
    assert!(error(&days(0), &Options::default()).contains("no block"));
    assert!(calibrate(&days(60), &Options { share: 0.0, ..Options::default() }).is_err());
}

/// Days of `rows` predictions each, one in ten right to be positive, and what came true of them.
fn scored(count: i64, rows: u64) -> Reference {
    let mut dice = Dice::new(5);
    let mut reference = days(count);
    for block in &mut reference.blocks {
        let mut scores = crate::reference::Scores::new(50);
        let all = block.scored.entry(WHOLE.to_owned()).or_default();
        for id in 0..rows {
            let (score, label) = prediction(&mut dice);
            all.add(score, label);
            scores.add(crate::reference::ScoreRow { id, score, label });
        }
        block.scores.insert(WHOLE.to_owned(), scores);
        block.segments.insert(WHOLE.to_owned(), crate::profile::Profile::new(&reference.plan));
    }
    reference
}

fn prediction(dice: &mut Dice) -> (f64, f64) {
    let score = dice.unit().powi(3);
    (score, f64::from(u8::from(dice.unit() < score)))
}

fn performance(own: &[(&str, f64)]) -> Option<Performance> {
    let own = own.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    Some(Performance { task: TaskKind::Binary, own, threshold: Some(0.5), share: METRICS_SHARE, ks: vec![] })
}

/// What the model is like, on many rows.
fn truth() -> Vec<(&'static str, f64)> {
    let mut dice = Dice::new(77);
    let counts = ScoreCounts::of(
        (0..400_000).map(|_| prediction(&mut dice)).map(|(score, label)| (score, label == 1.0)),
    );
    let metrics = crate::performance::of_binary(&counts, Some(0.5), &[]);
    let value = |name: &'static str| {
        let metric = metrics.iter().find(|metric| metric.name == name).unwrap();
        (name, metric.measured.clone().unwrap().value)
    };
    ["auc_roc", "average_precision", "precision", "recall", "log_loss"].map(value).to_vec()
}

#[test]
fn scores_and_metrics_on_labels_get_thresholds_that_unchanged_days_keep_to_and_changed_ones_pass() {
    let wanted_ms = 60 * DAY;
    let performance = performance(&truth());
    let options = Options { expected_time_between_alarms_ms: wanted_ms, performance, ..Options::default() };
    let Calibrated { thresholds, left } = calibrate(&scored(60, 600), &options).unwrap();
    assert_eq!(left, Vec::<String>::new());
    assert_eq!(thresholds.metrics.len(), 5, "{:?}", thresholds.metrics);
    let score = thresholds.predictions.iter().filter(|(key, _)| key.column.as_deref() == Some("score"));
    assert!(
        score.clone().count() == 2 && score.clone().all(|(_, bound)| matches!(bound, Bound::Effect { .. }))
    );
    let own = options.performance.unwrap().own;
    let alarmed = |dice: &mut Dice, worse: bool| {
        let mut row = || {
            let ((score, label), lost) = (prediction(dice), dice.unit() < 0.5);
            (score, label == 1.0 && !(worse && lost))
        };
        let day: Vec<(f64, bool)> = (0..600).map(|_| row()).collect();
        let metrics = crate::performance::of_binary(&ScoreCounts::of(day), Some(0.5), &[]);
        let fell = |metric: &crate::performance::Metric| {
            let Some(own) = own.get(&metric.name) else { return false };
            let (short, error) =
                crate::performance::shortfall(*own, metric.measured.clone().unwrap(), metric.higher);
            short / error > thresholds.metrics[&metric.name].at(Measure::Metric, 600).unwrap()
        };
        metrics.iter().any(fell)
    };
    let mut dice = Dice::new(9);
    let unchanged = (0..3_000).filter(|_| alarmed(&mut dice, false)).count();
    // Metrics may raise a fifth of one alarm in 60 days: 10 in 3,000.
    assert!(unchanged <= 10, "{unchanged} alarms");
    let changed = (0..20).filter(|_| alarmed(&mut dice, true)).count();
    assert!(changed >= 19, "half of the positives are gone, and {changed} days of 20 alarm");
}

#[test]
fn what_a_reference_cannot_calibrate_is_said_with_how_much_is_needed() {
    let options = Options { performance: performance(&truth()), ..Options::default() };
    let left = |reference: &Reference| calibrate(reference, &options).unwrap().left.join("; ");
    // Enough for columns in 180 days, but metrics have a fifth of the alarms.
    let text = left(&scored(40, 600));
    assert!(text.contains("metrics on labels") && text.contains("needs 113, that is 113d"), "{text}");
    let text = left(&days(60));
    assert!(text.contains("build it with --score and --label"), "{text}");
    let rare = Options { expected_time_between_alarms_ms: 60 * DAY, ..options.clone() };
    let text = calibrate(&scored(60, 12), &rare).unwrap().left.join("; ");
    assert!(text.contains("precision: too few windows"), "{text}");
}
