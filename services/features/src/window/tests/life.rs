//! How state comes, stays within its bounds, and goes; and what is refused.

use arrow::datatypes::DataType;
use proptest::prelude::*;

use super::columns::{take, values};
use super::reference::{Row, Value};
use crate::window::{Bounds, Error, Frame, Function, Spec, Windows};

const ALL: Bounds = Bounds::Range { start: None, end: 0 };

fn spec(frames: Vec<Frame>, argument: DataType, keep: Option<i64>) -> Spec {
    Spec { frames, arguments: vec![argument], keys: vec![DataType::Utf8], branches: 2, lanes: 2, keep }
}

fn frame(function: Function, argument: Option<usize>, bounds: Bounds) -> Frame {
    Frame { function, argument, filter: None, bounds }
}

fn row(key: &str, time: i64, value: Value) -> Row {
    Row {
        key: Some(key.to_owned()),
        time,
        record_time: time,
        lane: 0,
        branch: 0,
        offset: time,
        arguments: vec![Some(value)],
        filters: Vec::new(),
        wanted: true,
    }
}

fn float(key: &str, time: i64) -> Row {
    row(key, time, Value::Float(time as f64))
}

#[test]
fn rows_that_leave_give_their_memory_back_and_idle_keys_go() {
    let bounds = Bounds::Range { start: Some(100), end: 0 };
    let frames = vec![frame(Function::Avg, Some(0), bounds), frame(Function::Max, Some(0), bounds)];
    let spec = spec(frames, DataType::Float64, Some(100));
    let mut windows = Windows::new(spec.clone()).expect("a spec");
    let crowd: Vec<Row> =
        (0..5_000).map(|at| float(&format!("the customer number {}", at % 500), at / 50)).collect();
    take(&mut windows, &spec, &crowd, false);
    let (rows, bytes) = windows.state_size();
    assert_eq!((rows, windows.keys()), (5_000, 500));
    assert!(bytes > 5_000 * 24, "{bytes} bytes cannot hold 5,000 rows");
    // One key alone goes on: the others' last rows leave, and are found by looking at one key per row taken.
    let alone: Vec<Row> = (0..1_200).map(|at| float("alone", 1_000 + at)).collect();
    for call in alone.chunks(100) {
        take(&mut windows, &spec, call, false);
    }
    let (rows, left) = windows.state_size();
    assert_eq!((rows, windows.keys()), (101, 1));
    assert!(left * 10 < bytes, "{left} of {bytes} bytes are left for 1 of 501 keys");
}

#[test]
fn rows_of_an_idle_key_that_no_frame_can_reach_go_before_the_key() {
    let spec = spec(vec![frame(Function::Count, None, ALL)], DataType::Float64, Some(100));
    let mut windows = Windows::new(spec.clone()).expect("a spec");
    take(&mut windows, &spec, &[float("idle", 0), float("idle", 90), float("other", 150)], false);
    assert_eq!(windows.state_size().0, 2, "the row at 0 is older than 150 - 100");
    let taken = take(&mut windows, &spec, &[float("idle", 151)], false);
    assert_eq!(values(&taken.results[0]), [Some(Value::Int(2))]);
}

#[test]
fn rows_that_no_frame_aggregates_are_not_stored_unless_positions_count_them() {
    let never = Frame { filter: Some(0), ..frame(Function::Count, None, ALL) };
    let sum = frame(Function::Sum, Some(0), ALL);
    let empty = Row { arguments: vec![None], filters: vec![Some(false)], ..float("a", 1) };
    let store = |frames: Vec<Frame>| {
        let spec = spec(frames, DataType::Float64, None);
        let mut windows = Windows::new(spec.clone()).expect("a spec");
        take(&mut windows, &spec, std::slice::from_ref(&empty), false);
        windows.state_size().0
    };
    assert_eq!(store(vec![never.clone(), sum.clone()]), 0);
    let positions = Frame { bounds: Bounds::Rows { start: Some(3), end: 1 }, ..sum };
    assert_eq!(store(vec![never, positions]), 1);
}

#[test]
fn texts_are_stored_once_and_freed() {
    let spec = spec(vec![frame(Function::Max, Some(0), ALL)], DataType::Utf8, Some(10));
    let mut windows = Windows::new(spec.clone()).expect("a spec");
    let long = "x".repeat(10_000);
    let text = |time, text: &str| row("a", time, Value::Text(text.to_owned()));
    take(&mut windows, &spec, &(0..10).map(|time| text(time, &long)).collect::<Vec<_>>(), false);
    let held = windows.state_size().1;
    assert!((10_000..20_000).contains(&held), "{held} bytes for one text of 10,000");
    let taken = take(&mut windows, &spec, &[text(30, "short"), text(31, "")], false);
    assert_eq!(values(&taken.results[0]), vec![Some(Value::Text("short".to_owned())); 2]);
    assert!(windows.state_size().1 < 5_000);
}

#[test]
fn sums_that_became_wide_are_measured_and_become_narrow_again() {
    let bounds = Bounds::Range { start: Some(1), end: 0 };
    let spec = spec(vec![frame(Function::Sum, Some(0), bounds)], DataType::Float64, Some(5));
    let mut windows = Windows::new(spec.clone()).expect("a spec");
    let value = |time, value| row("a", time, Value::Float(value));
    take(&mut windows, &spec, &[value(0, 1.0), value(0, 1.0)], false);
    let narrow = windows.state_size().1;
    let taken = take(&mut windows, &spec, &[value(1, 1e300), value(2, f64::NAN)], false);
    assert_eq!(values(&taken.results[0])[0], Some(Value::Float(1e300)));
    assert!(windows.state_size().1 > narrow + 200);
    let taken = take(&mut windows, &spec, &[value(10, 0.5)], false);
    assert_eq!(values(&taken.results[0]), [Some(Value::Float(0.5))]);
    assert!(windows.state_size().1 < narrow + 200);
}

#[test]
fn a_late_row_sees_itself_and_changes_nothing() {
    let delayed = Bounds::Range { start: Some(200), end: 1 };
    let frames = vec![
        frame(Function::Avg, Some(0), ALL),
        frame(Function::Count, Some(0), delayed),
        frame(Function::Min, Some(0), Bounds::Rows { start: Some(2), end: 0 }),
    ];
    let spec = spec(frames, DataType::Float64, Some(100));
    let mut windows = Windows::new(spec.clone()).expect("a spec");
    let taken = take(&mut windows, &spec, &[float("a", 500), float("a", 399), float("b", 300)], true);
    assert_eq!(taken.late.values().iter().collect::<Vec<_>>(), [false, true, true]);
    let results: Vec<_> = taken.results.iter().map(|column| values(column)[1].clone()).collect();
    assert_eq!(results, [Some(Value::Float(399.0)), Some(Value::Int(0)), Some(Value::Float(399.0))]);
    let touched = taken.touched.expect("asked for");
    assert_eq!((touched.time, touched.last_row), (vec![500], vec![Some(0)]));
    assert_eq!((windows.keys(), windows.state_size().0), (1, 1));
}

#[test]
fn lanes_have_task_times_of_their_own_and_a_rebuilt_one_is_told_the_committed() {
    let spec = spec(vec![frame(Function::Count, None, ALL)], DataType::Float64, Some(100));
    let mut windows = Windows::new(spec.clone()).expect("a spec");
    let other = Row { lane: 1, ..float("b", 10) };
    let taken = take(&mut windows, &spec, &[float("a", 500), other.clone()], false);
    assert!(!taken.late.value(1));
    assert_eq!(
        (windows.task_time(0), windows.task_time(1), windows.task_time(2)),
        (Some(500), Some(10), None)
    );
    windows.advance(1, 200);
    windows.advance(1, 150);
    assert_eq!(windows.task_time(1), Some(200));
    assert!(take(&mut windows, &spec, &[other], false).late.value(0));
}

#[test]
fn a_partition_by_of_no_column_is_one_key() {
    let spec =
        Spec { keys: Vec::new(), ..spec(vec![frame(Function::Count, None, ALL)], DataType::Float64, None) };
    let mut windows = Windows::new(spec.clone()).expect("a spec");
    let taken = take(&mut windows, &spec, &[float("a", 1), float("b", 2)], true);
    assert_eq!(values(&taken.results[0]), [Some(Value::Int(1)), Some(Value::Int(2))]);
    assert_eq!(taken.touched.map(|touched| (touched.keys.len(), touched.time)), Some((0, vec![2])));
}

#[test]
fn what_is_not_supported_is_refused() {
    let refused = |frame: Frame, argument: DataType| Windows::new(spec(vec![frame], argument, None)).err();
    let sum = frame(Function::Sum, Some(0), ALL);
    assert!(matches!(refused(sum.clone(), DataType::Utf8), Some(Error::Function { .. })));
    let average = frame(Function::Avg, Some(0), ALL);
    assert!(matches!(refused(average, DataType::Int64), Some(Error::Function { .. })));
    assert!(matches!(refused(frame(Function::Max, None, ALL), DataType::Int64), Some(Error::Frame { .. })));
    assert!(matches!(
        refused(frame(Function::Sum, Some(1), ALL), DataType::Int64),
        Some(Error::Frame { .. })
    ));
    let ahead = Frame { bounds: Bounds::Range { start: None, end: -1 }, ..sum };
    assert!(matches!(refused(ahead, DataType::Int64), Some(Error::Frame { .. })));
    assert!(matches!(Windows::new(spec(Vec::new(), DataType::Int64, Some(-1))), Err(Error::Keep(-1))));
}

#[test]
fn a_call_with_unfit_columns_fails_and_takes_nothing() {
    let spec = spec(vec![frame(Function::Count, None, ALL)], DataType::Float64, None);
    let mut windows = Windows::new(spec.clone()).expect("a spec");
    let keys: [arrow::array::ArrayRef; 1] =
        [std::sync::Arc::new(arrow::array::StringArray::from(vec!["a", "b"]))];
    let arguments: [arrow::array::ArrayRef; 1] =
        [std::sync::Arc::new(arrow::array::Float64Array::from(vec![1.0, 2.0]))];
    let rows = crate::window::Rows {
        keys: &keys,
        time: &[1, 2],
        record_time: &[1, 2],
        lane: &[0, 0],
        branch: &[0, 2],
        offset: &[1, 2],
        arguments: &arguments,
        filters: &[],
        wanted: None,
        touched: false,
    };
    assert!(matches!(windows.take(&rows), Err(Error::Range { what: "branch", found: 2, bound: 2 })));
    let short = crate::window::Rows { branch: &[0], ..rows };
    assert!(matches!(windows.take(&short), Err(Error::Length { what: "branch", found: 1, expected: 2 })));
    assert_eq!((windows.keys(), windows.task_time(0)), (0, None));
}

proptest! {
    #[test]
    fn times_at_the_ends_of_their_range_panic_nowhere(
        times in prop::collection::vec(
            prop_oneof![Just(i64::MIN), Just(i64::MAX), Just(i64::MIN + 3), Just(i64::MAX - 3), -3i64..3],
            1..30,
        ),
        keep in prop::option::of(prop_oneof![Just(0), Just(i64::MAX), Just(5)]),
    ) {
        let frames = vec![
            frame(Function::Sum, Some(0), Bounds::Range { start: Some(i64::MAX), end: 0 }),
            frame(Function::Min, Some(0), Bounds::Range { start: Some(5), end: 4 }),
            frame(Function::Avg, Some(0), Bounds::Rows { start: Some(u64::MAX), end: 1 }),
            frame(Function::Count, Some(0), Bounds::Rows { start: None, end: u64::MAX }),
        ];
        let spec = spec(frames, DataType::Float64, keep);
        let mut windows = Windows::new(spec.clone()).expect("a spec");
        let rows: Vec<Row> = times.iter().map(|time| float("a", *time)).collect();
        let taken = take(&mut windows, &spec, &rows, true);
        prop_assert_eq!(taken.results[0].len(), rows.len());
    }
}
