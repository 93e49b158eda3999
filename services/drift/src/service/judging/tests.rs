//! Windows of predictions: estimates before labels, what is set beside them later, groups, rankings.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use millrace_schemas::envelope::{DriftEvent, DriftKind, DriftStatus, Subject};
use millrace_statistics::performance::ranking::{ndcg, reciprocal_rank};
use millrace_topics::{DriftTable, LabelsTable, ReferenceTable, Role, TaskKind};

use super::{Judging, Models};
use crate::judge::Options;
use crate::profile::{Bounds, ColumnPlan, Kind, Plan};
use crate::reference::{Block, Reference, ScoreRow, Scores};
use crate::service::join::Content;
use crate::service::judge_outcomes::KnownOutcomes;
use crate::service::notes::{Maker, Outcome, Span};
use crate::testing::Dice;
use crate::window::{WHOLE, WindowSpec};

const DAY: i64 = 86_400_000;

fn judging(app: &Path, task: TaskKind) -> Judging {
    let topics = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../topics");
    let fraud = millrace_topics::load(&topics, "fraud").unwrap();
    let Role::Drift(table) = &fraud.drift().unwrap().role else { panic!() };
    let labels = LabelsTable { topic: "labels".into(), id: None, outcome: "y".into() };
    let table = DriftTable {
        task,
        labels: Some(labels),
        judge_from_ms: None,
        fairness: Some(0.1),
        groups: vec!["country".into()],
        reference: ReferenceTable::Model,
        ks: vec![3],
        ..table.as_ref().clone()
    };
    Judging {
        app: "app".into(),
        table,
        windows: WindowSpec::Tumbling { length_ms: DAY },
        season: None,
        streams: Vec::new(),
        models: Models::new(app),
        first: None,
        options: Options::default(),
        learnt: Mutex::default(),
        detectors: Arc::default(),
    }
}

/// A model version with its decision threshold and a reference of scores with labels.
fn deploy(app: &Path, rows: impl Iterator<Item = (f64, f64)>) {
    let folder = app.join("models/m/1");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("model.toml"), "[decision]\nthreshold = 0.5\n").unwrap();
    let mut scores = Scores::new(10_000);
    for (id, (score, label)) in (1..).zip(rows) {
        scores.add(ScoreRow { id, score, label });
    }
    let column = ColumnPlan::new("amount", Kind::Numeric);
    let plan = Arc::new(Plan::new(vec![column], Bounds::of_columns(1), Vec::new()));
    let profile = crate::profile::Profile::new(&plan);
    let block = Block {
        start_ms: 0,
        end_ms: DAY,
        segments: BTreeMap::from([(WHOLE.to_owned(), profile)]),
        scores: BTreeMap::from([(WHOLE.to_owned(), scores)]),
        ..Block::default()
    };
    let reference = Reference { plan, blocks: vec![block], delays: None, source: "training".into() };
    reference.write(&folder.join("reference.parquet")).unwrap();
}

fn maker() -> Maker {
    Maker { model: "m".into(), version: "1".into(), arm: "champion".into(), serving: true }
}

fn known(contents: Vec<(&str, Content)>, settled: bool) -> KnownOutcomes {
    let of = |(segment, content): (&str, Content)| ((maker(), segment.to_owned()), content);
    KnownOutcomes {
        window: Span { end_ms: 3 * DAY, start_ms: 2 * DAY, number: 0 },
        provisional: !settled,
        ends_now: !settled,
        revision: 0,
        contents: contents.into_iter().map(of).collect(),
        arrivals: None,
        signals: BTreeMap::new(),
    }
}

fn summary(events: &[DriftEvent], subject: Subject) -> &DriftEvent {
    events.iter().find(|event| event.kind == DriftKind::Summary && event.subject == subject).unwrap()
}

/// A score, and what comes true: twice as likely as an honest model would say for low scores.
fn binary(dice: &mut Dice, shift: f64) -> (f64, f64) {
    let score = dice.unit().powf(shift);
    let probability = (0.2 + 0.7 * score).min(1.0);
    (score, f64::from(u8::from(dice.unit() < probability)))
}

#[test]
fn binary_performance_is_estimated_before_labels_and_stands_beside_what_comes_true() {
    let app = tempfile::tempdir().unwrap();
    let mut dice = Dice::new(1);
    deploy(app.path(), (0..10_000).map(|_| binary(&mut dice, 1.0)).collect::<Vec<_>>().into_iter());
    let judging = judging(app.path(), TaskKind::Binary);
    let window: Vec<(f64, f64)> = (0..8_000).map(|_| binary(&mut dice, 2.0)).collect();
    let mut content = Content::new(TaskKind::Binary);
    window.iter().for_each(|(score, _)| content.add(Some(*score), "", None));
    let early = judging.outcomes(&known(vec![(WHOLE, content)], false)).unwrap();
    let estimate = summary(&early.events, Subject::Estimate);
    assert!(
        estimate.detail.contains("assumes")
            && !estimate.drifted
            && estimate.status == DriftStatus::Provisional
    );
    assert_eq!(estimate.rows, 8_000);
    assert!(!summary(&early.events, Subject::Performance).values.contains_key("auc_roc"), "no labels yet");

    let mut content = Content::new(TaskKind::Binary);
    window.iter().for_each(|(score, truth)| content.add(Some(*score), "", Some(&Outcome::Number(*truth))));
    let late = judging.outcomes(&known(vec![(WHOLE, content)], true)).unwrap();
    let realised = &summary(&late.events, Subject::Performance).values;
    for metric in ["auc_roc", "average_precision", "precision", "recall", "f1"] {
        let (is, was) = (realised[metric], realised[&format!("estimated_{metric}")]);
        assert!((is - was).abs() < 0.03, "{metric}: {is}, estimated {was}");
        assert_eq!(was, estimate.values[&format!("estimated_{metric}")], "{metric}");
    }
    assert!(early.events.iter().chain(&late.events).all(|e| e.subject != Subject::Estimate || !e.drifted));
}

#[test]
fn accuracy_over_classes_and_losses_of_regressions_are_estimated_too() {
    let app = tempfile::tempdir().unwrap();
    let mut dice = Dice::new(2);
    deploy(app.path(), (0..6_000).map(|_| binary(&mut dice, 1.0)).collect::<Vec<_>>().into_iter());
    let judging_classes = judging(app.path(), TaskKind::Multiclass);
    let mut content = Content::new(TaskKind::Multiclass);
    for _ in 0..6_000 {
        let (score, right) = binary(&mut dice, 0.5);
        content.add(Some(score), "a", Some(&Outcome::Class(if right == 1.0 { "a" } else { "b" }.into())));
    }
    let said = judging_classes.outcomes(&known(vec![(WHOLE, content)], true)).unwrap();
    let values = &summary(&said.events, Subject::Performance).values;
    assert!((values["accuracy"] - values["estimated_accuracy"]).abs() < 0.03, "{values:?}");

    // The error grows with the prediction; the window's predictions are large.
    let app = tempfile::tempdir().unwrap();
    let mut row = move |largest: f64| {
        let score = 10.0 * largest * (1.0 - 0.5 * dice.unit());
        (score, score + (dice.unit() - 0.5) * score)
    };
    deploy(app.path(), (0..4_000).map(|n| row(f64::from(n % 10 + 1) / 10.0)).collect::<Vec<_>>().into_iter());
    let mut content = Content::new(TaskKind::Regression);
    for _ in 0..2_000 {
        let (score, truth) = row(1.0);
        content.add(Some(score), "", Some(&Outcome::Number(truth)));
    }
    let said =
        judging(app.path(), TaskKind::Regression).outcomes(&known(vec![(WHOLE, content)], true)).unwrap();
    let values = &summary(&said.events, Subject::Performance).values;
    for metric in ["mae", "rmse"] {
        let (is, was) = (values[metric], values[&format!("estimated_{metric}")]);
        assert!((is - was).abs() < 0.1 * is, "{metric}: {is}, estimated {was}");
    }
}

#[test]
fn groups_that_are_treated_otherwise_are_a_finding() {
    let app = tempfile::tempdir().unwrap();
    deploy(app.path(), std::iter::empty());
    let mut dice = Dice::new(3);
    let judging = judging(app.path(), TaskKind::Binary);
    let mut group = |lift: f64| {
        let mut content = Content::new(TaskKind::Binary);
        for _ in 0..1_000 {
            let (score, truth) = (dice.unit() * (1.0 - lift) + lift, f64::from(u8::from(dice.unit() < 0.5)));
            content.add(Some(score), "", Some(&Outcome::Number(truth)));
        }
        content
    };
    let mut of = |lift: f64| {
        let (one, other) = (group(0.0), group(lift));
        let mut whole = one.clone();
        whole.merge(&other);
        let contents = vec![(WHOLE, whole), ("country=NE", one), ("country=SW", other)];
        let said = judging.outcomes(&known(contents, true)).unwrap();
        let found = said
            .events
            .into_iter()
            .filter(|e| e.subject == Subject::Fairness && e.kind == DriftKind::Finding);
        found.collect::<Vec<_>>()
    };
    let unfair = of(0.4);
    let names: Vec<&str> = unfair.iter().filter(|e| e.drifted).map(|e| e.method.as_str()).collect();
    assert_eq!(names, ["demographic_parity", "equal_opportunity", "equalised_odds"]);
    assert!(unfair[0].severity > 1.0 && unfair[0].column.as_deref() == Some("country"), "{:?}", unfair[0]);
    let fair = of(0.0);
    assert!(fair.len() == 3 && fair.iter().all(|event| !event.drifted), "{fair:?}");
}

#[test]
fn rankings_are_measured_list_by_list_wherever_their_items_lie() {
    let app = tempfile::tempdir().unwrap();
    let mut dice = Dice::new(4);
    let lists: Vec<Vec<(f64, f64)>> = (0..200)
        .map(|_| (0..2 + dice.below(9)).map(|_| (dice.below(20) as f64, dice.below(3) as f64)).collect())
        .collect();
    let mut parts = [Content::new(TaskKind::Ranking), Content::new(TaskKind::Ranking)];
    for (list, items) in lists.iter().enumerate() {
        for (item, (score, relevance)) in items.iter().enumerate() {
            parts[item % 2].add(Some(*score), &format!("l{list}"), Some(&Outcome::Number(*relevance)));
        }
    }
    let [mut content, other] = parts;
    content.merge(&Content::from_bytes(&other.to_bytes()).unwrap());
    let said = judging(app.path(), TaskKind::Ranking).outcomes(&known(vec![(WHOLE, content)], true)).unwrap();
    let values = &summary(&said.events, Subject::Performance).values;
    type Metric<'a> = &'a dyn Fn(&[(f64, f64)]) -> Option<f64>;
    let mean = |of: Metric<'_>| {
        let all: Vec<f64> = lists.iter().filter_map(|list| of(list)).collect();
        all.iter().sum::<f64>() / all.len() as f64
    };
    for (metric, expected) in [
        ("ndcg", mean(&|list| ndcg(list, None))),
        ("ndcg_3", mean(&|list| ndcg(list, Some(3)))),
        ("mrr", mean(&reciprocal_rank)),
    ] {
        assert!((values[metric] - expected).abs() < 1e-12, "{metric}: {} and {expected}", values[metric]);
    }
}

#[test]
fn rows_of_one_side_alone_are_a_finding_above_what_is_tolerated() {
    let app = tempfile::tempdir().unwrap();
    let judging = judging(app.path(), TaskKind::Binary);
    let of = |only_served: u64, only_recomputed: u64| {
        let rows = crate::service::skew::RowCounts { both: 1_000, only_served, only_recomputed };
        let rows = BTreeMap::from([("customer_id".to_owned(), rows)]);
        let counts = crate::service::skew::SkewCounts { rows, ..Default::default() };
        let mut said = crate::service::report::Said::default();
        judging.skew(
            &crate::judge::About { topic: "features".into(), ..Default::default() },
            &counts,
            &mut said,
        );
        let drifted = said.events.into_iter().filter(|event| event.drifted);
        drifted.map(|event| (event.method, event.detail)).collect::<Vec<_>>()
    };
    assert_eq!(of(0, 12), [], "one in a hundred is tolerated");
    let [(method, detail)] = &of(3, 60)[..] else { panic!() };
    assert_eq!(method, "only_recomputed[customer_id]");
    assert_eq!(detail, "60 of 1063 rows sampled by customer_id (5.6 %) are in the log and were not served.");
    assert_eq!(of(60, 0)[0].0, "only_served[customer_id]");
}
