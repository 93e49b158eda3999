use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use arrow::datatypes::{Float64Type, Int64Type, TimestampMillisecondType};
use millrace_runtime::task::{Origin, RowMeta, Taken};

use super::*;
use crate::envelope::Names;
use crate::testing::{deployed, feature_rows, feature_schema, golden, prediction_schema, texts, with_null};

fn task(serving: &Serving) -> ScorerTask {
    let context = ["country".to_owned(), "amount".to_owned()];
    let names = Names { id: "tx_id", time: "tx_time", unit: "customer_id", context: &context };
    let envelope = Envelope::find(&prediction_schema(), &feature_schema(), &names).unwrap();
    ScorerTask::new(serving.clone(), envelope, None, StatsQueue::none(), 0)
}

fn serving(model: &str) -> Serving {
    let serving = Serving::new("nothing yet");
    serving.set(deployed(model, 7));
    serving
}

fn batch(rows: RecordBatch, late: &[usize]) -> Batch {
    let n = u32::try_from(rows.num_rows()).unwrap();
    let meta = (0..n as usize).map(|i| RowMeta {
        offset: i as i64,
        time_ms: 1_000 * i as i64,
        origin: Origin { topic: "fraud.transactions".into(), partition: 0, offset: i as i64 },
        traceparent: None,
        late: late.contains(&i),
    });
    Batch {
        inputs: vec![Input { rows, meta: meta.collect() }],
        order: (0..n).map(|row| Taken { input: 0, row }).collect(),
        phase: Phase::Live,
    }
}

fn apply(task: &mut ScorerTask, batch: &Batch) -> Effects {
    let mut effects = Effects::default();
    task.apply(batch, &mut effects).unwrap();
    // No row disappears: each has one answer or is rejected, once.
    let answers = |output: &Output| -> Vec<u32> {
        let roles = output.rows.column_by_name("role").unwrap().clone();
        let all = output.cause.iter().zip(texts(&roles));
        all.filter(|(_, role)| *role == Some("serving")).map(|(cause, _)| *cause).collect()
    };
    let mut seen: Vec<u32> = effects.outputs.iter().flat_map(answers).collect();
    seen.extend(effects.rejected.iter().map(|rejection| rejection.row));
    seen.sort_unstable();
    let live = batch.phase == Phase::Live;
    assert_eq!(seen, (0..batch.order.len()).take_while(|_| live).map(|i| i as u32).collect::<Vec<_>>());
    effects
}

fn output(effects: &Effects) -> &Output {
    let [output] = effects.outputs.as_slice() else { panic!("{} outputs", effects.outputs.len()) };
    output
}

fn column(output: &Output, name: &str) -> ArrayRef {
    output.rows.column_by_name(name).unwrap().clone()
}

#[test]
fn every_column_of_a_prediction_says_what_it_must() {
    let golden = golden();
    let effects = apply(&mut task(&serving("logistic")), &batch(feature_rows(&golden.rows[..4]), &[]));
    let output = output(&effects);
    assert_eq!(output.rows.schema(), prediction_schema());
    assert_eq!(output.cause, [0, 1, 2, 3]);
    assert!(output.late.is_empty());
    let same = |name, text| assert_eq!(texts(&column(output, name)), [Some(text); 4], "{name}");
    same("model", "logistic");
    same("version", "1");
    same("arm", "champion");
    same("role", "serving");
    assert_eq!(texts(&column(output, "id")), [Some("t0"), Some("t1"), Some("t2"), Some("t3")]);
    assert_eq!(texts(&column(output, "unit")), [Some("0"), Some("1"), Some("2"), Some("3")]);
    assert_eq!(
        column(output, "time").as_primitive::<TimestampMillisecondType>().values(),
        &[0, 1_000, 2_000, 3_000]
    );
    assert_eq!(column(output, "deployment").as_primitive::<Int64Type>().values(), &[7; 4]);
    assert_eq!(column(output, "propensity").as_primitive::<Float64Type>().values(), &[1.0; 4]);
    assert_eq!(column(output, "reasons").as_list::<i32>().values().len(), 0);
    let scores = column(output, "score");
    let decisions = column(output, "decision");
    for (i, expected) in golden.logistic[..4].iter().enumerate() {
        let score = scores.as_primitive::<Float64Type>().value(i);
        assert!((score - expected).abs() < 1e-6);
        assert_eq!(texts(&decisions)[i], Some(if score >= 0.5 { "review" } else { "accept" }));
    }
}

#[test]
fn the_context_passes_columns_on_as_text_and_null_as_null() {
    let golden = golden();
    let effects = apply(&mut task(&serving("trees")), &batch(feature_rows(&golden.rows[..3]), &[]));
    let context = column(output(&effects), "context");
    for (row, country) in [None, Some("BE"), Some("FR")].into_iter().enumerate() {
        let map = context.as_map().value(row);
        assert_eq!(texts(map.column(0)), [Some("country"), Some("amount")]);
        let amount = golden.rows[row][0];
        let values = texts(map.column(1));
        assert_eq!(values[0], country);
        assert_eq!(values[1].unwrap().parse::<f64>().unwrap(), amount);
    }
}

#[test]
fn rows_without_what_they_need_are_rejected_and_cost_no_other() {
    let golden = golden();
    let rows = feature_rows(&golden.rows[..10]);
    let whole = apply(&mut task(&serving("logistic")), &batch(rows.clone(), &[]));
    let mut rows = with_null(&rows, "tx_id", 1);
    for (column, row) in
        [("customer_id", 2), ("tx_time", 3), ("amount", 5), ("amount", 1), ("customer_tx_1d", 7)]
    {
        rows = with_null(&rows, column, row);
    }
    let effects = apply(&mut task(&serving("logistic")), &batch(rows, &[4, 5]));
    let told: Vec<_> = effects.rejected.iter().map(|r| (r.row, r.reason, r.detail.as_str())).collect();
    assert_eq!(
        told,
        [
            (1, "missing_id", "column `tx_id` is NULL"),
            (2, "missing_unit", "column `customer_id` is NULL"),
            (3, "missing_time", "column `tx_time` is NULL"),
            (5, "missing_input", "model input `amount` is NULL"),
        ]
    );
    let output = output(&effects);
    assert_eq!(output.cause, [0, 4, 6, 7, 8, 9]);
    assert_eq!(output.late, [false, true, false, false, false, false]);
    assert_eq!(texts(&column(output, "id"))[1], Some("t4"));
    let score = |effects: &Effects, row: usize| -> f64 {
        column(&effects.outputs[0], "score").as_primitive::<Float64Type>().value(row)
    };
    assert_eq!(score(&effects, 1), score(&whole, 4));
    assert_ne!(score(&effects, 3), score(&whole, 7), "the default of customer_tx_1d was not taken");
}

#[test]
fn a_batch_of_rejected_rows_alone_has_no_output() {
    let rows = with_null(&feature_rows(&golden().rows[..1]), "amount", 0);
    let effects = apply(&mut task(&serving("logistic")), &batch(rows, &[]));
    assert!(effects.outputs.is_empty());
}

#[test]
fn a_score_that_is_no_number_is_rejected() {
    let mut rows = feature_rows(&golden().rows[..3]);
    let mut columns = rows.columns().to_vec();
    columns[4] = Arc::new(Float64Array::from(vec![1.0, f64::from(f32::MAX), 2.0]));
    rows = RecordBatch::try_new(rows.schema(), columns).unwrap();
    // amount x 5 overflows in this model.
    let effects = apply(&mut task(&serving("overflow")), &batch(rows, &[]));
    assert_eq!(output(&effects).cause, [0, 2]);
    assert_eq!(effects.rejected[0].reason, "score_not_finite");
    assert_eq!(effects.rejected[0].detail, "model overflow/1 gives inf");
}

#[test]
fn rows_are_taken_in_the_batchs_order() {
    let mut shuffled = batch(feature_rows(&golden().rows[..3]), &[2]);
    shuffled.order = [2, 0, 1].map(|row| Taken { input: 0, row }).to_vec();
    let effects = apply(&mut task(&serving("linear")), &shuffled);
    let output = output(&effects);
    assert_eq!(texts(&column(output, "id")), [Some("t2"), Some("t0"), Some("t1")]);
    assert_eq!(
        (output.cause.as_slice(), output.late.as_slice()),
        ([0, 1, 2].as_slice(), [true, false, false].as_slice())
    );
}

#[test]
fn cutting_the_rows_into_other_batches_changes_nothing() {
    let rows = feature_rows(&golden().rows);
    for model in ["logistic", "trees", "linear", "neighbours"] {
        let serving = serving(model);
        let whole = apply(&mut task(&serving), &batch(rows.clone(), &[]));
        for size in [1, 7, 64] {
            let mut task = task(&serving);
            let parts: Vec<RecordBatch> = (0..rows.num_rows())
                .step_by(size)
                .map(|at| rows.slice(at, size.min(rows.num_rows() - at)))
                .map(|part| output(&apply(&mut task, &batch(part, &[]))).rows.clone())
                .collect();
            let joined = arrow::compute::concat_batches(&prediction_schema(), &parts).unwrap();
            assert_eq!(joined, whole.outputs[0].rows, "{model} in batches of {size}");
        }
    }
}

#[test]
fn a_new_champion_is_taken_between_two_batches() {
    let serving = serving("logistic");
    let mut task = task(&serving);
    let rows = batch(feature_rows(&golden().rows[..2]), &[]);
    apply(&mut task, &rows);
    serving.set(deployed("trees", 9));
    let effects = apply(&mut task, &rows);
    assert_eq!(texts(&column(output(&effects), "model")), [Some("trees"); 2]);
    assert_eq!(column(output(&effects), "deployment").as_primitive::<Int64Type>().values(), &[9; 2]);
}

#[test]
fn rows_that_only_rebuild_or_warm_have_no_effect() {
    for phase in [Phase::Rebuild, Phase::RebuildStore, Phase::Warm] {
        let mut rows = batch(feature_rows(&golden().rows[..2]), &[]);
        rows.phase = phase;
        let mut task = task(&Serving::new("nothing"));
        let effects = apply(&mut task, &rows);
        assert!(effects.outputs.is_empty() && effects.rejected.is_empty());
        assert_eq!(task.progress(), Progress { task_time_ms: Some(1_000), rebuild_from: vec![None] });
    }
}

#[test]
fn without_a_champion_the_worker_stops_instead_of_losing_rows() {
    let rows = batch(feature_rows(&golden().rows[..2]), &[]);
    let error =
        task(&Serving::new("no model is deployed")).apply(&rows, &mut Effects::default()).unwrap_err();
    assert_eq!(error.0, "no model is deployed");
}

mod arms;
