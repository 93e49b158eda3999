//! The fraud view, served and computed again: two stages, two sources, and errors planted in what was served.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, BooleanArray, Float64Array, RecordBatch, StringArray, TimestampMillisecondArray,
};
use arrow::compute::concat_batches;
use arrow::datatypes::{Float64Type, TimestampMillisecondType};
use millrace_features::{StageTask, plan_view};
use millrace_runtime::task::{Batch, Effects, Input, Origin, Output, Phase, RowMeta, Taken, Task};
use millrace_topics::{Application, DriftTable, Role, SkewTable};

use super::{Again, SkewCounts, SkewJoin, SkewPlan};
use crate::profile::{Bounds, ColumnPlan, Kind, Plan};
use crate::service::grid::Grid;
use crate::service::measures::Measures;
use crate::service::message::{decode, schema};
use crate::service::notes::{Place, RowNote};
use crate::service::observe::Observe;
use crate::service::stream::Stream;
use crate::window::WindowSpec;

const DAY: i64 = 86_400_000;
const START: i64 = 17_600 * DAY;
const DAYS: i64 = 50;
/// From this day on, an average is served doubled in one country.
const WRONG: i64 = 46;

fn app() -> Application {
    let topics = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../topics");
    let mut app = millrace_topics::load(&topics, "fraud").unwrap();
    app.topics.iter_mut().for_each(|topic| topic.kafka.partitions = 1);
    let schema = plan_view(&app, app.topic("features").unwrap()).unwrap().schema;
    for topic in app.topics.iter_mut().filter(|topic| topic.stem == "features") {
        topic.kafka.schema = Some(schema.clone());
    }
    app
}

fn plan(app: &Application, sample: f64) -> Arc<SkewPlan> {
    let Role::Drift(table) = &app.drift().unwrap().role else { panic!() };
    let table = DriftTable { skew: Some(SkewTable { sample, tolerated: 0.01 }), ..table.as_ref().clone() };
    let grid = Grid::of(WindowSpec::Tumbling { length_ms: DAY }, DAY / 2);
    Arc::new(SkewPlan::of(app, &table, grid).unwrap().unwrap())
}

/// Payments and their labels, as the columns of their topics.
fn sources(plan: &SkewPlan) -> Vec<RecordBatch> {
    let count = 1_500_i64;
    let at = |n: i64| START + n * (DAYS * DAY / count) / 1_000 * 1_000;
    let pick = |n: i64, salt: i64, of: i64| (n * 7_919 + salt * 104_729 + n * n % 1_013) % of;
    let time = |values: Vec<i64>| -> ArrayRef {
        Arc::new(TimestampMillisecondArray::from(values).with_timezone("+00:00"))
    };
    let text = |of: &dyn Fn(i64) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values((0..count).map(of)))
    };
    let column = |name: &str, labels: bool| -> ArrayRef {
        match name {
            "tx_id" => text(&|n| format!("t{n}")),
            "customer_id" => text(&|n| format!("c{}", pick(n, 1, 30))),
            "terminal_id" => text(&|n| format!("m{}", pick(n, 2, 20))),
            "country" => text(&|n| if pick(n, 1, 30) % 3 == 0 { "NE".into() } else { "SW".into() }),
            "tx_time" => time((0..count).map(at).collect()),
            "label_time" if labels => time((0..count).map(|n| at(n) + 6 * DAY).collect()),
            "amount" => {
                Arc::new(Float64Array::from_iter_values((0..count).map(|n| pick(n, 3, 9_999) as f64 / 100.0)))
            }
            "fraud" => Arc::new((0..count).map(|n| Some(pick(n, 4, 10) == 0)).collect::<BooleanArray>()),
            other => panic!("{other}"),
        }
    };
    let batch = |source: &millrace_features::sql::Source| {
        let fields = source.schema.fields().iter();
        let columns = fields.map(|field| column(field.name(), source.name == "labels")).collect();
        RecordBatch::try_new(source.schema.clone(), columns).unwrap()
    };
    plan.plan.sources.iter().map(batch).collect()
}

fn times(rows: &RecordBatch, name: &str) -> Vec<i64> {
    rows.column_by_name(name).unwrap().as_primitive::<TimestampMillisecondType>().values().to_vec()
}

/// Feeds logs to a task in the order of their record times, `cut` rows at once.
fn feed(task: &mut dyn Task, logs: &[(RecordBatch, Vec<i64>)], cut: usize, first: i64) -> Vec<Output> {
    let mut order: Vec<(i64, usize, usize)> = Vec::new();
    for (input, (_, times)) in logs.iter().enumerate() {
        order.extend(times.iter().enumerate().map(|(row, time)| (*time, input, row)));
    }
    // Rows of one log stay in its order.
    order.sort_by_key(|(time, input, _)| (*time, *input));
    let mut outputs = Vec::new();
    for chunk in order.chunks(cut) {
        let mut inputs = Vec::new();
        let mut begins = Vec::new();
        for (input, (rows, times)) in logs.iter().enumerate() {
            let own: Vec<usize> =
                chunk.iter().filter(|(_, of, _)| *of == input).map(|(_, _, row)| *row).collect();
            let begin = own.first().copied().unwrap_or(0);
            begins.push(begin);
            let meta = |row: &usize| {
                let offset = first + i64::try_from(*row).unwrap();
                let origin = Origin { topic: "t".into(), partition: 0, offset };
                RowMeta { offset, time_ms: times[*row], origin, traceparent: None, late: false }
            };
            inputs.push(Input { rows: rows.slice(begin, own.len()), meta: own.iter().map(meta).collect() });
        }
        let taken = |(_, input, row): &(i64, usize, usize)| Taken {
            input: u32::try_from(*input).unwrap(),
            row: u32::try_from(row - begins[*input]).unwrap(),
        };
        let batch = Batch { inputs, order: chunk.iter().map(taken).collect(), phase: Phase::Live };
        let mut effects = Effects::default();
        task.apply(&batch, &mut effects).unwrap();
        outputs.extend(effects.outputs);
    }
    outputs
}

fn rows_of(outputs: &[Output], topic: usize) -> RecordBatch {
    let rows: Vec<&RecordBatch> = outputs.iter().filter(|o| o.topic == topic).map(|o| &o.rows).collect();
    concat_batches(&rows[0].schema(), rows).unwrap()
}

/// Rows with their times.
type Timed = (RecordBatch, Vec<i64>);

/// What the view's own stages make of the sources: rows between them, and the served ones.
fn serve(plan: &SkewPlan) -> (Vec<Timed>, Timed, RecordBatch) {
    let sources: Vec<_> = plan
        .plan
        .sources
        .iter()
        .zip(sources(plan))
        .map(|(source, rows)| (rows.clone(), times(&rows, &source.time)))
        .collect();
    let mut first = StageTask::new(&plan.plan, 0, 0, "").unwrap();
    let between = rows_of(&feed(&mut first, &sources, 100, 0), 0);
    let between = (between.clone(), times(&between, "_time"));
    let mut second = StageTask::new(&plan.plan, 1, 0, "").unwrap();
    let served = rows_of(&feed(&mut second, std::slice::from_ref(&between), 64, 0), 0);
    (sources, between, served)
}

/// Doubles a column from a day on, in one country; how many rows.
fn plant(served: &RecordBatch, name: &str) -> (RecordBatch, usize) {
    let countries = served.column_by_name("country").unwrap().as_string::<i32>();
    let wrong: Vec<bool> = times(served, "tx_time")
        .iter()
        .zip(countries)
        .map(|(time, country)| *time >= START + WRONG * DAY && country == Some("NE"))
        .collect();
    let column = served.schema().index_of(name).unwrap();
    let values = served.column(column).as_primitive::<Float64Type>().values().iter().zip(&wrong);
    let values = values.map(|(value, wrong)| if *wrong { value * 2.0 } else { *value });
    let mut columns = served.columns().to_vec();
    columns[column] = Arc::new(Float64Array::from_iter_values(values));
    let rows = RecordBatch::try_new(served.schema(), columns).unwrap();
    (rows, wrong.iter().filter(|wrong| **wrong).count())
}

fn watched() -> Arc<Stream> {
    let columns = vec![ColumnPlan::new("amount", Kind::Numeric)];
    let topic =
        millrace_topics::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../topics"), "fraud").unwrap();
    let kafka = topic.topic("features").unwrap().kafka.clone();
    let input = millrace_runtime::service::InputTopic { topic: kafka, time: "tx_time".into(), source: None };
    Arc::new(Stream {
        stem: "features".into(),
        input,
        plan: Arc::new(Plan::new(columns, Bounds::of_columns(1), Vec::new())),
        windows: WindowSpec::Tumbling { length_ms: DAY },
        lateness_ms: DAY / 2,
        id: "tx_id".into(),
        predictions: None,
    })
}

/// What is told to the join: by those that watch the served topic, and by the stages that run again. `first`: the offset
/// at which the logs begin.
fn told(plan: &Arc<SkewPlan>, planted: Option<&str>, cut: usize, first: i64) -> (Vec<RecordBatch>, usize) {
    told_of(plan, cut, first, |served| planted.map_or((served.clone(), 0), |name| plant(served, name)))
}

/// With the served rows that `change` makes of them, and how many are wrong.
fn told_of(
    plan: &Arc<SkewPlan>,
    cut: usize,
    first: i64,
    change: impl Fn(&RecordBatch) -> (RecordBatch, usize),
) -> (Vec<RecordBatch>, usize) {
    let (sources, between, served) = serve(plan);
    let (served, wrong) = change(&served);
    let served_times = times(&served, "tx_time");
    let measures = Arc::new(Measures::new("test"));
    let mut observe = Observe::new(watched(), 0, None, measures).compared(Some(plan.clone()));
    let mut logs = vec![rows_of(&feed(&mut observe, &[(served, served_times)], cut, 0), 1)];
    for check in 0..plan.checks.len() {
        let mut again = Again::new(plan.clone(), check, 0).unwrap();
        let inputs = if check == 0 { sources.as_slice() } else { std::slice::from_ref(&between) };
        logs.push(rows_of(&feed(&mut again, inputs, cut, first), 0));
    }
    (logs, wrong)
}

/// The logs as one, by turns of so many records.
fn mix(logs: &[RecordBatch], turn: usize) -> RecordBatch {
    let mut parts = Vec::new();
    let mut at = 0;
    while logs.iter().any(|log| at < log.num_rows()) {
        parts.extend(
            logs.iter()
                .filter(|log| at < log.num_rows())
                .map(|log| log.slice(at, turn.min(log.num_rows() - at))),
        );
        at += turn;
    }
    concat_batches(&schema(), &parts).unwrap()
}

fn join(plan: &Arc<SkewPlan>) -> SkewJoin {
    SkewJoin::new(plan.clone(), std::iter::once(Place { topic: "features".into(), partition: 0 }))
}

/// What differs by day; the task is built anew before the record `restart`.
fn compare(
    plan: &Arc<SkewPlan>,
    log: &RecordBatch,
    cut: usize,
    restart: Option<usize>,
) -> BTreeMap<i64, SkewCounts> {
    let mut task = join(plan);
    let mut told = BTreeMap::new();
    let mut at = 0;
    while at < log.num_rows() {
        let bound = restart.filter(|restart| *restart > at).unwrap_or(usize::MAX);
        let end = log.num_rows().min(at + cut).min(bound);
        let part = |from: usize, to: usize| (log.slice(from, to - from), vec![0; to - from]);
        for output in feed(&mut task, &[part(at, end)], usize::MAX, i64::try_from(at).unwrap()) {
            for message in decode::<RowNote>(&output.rows).unwrap() {
                if let RowNote::Skew { window } = message.head {
                    let counts = serde_json::from_slice(&message.body).unwrap();
                    assert!(told.insert((window.start_ms - START) / DAY, counts).is_none(), "told twice");
                }
            }
        }
        at = end;
        if restart == Some(at) {
            let committed = task.progress();
            let from = committed.rebuild_from[0].map_or(at, |from| usize::try_from(from).unwrap());
            task = join(plan);
            task.restore(&committed);
            feed(&mut task, &[part(from, at)], 50, i64::try_from(from).unwrap());
            task.restore(&committed);
        }
    }
    told
}

fn mismatches(counts: &BTreeMap<i64, SkewCounts>, name: &str) -> Vec<(i64, u64)> {
    let of =
        |(day, counts): (&i64, &SkewCounts)| (*day, counts.columns.get(name).map_or(0, |c| c.mismatches));
    counts.iter().map(of).filter(|(_, mismatches)| *mismatches > 0).collect()
}

#[test]
fn a_plan_knows_which_stage_decides_which_column() {
    let plan = plan(&app(), 1.0);
    let decided: Vec<(&str, Vec<&str>)> = plan
        .checks
        .iter()
        .map(|check| {
            let names = check.columns.iter().map(|(name, _)| name.as_str());
            (check.decided.key.as_str(), names.filter(|name| !name.contains("_tx_")).collect())
        })
        .collect();
    let customer = [
        "customer_id",
        "terminal_id",
        "country",
        "amount",
        "weekend",
        "night",
        "customer_avg_1d",
        "customer_avg_7d",
        "customer_avg_30d",
    ];
    let terminal = ["terminal_risk_1d", "terminal_risk_7d", "terminal_risk_30d"];
    assert_eq!(decided, [("customer_id", customer.to_vec()), ("terminal_id", terminal.to_vec())]);
    let mut sources = plan.checks[0].stage.inputs.iter().map(|input| input.source.unwrap());
    assert!(sources.all(|checks| !checks.dead_letters), "the view has written what it refused");
}

#[test]
fn what_was_served_right_is_computed_again_bit_for_bit() {
    let plan = plan(&app(), 1.0);
    let (logs, _) = told(&plan, None, 41, 0);
    let counts = compare(&plan, &mix(&logs, 30), 77, None);
    assert!(counts.len() as i64 >= DAYS - 2, "{:?}", counts.keys());
    for (day, counts) in &counts {
        assert!(counts.columns.len() == 18, "day {day}: {:?}", counts.columns.keys());
        for (name, column) in &counts.columns {
            assert!(column.rows >= 29 && column.mismatches == 0, "day {day}: {name}: {column:?}");
        }
        for (key, rows) in &counts.rows {
            assert_eq!((rows.only_served, rows.only_recomputed), (0, 0), "day {day}: {key}");
        }
    }
}

#[test]
fn a_column_computed_wrongly_in_serving_is_named_whatever_the_batches_and_restarts() {
    for (sample, column) in [(1.0, "customer_avg_7d"), (0.5, "customer_avg_30d"), (1.0, "terminal_risk_30d")]
    {
        let plan = plan(&app(), sample);
        let (logs, wrong) = told(&plan, Some(column), 41, 0);
        let log = mix(&logs, 30);
        let expected = compare(&plan, &log, 77, None);
        let found = mismatches(&expected, column);
        let first = found.first().unwrap().0;
        assert!((WRONG..WRONG + 2).contains(&first), "{column}: {found:?}");
        let total: u64 = found.iter().map(|(_, mismatches)| mismatches).sum();
        assert!(total > 0 && total <= wrong as u64, "{column}: {total} of {wrong}");
        let others = plan.checks.iter().flat_map(|check| &check.columns).filter(|(name, _)| name != column);
        for (name, _) in others {
            assert_eq!(mismatches(&expected, name), [], "{name}");
        }
        let largest = expected[&first].columns[column].largest().unwrap();
        assert!(largest > 0.0);
        for (turn, cut, restart) in
            [(1, 1, None), (500, 13, Some(1_000)), (30, 77, Some(100)), (7, 500, Some(2_222))]
        {
            let again = compare(&plan, &mix(&told(&plan, Some(column), cut, 0).0, turn), cut, restart);
            assert_eq!(again, expected, "turns of {turn}, batches of {cut}, restarted before {restart:?}");
        }
    }
}

#[test]
fn nothing_is_compared_before_the_log_holds_all_that_a_stage_needs() {
    let plan = plan(&app(), 1.0);
    let (logs, _) = told(&plan, Some("customer_avg_7d"), 41, 5);
    let counts = compare(&plan, &mix(&logs, 30), 77, Some(900));
    // Windows reach back 37 days (less a second), and rows may be 2 days late.
    let compared: Vec<i64> =
        counts.iter().filter(|(_, counts)| !counts.columns.is_empty()).map(|(day, _)| *day).collect();
    assert_eq!(compared.first(), Some(&39), "{compared:?}");
    assert!(!mismatches(&counts, "customer_avg_7d").is_empty());
}

/// The served rows that `keep` says, by number and day.
fn kept(served: &RecordBatch, keep: impl Fn(usize, f64) -> bool) -> (RecordBatch, usize) {
    let day = |time: i64| (time - START) as f64 / DAY as f64;
    let keep: BooleanArray =
        times(served, "tx_time").into_iter().enumerate().map(|(n, time)| Some(keep(n, day(time)))).collect();
    let left = arrow::compute::filter_record_batch(served, &keep).unwrap();
    let lost = served.num_rows() - left.num_rows();
    (left, lost)
}

fn not_served(counts: &BTreeMap<i64, SkewCounts>) -> BTreeMap<i64, u64> {
    let of = |counts: &SkewCounts| counts.rows.get("customer_id").map_or(0, |rows| rows.only_recomputed);
    counts.iter().map(|(day, counts)| (*day, of(counts))).filter(|(_, rows)| *rows > 0).collect()
}

#[test]
fn rows_that_were_not_served_are_counted_and_where_serving_begins_or_ends_they_are_not_missed() {
    let plan = plan(&app(), 1.0);
    // Serving began on day 30 and ended on day 48, both at noon: rows of the log before and after met nobody.
    let between = |_: usize, day: f64| (30.5..48.5).contains(&day);
    let (logs, lost) = told_of(&plan, 41, 0, |served| kept(served, between));
    let counts = compare(&plan, &mix(&logs, 30), 77, None);
    assert!(lost > 500 && not_served(&counts).is_empty(), "{:?}", not_served(&counts));
    // Every third row of one day is lost.
    let leaky = |n: usize, day: f64| !(40.0..41.0).contains(&day) || !n.is_multiple_of(3);
    let (logs, lost) = told_of(&plan, 41, 0, |served| kept(served, leaky));
    let counts = compare(&plan, &mix(&logs, 30), 77, Some(1_500));
    let found = not_served(&counts);
    assert!(
        found.keys().eq([&40]) && found[&40] + 2 >= lost as u64 && found[&40] <= lost as u64,
        "{found:?}, {lost}"
    );
}
