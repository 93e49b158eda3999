//! Stages as tasks: batch cuts, rebuilds, hand-overs between stages, the online store, rows that are refused.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array, StringArray, TimestampMillisecondArray};
use arrow::datatypes::DataType;
use arrow::record_batch::RecordBatch;
use arrow::util::pretty::pretty_format_batches;
use millrace_runtime::task::{Phase, Progress, Task};
use millrace_statistics::random::Random;

use super::harness::Run;
use crate::plan::{Plan, View};
use crate::sql::Source;
use crate::testing::{
    FEATURES, features_by_definition, fraud_sources, labels, payments, source, time_type, transactions,
};

fn plan(sql: &str, sources: &[Source], lateness_ms: i64) -> Plan {
    Plan::new(&View { sql, sources, key: None, lateness_ms, horizon_ms: Some(60_000) }).unwrap()
}

/// Every row on its own.
fn single(source: usize, rows: &RecordBatch) -> Vec<(usize, RecordBatch)> {
    (0..rows.num_rows()).map(|row| (source, rows.slice(row, 1))).collect()
}

const FRAUD: &str = include_str!("../../../../topics/fraud/features.sql");

fn fraud_plan() -> Plan {
    plan(FRAUD, &fraud_sources(), 172_800_000)
}

/// Payments and labels merged by record time, payments first.
fn fraud_rows(count: usize, days: i64) -> Vec<(usize, RecordBatch)> {
    let payments = payments(count, days, 11);
    let mut rows: Vec<(i64, usize, usize)> = Vec::new();
    for (i, payment) in payments.iter().enumerate() {
        rows.push((payment.time, 0, i));
        rows.push((payment.label_time(), 1, i));
    }
    rows.sort_unstable();
    let sources = [transactions(&payments), labels(&payments)];
    rows.into_iter().map(|(_, source, row)| (source, sources[source].slice(row, 1))).collect()
}

#[test]
fn batch_cuts_change_nothing() {
    let (plan, rows) = (fraud_plan(), fraud_rows(600, 50));
    let results: Vec<_> = [1, 7, 1_000]
        .map(|cut| {
            let mut run = Run::new(&plan, 1);
            run.take(&rows, cut, Phase::Live);
            (run.table(), run.store.clone(), run.filtered, run.progress())
        })
        .into_iter()
        .collect();
    assert_eq!(results[0].0, results[1].0);
    assert_eq!(results[0].0, results[2].0);
    assert_eq!((&results[0].1, results[0].2), (&results[1].1, results[1].2));
    assert_eq!((&results[0].1, results[0].2), (&results[2].1, results[2].2));
    assert_eq!(results[0].3, results[2].3);
    assert_eq!(results[0].2, 600, "labels are filtered, each once");
}

#[test]
fn rows_of_three_partitions_meet_in_the_second_stage_with_the_features_of_their_definition() {
    let (plan, rows) = (fraud_plan(), fraud_rows(800, 60));
    let mut run = Run::new(&plan, 3);
    // Of 24 rows a day: partitions are less than the day apart that labels come before they count.
    run.take(&rows, 10, Phase::Live);
    let payments = payments(800, 60, 11);
    let emitted = run.rows();
    assert_eq!(emitted.num_rows(), 800);
    let ids = emitted.column_by_name("tx_id").unwrap().as_string::<i32>().clone();
    let columns = FEATURES
        .map(|name| arrow::compute::cast(emitted.column_by_name(name).unwrap(), &DataType::Float64).unwrap());
    for row in 0..800 {
        let id: usize = ids.value(row).parse().unwrap();
        let expected = features_by_definition(&payments, id);
        for (column, expected) in columns.iter().zip(expected) {
            let found = column.as_primitive::<arrow::datatypes::Float64Type>().value(row);
            assert!(
                (found - expected).abs() <= 1e-9 * expected.abs(),
                "payment {id}: {found} is not {expected}"
            );
        }
    }
}

#[test]
fn a_rebuilt_task_goes_on_like_one_that_never_stopped() {
    let (plan, rows) = (fraud_plan(), fraud_rows(700, 90));
    let (first, second) = rows.split_at(rows.len() * 2 / 3);
    let mut whole = Run::new(&plan, 2);
    let mut torn = Run::new(&plan, 2);
    for run in [&mut whole, &mut torn] {
        run.take(first, 10, Phase::Live);
    }
    let committed = torn.progress();
    assert!(
        committed.iter().all(|progress| progress.rebuild_from.iter().flatten().any(|from| *from > 0)),
        "{committed:?}"
    );
    torn.restart(Phase::Rebuild);
    for run in [&mut whole, &mut torn] {
        run.take(second, 10, Phase::Live);
    }
    assert_eq!(whole.table(), torn.table());
    assert_eq!(whole.store, torn.store);
}

#[test]
fn a_rebuild_of_the_store_writes_what_was_there() {
    let (plan, rows) = (fraud_plan(), fraud_rows(300, 20));
    let mut run = Run::new(&plan, 2);
    run.take(&rows, 10, Phase::Live);
    // Every row is still in a frame: the store that is written again must be the same, field by field.
    let before = run.store.len();
    run.restart(Phase::RebuildStore);
    assert_eq!(run.store.len(), before);
}

#[test]
fn warm_rows_warm_every_stage_and_are_emitted_and_stored_by_none() {
    let (plan, rows) = (fraud_plan(), fraud_rows(400, 40));
    let (warm, live) = rows.split_at(rows.len() / 2);
    let mut run = Run::new(&plan, 2);
    run.take(warm, 16, Phase::Warm);
    assert!(run.emitted.is_empty() && run.store.is_empty() && run.rejected.is_empty());
    run.take(live, 16, Phase::Live);
    let mut all = Run::new(&plan, 2);
    all.take(&rows, 16, Phase::Live);
    let (found, expected) = (run.rows(), all.rows());
    assert!(found.num_rows() > 0);
    let tail = expected.slice(expected.num_rows() - found.num_rows(), found.num_rows());
    assert_eq!(
        pretty_format_batches(&[found]).unwrap().to_string(),
        pretty_format_batches(&[tail]).unwrap().to_string()
    );
}

/// A view of clicks, rows given as (record time, click time, user, value).
fn clicks() -> Vec<Source> {
    vec![source(
        "clicks",
        "user",
        "at",
        &[
            ("at", time_type(), false),
            ("clicked", time_type(), true),
            ("user", DataType::Utf8, true),
            ("item", DataType::Utf8, true),
            ("value", DataType::Float64, true),
        ],
    )]
}

type Click<'a> = (i64, Option<i64>, Option<&'a str>, Option<&'a str>, Option<f64>);

fn click_rows(clicks_of: &[Click]) -> Vec<(usize, RecordBatch)> {
    let time = |values: Vec<Option<i64>>| -> ArrayRef {
        Arc::new(TimestampMillisecondArray::from(values).with_timezone("+00:00"))
    };
    let columns: Vec<ArrayRef> = vec![
        time(clicks_of.iter().map(|c| Some(c.0 * 1_000)).collect()),
        time(clicks_of.iter().map(|c| c.1.map(|s| s * 1_000)).collect()),
        Arc::new(clicks_of.iter().map(|c| c.2).collect::<StringArray>()),
        Arc::new(clicks_of.iter().map(|c| c.3).collect::<StringArray>()),
        Arc::new(clicks_of.iter().map(|c| c.4).collect::<Float64Array>()),
    ];
    single(0, &RecordBatch::try_new(clicks()[0].schema.clone(), columns).unwrap())
}

#[test]
fn rows_that_cannot_be_placed_are_rejected_and_cost_no_other() {
    let sql = "SELECT user, COUNT(*) OVER w AS clicks FROM clicks
        WINDOW w AS (PARTITION BY user ORDER BY clicked RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW)";
    let plan = plan(sql, &clicks(), 0);
    let rows = click_rows(&[
        (10, Some(10), Some("a"), None, None),
        (11, Some(11), None, None, None),
        (12, None, Some("a"), None, None),
        (13, Some(14), Some("a"), None, None),
        (15, Some(15), Some("a"), None, None),
        (16, Some(-9_200_000_000_000_000), Some("a"), None, None),
    ]);
    let mut run = Run::new(&plan, 1);
    run.take(&rows, 6, Phase::Live);
    let reasons: Vec<&str> = run.rejected.iter().map(|(reason, _)| *reason).collect();
    assert_eq!(reasons, ["null_key", "null_time", "order_time_ahead", "time_out_of_range"]);
    assert_eq!(run.rejected[2].1, "clicked lies after the record time");
    assert_eq!(
        run.table(),
        "\
+------+--------+
| user | clicks |
+------+--------+
| a    | 1      |
| a    | 2      |
+------+--------+"
    );
}

#[test]
fn a_row_whose_expression_fails_is_rejected_alone() {
    let sql = "SELECT user, CAST(item AS BIGINT) AS n, COUNT(*) OVER w AS clicks FROM clicks
        WINDOW w AS (PARTITION BY user ORDER BY at RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW)";
    let plan = plan(sql, &clicks(), 0);
    let items = ["1", "two", "3"];
    let rows: Vec<Click> =
        (0..3).map(|i| (i, Some(i), Some("a"), Some(items[usize::try_from(i).unwrap()]), None)).collect();
    let mut run = Run::new(&plan, 1);
    run.take(&click_rows(&rows), 3, Phase::Live);
    assert_eq!(run.rejected.len(), 1);
    let detail = "n: Cannot cast string 'two' to value of Int64 type";
    assert_eq!(run.rejected[0], ("expression", detail.to_owned()));
    assert_eq!(run.rows().num_rows(), 2);
    assert_eq!(run.filtered, 0);
}

#[test]
fn a_late_row_is_emitted_with_a_mark_and_counts_for_no_other() {
    let sql = "SELECT user, clicked, COUNT(*) OVER w AS clicks FROM clicks
        WINDOW w AS (PARTITION BY user ORDER BY clicked RANGE BETWEEN INTERVAL '10' SECOND PRECEDING AND CURRENT ROW)";
    let plan = plan(sql, &clicks(), 5_000);
    let at = |record: i64, click: i64| -> Click { (record, Some(click), Some("a"), None, None) };
    // At record time 100 rows from 85 on count; 84 comes too late, 85 just in time.
    let mut run = Run::new(&plan, 1);
    run.take(&click_rows(&[at(100, 90), at(100, 84), at(100, 85), at(100, 94)]), 2, Phase::Live);
    assert_eq!(run.late, [false, true, false, false]);
    let counts: Vec<i64> = run
        .rows()
        .column_by_name("clicks")
        .unwrap()
        .as_primitive::<arrow::datatypes::Int64Type>()
        .values()
        .to_vec();
    assert_eq!(counts, [1, 1, 1, 3]);
}

#[test]
fn the_store_shows_mixed_features_at_the_greatest_row_whatever_the_batches() {
    let sql = "SELECT user, at, value, AVG(value) OVER w AS mean, value / AVG(value) OVER w AS against FROM clicks
        WINDOW w AS (PARTITION BY user ORDER BY clicked RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW)";
    let plan = plan(sql, &clicks(), 0);
    // The last row comes late in order: the greatest row stays the second one, its mean counts all three.
    let rows = click_rows(&[
        (10, Some(10), Some("a"), None, Some(1.0)),
        (30, Some(30), Some("a"), None, Some(6.0)),
        (31, Some(20), Some("a"), None, Some(2.0)),
    ]);
    for cut in [1, 3] {
        let mut run = Run::new(&plan, 1);
        run.take(&rows, cut, Phase::Live);
        let expected = ["mean=3.0", "against=2.0", "_time=30000"].map(str::to_owned).to_vec();
        assert_eq!(run.store.get("millrace:app:view:user:a"), Some(&expected), "in batches of {cut}");
    }
}

#[test]
fn null_keys_of_a_later_stage_are_one_group_and_are_not_stored() {
    let sql = "SELECT user, item, COUNT(*) OVER w AS seen FROM clicks
        WINDOW w AS (PARTITION BY item ORDER BY at RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW)";
    let plan = plan(sql, &clicks(), 0);
    assert_eq!(plan.stages.len(), 2);
    let at = |i: i64, item| -> Click { (i, Some(i), Some(if i % 2 == 0 { "a" } else { "b" }), item, None) };
    let mut run = Run::new(&plan, 3);
    run.take(&click_rows(&[at(1, None), at(2, Some("x")), at(3, None), at(4, None)]), 1, Phase::Live);
    assert_eq!(
        run.table(),
        "\
+------+------+------+
| user | item | seen |
+------+------+------+
| b    |      | 1    |
| a    | x    | 1    |
| b    |      | 2    |
| a    |      | 3    |
+------+------+------+"
    );
    assert_eq!(run.store.keys().collect::<Vec<_>>(), ["millrace:app:view:item:x"]);
}

#[test]
fn windows_over_windows_and_rows_frames_survive_a_rebuild() {
    let sql = "WITH counted AS (
            SELECT *, COUNT(*) OVER (PARTITION BY user ORDER BY at ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS n,
                   SUM(value) OVER (PARTITION BY user ORDER BY at RANGE BETWEEN INTERVAL '20' SECOND PRECEDING AND CURRENT ROW) AS s
            FROM clicks)
        SELECT user, at, n, MAX(s) OVER (PARTITION BY user ORDER BY at RANGE BETWEEN INTERVAL '30' SECOND PRECEDING AND CURRENT ROW) AS peak
        FROM counted";
    let plan = plan(sql, &clicks(), 0);
    let mut random = Random::of(5);
    let rows: Vec<Click> = (0..300)
        .map(|i| {
            (
                i * 3,
                None,
                Some(["a", "b", "c"][random.below(3)]),
                None,
                Some(f64::from(u32::try_from(random.below(100)).unwrap())),
            )
        })
        .collect();
    let rows = click_rows(&rows);
    let mut whole = Run::new(&plan, 1);
    whole.take(&rows, 7, Phase::Live);
    let mut torn = Run::new(&plan, 1);
    torn.take(&rows[..200], 7, Phase::Live);
    torn.restart(Phase::Rebuild);
    torn.take(&rows[200..], 7, Phase::Live);
    assert_eq!(whole.table(), torn.table());
    assert_eq!(whole.store, torn.store);
}

#[test]
fn a_view_without_windows_holds_no_state() {
    let plan = plan("SELECT user, value * 2 AS twice FROM clicks WHERE value > 1", &clicks(), 0);
    let rows = click_rows(&[(1, None, Some("a"), None, Some(1.0)), (2, None, Some("a"), None, Some(1.5))]);
    let mut run = Run::new(&plan, 1);
    run.take(&rows, 2, Phase::Live);
    assert_eq!((run.rows().num_rows(), run.filtered), (1, 1));
    assert_eq!(run.progress(), vec![Progress { task_time_ms: Some(2_000), rebuild_from: vec![None] }]);
    assert_eq!(run.stages[0][0].task.state_size(), (0, 0));
}

#[test]
fn an_expression_that_fails_for_every_row_stops_nothing() {
    let sql = "SELECT user, 1 / (CAST(value AS BIGINT) - CAST(value AS BIGINT)) AS n FROM clicks";
    let plan = plan(sql, &clicks(), 0);
    let mut run = Run::new(&plan, 1);
    run.take(
        &click_rows(&[(1, None, Some("a"), None, Some(1.0)), (2, None, None, None, None)]),
        2,
        Phase::Live,
    );
    let reasons: Vec<&str> = run.rejected.iter().map(|(reason, _)| *reason).collect();
    assert_eq!(reasons, ["expression", "null_key"], "in the order of the rows");
}
