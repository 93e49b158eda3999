//! An observer told rows in batches of different cuts, and rebuilt in between.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float64Array, Int64Array, ListBuilder, MapBuilder, RecordBatch, StringArray, StringBuilder,
};
use arrow::array::{BooleanArray, new_empty_array};
use arrow::datatypes::{DataType, Field, Schema};
use millrace_runtime::task::{Input, Origin, Phase, RowMeta, Taken};
use millrace_topics::{
    ExperimentArm, ExperimentDefinition, ExperimentKind, ExperimentMetric, MetricKind, MetricRole,
    OutcomeColumns,
};

use super::*;
use crate::service::counted::{Counted, Pair, pairs_from_bytes};
use crate::service::note::{Assembler, encode};

const DAY: i64 = 86_400_000;

fn definition() -> ExperimentDefinition {
    let arm = |name: &str, version: &str, share| ExperimentArm {
        name: name.into(),
        model: "m".into(),
        version: version.into(),
        share,
    };
    let metric = ExperimentMetric {
        name: "caught".into(),
        kind: MetricKind::Mean,
        topic: "labels".into(),
        value: Some("amount".into()),
        only: [
            ("fraud".to_owned(), "true".to_owned()),
            ("predictions.decision".to_owned(), "review".to_owned()),
        ]
        .into(),
        denominator: None,
        higher_is_better: true,
        role: MetricRole::Primary,
        bound: 0.0,
        expected_effect: None,
    };
    ExperimentDefinition {
        name: "x".into(),
        topic: "predictions".into(),
        kind: ExperimentKind::Canary,
        arms: vec![arm("champion", "1", 0.0), arm("second", "2", 0.0)],
        salt: "x".into(),
        namespace: None,
        metrics: vec![metric],
        labels: Some(OutcomeColumns { topic: "labels".into(), outcome: "fraud".into() }),
        window_ms: DAY,
        label_horizon_ms: DAY,
        covariate_ms: 0,
        alpha: 0.05,
        burn_in_units: 0,
        min_ms: 0,
        max_ms: DAY,
        max_mixed_share: 0.01,
        sample_ratio_alpha: 0.001,
        automatic: true,
        segments: Vec::new(),
        canary: None,
        bandit: None,
        method: None,
    }
}

fn sources() -> Sources {
    let labels = ("labels".to_owned(), "id".to_owned(), "unit".to_owned());
    Sources { predictions: "predictions".into(), others: vec![labels] }
}

/// A row of one of the inputs.
#[derive(Clone)]
enum Row {
    Order(Order),
    /// Number, version, arm, serving, deployment.
    Prediction(i64, &'static str, &'static str, bool, i64),
    Label(i64),
}

impl Row {
    fn input(&self) -> usize {
        match self {
            Self::Order(_) => 0,
            Self::Prediction(..) => 1,
            Self::Label(_) => 2,
        }
    }

    fn time_ms(&self) -> i64 {
        match self {
            Self::Order(_) => 0,
            Self::Prediction(number, ..) => number * (DAY / 100),
            Self::Label(number) => number * (DAY / 100) + DAY / 2,
        }
    }
}

fn predictions(rows: &[Row]) -> RecordBatch {
    let rows: Vec<_> = rows
        .iter()
        .filter_map(|row| match row {
            Row::Prediction(number, version, arm, serving, deployment) => {
                Some((*number, *version, *arm, *serving, *deployment))
            }
            _ => None,
        })
        .collect();
    type Served = (i64, &'static str, &'static str, bool, i64);
    let texts = |of: &dyn Fn(&Served) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(of)))
    };
    let mut reasons = ListBuilder::new(StringBuilder::new());
    let mut context = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    for _ in &rows {
        reasons.append(true);
        context.append(true).unwrap();
    }
    let score =
        |row: &(i64, &str, &str, bool, i64)| row.0 as f64 / 1_000.0 + if row.1 == "2" { 0.01 } else { 0.0 };
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", texts(&|row| format!("e{}", row.0))),
        ("unit", texts(&|row| format!("u{}", row.0))),
        ("model", texts(&|_| "m".into())),
        ("version", texts(&|row| row.1.into())),
        ("arm", texts(&|row| row.2.into())),
        ("role", texts(&|row| if row.3 { "serving".into() } else { "shadow".into() })),
        ("decision", texts(&|row| if row.0 % 2 == 0 { "review".into() } else { "approve".into() })),
        ("score", Arc::new(Float64Array::from_iter_values(rows.iter().map(score)))),
        ("deployment", Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.4)))),
        ("reasons", Arc::new(reasons.finish())),
        ("context", Arc::new(context.finish())),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

fn labels(rows: &[Row]) -> RecordBatch {
    let numbers: Vec<i64> = rows
        .iter()
        .filter_map(|row| if let Row::Label(number) = row { Some(*number) } else { None })
        .collect();
    let texts = |prefix: &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(numbers.iter().map(|number| format!("{prefix}{number}"))))
    };
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", texts("e")),
        ("unit", texts("u")),
        ("fraud", Arc::new(BooleanArray::from_iter(numbers.iter().map(|number| Some(number % 4 == 0))))),
        ("amount", Arc::new(Float64Array::from_iter_values(numbers.iter().map(|number| *number as f64)))),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

fn orders(rows: &[Row]) -> RecordBatch {
    let orders: Vec<Message<Order>> = rows
        .iter()
        .filter_map(
            |row| if let Row::Order(order) = row { Some(Message::of(0, order.clone())) } else { None },
        )
        .collect();
    if orders.is_empty() {
        let schema: Arc<Schema> = millrace_runtime::message::schema();
        let columns = schema.fields().iter().map(|field: &Arc<Field>| {
            let kind: &DataType = field.data_type();
            new_empty_array(kind)
        });
        return RecordBatch::try_new(schema.clone(), columns.collect()).unwrap();
    }
    encode(&orders).unwrap().0
}

/// A batch of rows, which lie at the offsets that come next.
fn batch(rows: &[Row], offsets: &mut [i64; 3], phase: Phase) -> Batch {
    let mut metas: [Vec<RowMeta>; 3] = Default::default();
    let mut order = Vec::new();
    for row in rows {
        let input = row.input();
        let origin = Origin { topic: "t".into(), partition: 0, offset: offsets[input] };
        let (offset, time_ms) = (offsets[input], row.time_ms());
        order.push(Taken {
            input: u32::try_from(input).unwrap(),
            row: u32::try_from(metas[input].len()).unwrap(),
        });
        metas[input].push(RowMeta { offset, time_ms, origin, traceparent: None, late: false });
        offsets[input] += 1;
    }
    let [a, b, c] = metas;
    let inputs = vec![
        Input { rows: orders(rows), meta: a },
        Input { rows: predictions(rows), meta: b },
        Input { rows: labels(rows), meta: c },
    ];
    Batch { inputs, order, phase }
}

/// The start, a deployment, and four days of events, each served by one arm and shadowed by the other's version.
fn stream() -> Vec<Row> {
    let start = Order::Start { run: "r".into(), definition: Box::new(definition()) };
    let (topic, experiment) = ("predictions".to_owned(), "x".to_owned());
    let mut rows =
        vec![Row::Order(start), Row::Order(Order::Deployed { offset: 1, topic, experiment, phase: 0 })];
    for number in 0..400 {
        let second = number % 10 < 3;
        let (arm, version, other) = if second { ("second", "2", "1") } else { ("baseline", "1", "2") };
        rows.push(Row::Prediction(number, version, arm, true, 1));
        rows.push(Row::Prediction(number, other, "shadow", false, 1));
        if number >= 50 {
            rows.push(Row::Label(number - 50));
        }
    }
    rows
}

fn told(effects: &Effects) -> Vec<(Note, Vec<u8>)> {
    let mut assembler = Assembler::<Note>::default();
    let mut all = Vec::new();
    for output in &effects.outputs {
        for row in 0..output.rows.num_rows() {
            let message = assembler.take(&output.rows, row, 0).unwrap();
            all.extend(message.map(|(message, _)| (message.head, message.body)));
        }
    }
    all
}

fn run(cut: usize) -> Vec<(Note, Vec<u8>)> {
    run_of(0, cut)
}

fn run_of(partition: i32, cut: usize) -> Vec<(Note, Vec<u8>)> {
    let mut task = Observe::new(sources(), partition, Windows::new(DAY, 0));
    let mut offsets = [0; 3];
    let mut effects = Effects::default();
    for rows in stream().chunks(cut) {
        task.apply(&batch(rows, &mut offsets, Phase::Live), &mut effects).unwrap();
    }
    told(&effects)
}

#[test]
fn what_is_told_does_not_hang_on_how_rows_are_cut_into_batches() {
    let whole = run(10_000);
    assert_eq!(whole, run(1));
    assert_eq!(whole, run(77));
    let ends: Vec<i64> = whole
        .iter()
        .filter_map(|(note, _)| if let Note::Counted { end_ms, .. } = note { Some(*end_ms) } else { None })
        .collect();
    assert_eq!(ends, [DAY, 2 * DAY, 3 * DAY]);
    assert_eq!(
        whole[0].0,
        Note::Known { run: "r".into(), place: Place { topic: "predictions".into(), partition: 0 } }
    );
}

#[test]
fn what_partitions_tell_can_be_told_apart_where_parts_of_it_are_mixed() {
    let (one, two) = (run_of(0, 1_000), run_of(1, 1_000));
    let with_bodies = one.iter().filter(|(_, body)| !body.is_empty());
    let heads: Vec<&Note> = with_bodies.map(|(note, _)| note).collect();
    assert!(heads.iter().any(|note| matches!(note, Note::Scored { .. })));
    assert!(two.iter().all(|(note, _)| !heads.contains(&note)));
}

#[test]
fn units_count_what_was_caught_and_rows_that_both_scored_come_once_their_labels_are_known() {
    let told = run(100);
    let counted = told.iter().rev().find_map(|(note, body)| match note {
        Note::Counted { .. } => Some(Counted::from_bytes(body).unwrap()),
        _ => None,
    });
    let counted = counted.unwrap();
    assert_eq!(counted.rows, 300);
    // Of events 0 to 200 the horizon is over by the end of the third day; every label came.
    assert_eq!((counted.closed, counted.outcomes), (200, 200));
    // Mature after window and label horizon: of the first day, events 0 to 100 at the end of the third.
    let mature = |arm: &str| &counted.metrics[0].arms[arm].mature;
    assert_eq!(mature("second").units() + mature("baseline").units(), 101);
    let caught: i64 = (0..=100).filter(|n| n % 4 == 0).sum();
    assert_eq!(mature("second").sum_y() + mature("baseline").sum_y(), caught as f64);
    let pairs: Vec<Pair> = told
        .iter()
        .filter(|(note, _)| matches!(note, Note::Scored { .. }))
        .flat_map(|(_, body)| pairs_from_bytes(body).unwrap())
        .collect();
    assert_eq!(pairs.len(), 200, "of two days, a label horizon before the end of the third");
    assert!(pairs.iter().all(|pair| pair.positive.is_some() && pair.treatment > pair.control));
    assert_eq!(pairs.iter().filter(|pair| pair.positive == Some(true)).count(), 50);
}

#[test]
fn of_lists_and_of_shadowed_rows_all_count_though_no_unit_belongs_to_either_version() {
    for kind in [ExperimentKind::Interleave, ExperimentKind::Shadow] {
        let definition = Box::new(ExperimentDefinition { kind, ..definition() });
        let (topic, experiment) = ("predictions".to_owned(), "x".to_owned());
        let rows = [
            Row::Order(Order::Start { run: "r".into(), definition }),
            Row::Order(Order::Deployed { offset: 1, topic, experiment, phase: 0 }),
            Row::Prediction(7, "1", "interleave", true, 1),
            Row::Prediction(7, "2", "second-shadow", false, 1),
            Row::Prediction(9, "1", "interleave", true, 1),
            Row::Prediction(150, "1", "interleave", true, 1),
        ];
        let mut task = Observe::new(sources(), 0, Windows::new(DAY, 0));
        let (mut offsets, mut effects) = ([0; 3], Effects::default());
        task.apply(&batch(&rows, &mut offsets, Phase::Live), &mut effects).unwrap();
        let (_, body) = told(&effects).pop().unwrap();
        let counted = Counted::from_bytes(&body).unwrap();
        assert_eq!((counted.rows, counted.first_ms), (2, Some(7 * (DAY / 100))), "{kind:?}");
        assert_eq!(counted.metrics[0].exposed, 0);
    }
}

#[test]
fn a_task_that_is_rebuilt_says_what_it_would_have_said() {
    let rows = stream();
    let whole = run(10_000);
    let (mut offsets, mut effects) = ([0; 3], Effects::default());
    let mut task = Observe::new(sources(), 0, Windows::new(DAY, 0));
    task.apply(&batch(&rows[..700], &mut offsets, Phase::Live), &mut effects).unwrap();
    let committed = task.progress();
    assert_eq!(committed.rebuild_from, [Some(0), Some(0), Some(0)]);
    let mut again = Observe::new(sources(), 0, Windows::new(DAY, 0));
    again.restore(&committed);
    // Inputs are merged by time in a rebuild: orders first, then what came.
    let mut offsets = [0; 3];
    again.apply(&batch(&rows[..700], &mut offsets, Phase::Rebuild), &mut Effects::default()).unwrap();
    again.restore(&committed);
    again.apply(&batch(&rows[700..], &mut offsets, Phase::Live), &mut effects).unwrap();
    assert_eq!(told(&effects), whole);
    assert_eq!(again.progress().task_time_ms, Some(399 * (DAY / 100)));
}

#[test]
fn predictions_under_a_deployment_that_was_not_told_of_wait_for_it() {
    let mut rows = stream();
    let deployed = rows.remove(1);
    rows.insert(150, deployed);
    let mut task = Observe::new(sources(), 0, Windows::new(DAY, 0));
    let (mut offsets, mut effects) = ([0; 3], Effects::default());
    task.apply(&batch(&rows, &mut offsets, Phase::Live), &mut effects).unwrap();
    assert_eq!(told(&effects).last(), run(10_000).last());
}

#[test]
fn units_of_no_arm_may_come_to_an_arm_of_a_canary_that_grows() {
    let deployed = |offset| {
        let (topic, experiment) = ("predictions".to_owned(), "x".to_owned());
        Row::Order(Order::Deployed { offset, topic, experiment, phase: 0 })
    };
    let rows = [
        Row::Order(Order::Start { run: "r".into(), definition: Box::new(definition()) }),
        deployed(1),
        Row::Prediction(7, "1", "champion", true, 1),
        deployed(2),
        Row::Prediction(7, "2", "second", true, 2),
        Row::Prediction(150, "2", "second", true, 2),
    ];
    let mut task = Observe::new(sources(), 0, Windows::new(DAY, 0));
    let (mut offsets, mut effects) = ([0; 3], Effects::default());
    task.apply(&batch(&rows, &mut offsets, Phase::Live), &mut effects).unwrap();
    let counted = told(&effects).into_iter().find_map(|(note, body)| match note {
        Note::Counted { end_ms: DAY, .. } => Some(Counted::from_bytes(&body).unwrap()),
        _ => None,
    });
    let metric = &counted.unwrap().metrics[0];
    assert_eq!(
        (metric.mixed, metric.exposed),
        (0, 1),
        "who was outside counts from the canary's first answer"
    );
}
