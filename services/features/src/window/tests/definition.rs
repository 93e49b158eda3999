//! Random rows, frames and cuts: results equal the definition, bit for bit.

use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};
use proptest::prelude::*;
use proptest::sample::select;

use super::columns::{take, values};
use super::reference::{Reference, Row, Value};
use crate::window::{Bounds, Frame, Function, Spec, Windows};

/// Argument columns of every random case.
fn arguments() -> Vec<DataType> {
    vec![
        DataType::Float64,
        DataType::Int64,
        DataType::UInt64,
        DataType::Boolean,
        DataType::Utf8,
        DataType::Timestamp(TimeUnit::Millisecond, Some(Arc::from("UTC"))),
        DataType::Date32,
    ]
}

fn float() -> impl Strategy<Value = f64> {
    prop_oneof![
        6 => (-100_000i64..100_000).prop_map(|cents| cents as f64 / 100.0),
        1 => select(vec![f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY]),
        2 => select(vec![0.0, -0.0, 1e308, -1e308, f64::MAX, 1e-300, -1e-300, f64::from_bits(1), 0.1, 1e16, 3e-310]),
        1 => any::<u64>().prop_map(f64::from_bits),
    ]
}

/// One value of each argument column, or NULL.
fn row_values() -> impl Strategy<Value = Vec<Option<Value>>> {
    let maybe = |value: BoxedStrategy<Value>| prop::option::weighted(0.8, value);
    let extreme = || prop_oneof![3 => -50i64..50, 1 => select(vec![i64::MAX, i64::MIN])];
    (
        maybe(float().prop_map(Value::Float).boxed()),
        maybe(extreme().prop_map(Value::Int).boxed()),
        maybe(prop_oneof![0u64..50, Just(u64::MAX)].prop_map(Value::Unsigned).boxed()),
        maybe(any::<bool>().prop_map(Value::Bool).boxed()),
        maybe("[a-c]{0,2}".prop_map(Value::Text).boxed()),
        maybe(extreme().prop_map(Value::Int).boxed()),
        maybe((-50i64..50).prop_map(Value::Int).boxed()),
    )
        .prop_map(|(a, b, c, d, e, f, g)| vec![a, b, c, d, e, f, g])
}

fn bounds(rows: bool) -> BoxedStrategy<Bounds> {
    let distance = || prop_oneof![3 => 0i64..12, 1 => 0i64..60];
    let range = (prop::option::weighted(0.8, distance()), prop_oneof![2 => Just(0), 1 => 0i64..20])
        .prop_map(|(start, end)| Bounds::Range { start: start.map(|start| start + end), end });
    let empty = (0i64..9, 0i64..9).prop_map(|(start, end)| Bounds::Range { start: Some(start), end });
    let positions = (prop::option::weighted(0.8, 0u64..8), prop_oneof![2 => Just(0), 1 => 0u64..5])
        .prop_map(|(start, end)| Bounds::Rows { start, end });
    if rows {
        prop_oneof![3 => range, 1 => empty, 4 => positions].boxed()
    } else {
        prop_oneof![9 => range, 1 => empty].boxed()
    }
}

fn frame(rows: bool) -> impl Strategy<Value = Frame> {
    let what = prop_oneof![
        Just((Function::Count, None)),
        (0usize..7).prop_map(|argument| (Function::Count, Some(argument))),
        (0usize..3).prop_map(|argument| (Function::Sum, Some(argument))),
        Just((Function::Avg, Some(0))),
        (0usize..7).prop_map(|argument| (Function::Min, Some(argument))),
        (0usize..7).prop_map(|argument| (Function::Max, Some(argument))),
    ];
    (what, prop::option::weighted(0.4, 0usize..2), bounds(rows))
        .prop_map(|((function, argument), filter, bounds)| Frame { function, argument, filter, bounds })
}

/// How far rows may lie behind the ones before: none, a little, or anything.
#[derive(Debug, Clone, Copy)]
enum Disorder {
    None,
    Ties,
    Some(i64),
}

/// A row but for its key and offset, which depend on the others. `step` moves the stream's time.
#[derive(Debug, Clone)]
struct Draft {
    key: usize,
    step: i64,
    back: i64,
    branch: u32,
    arguments: Vec<Option<Value>>,
    filters: Vec<Option<bool>>,
    wanted: bool,
    shuffled: i64,
}

fn draft(branches: u32) -> impl Strategy<Value = Draft> {
    let filters = prop::collection::vec(prop::option::weighted(0.9, any::<bool>()), 2);
    let step = prop_oneof![4 => 0i64..4, 1 => 0i64..30];
    (0usize..4, step, 0i64..40, 0..branches, row_values(), filters, prop::bool::weighted(0.8), 0i64..1000)
        .prop_map(|(key, step, back, branch, arguments, filters, wanted, shuffled)| Draft {
            key,
            step,
            back,
            branch,
            arguments,
            filters,
            wanted,
            shuffled,
        })
}

#[derive(Debug, Clone)]
struct Case {
    spec: Spec,
    rows: Vec<Row>,
    cut: usize,
}

fn case() -> impl Strategy<Value = Case> {
    (1u32..4, any::<bool>()).prop_flat_map(|(branches, positions)| {
        let disorder =
            prop_oneof![Just(Disorder::None), Just(Disorder::Ties), (1i64..30).prop_map(Disorder::Some)];
        (
            prop::collection::vec(frame(positions), 1..5),
            prop::collection::vec(draft(branches), 1..70),
            disorder,
            prop::option::weighted(0.7, prop_oneof![0i64..20, 20i64..90]),
            (1u32..3, 1usize..3, any::<bool>(), any::<bool>(), any::<bool>()),
            select(vec![1usize, 2, 7]),
        )
            .prop_map(
                move |(frames, drafts, disorder, keep, (lanes, keys, all, lag, shuffle), cut)| {
                    let keys = [DataType::Utf8, DataType::Int64][..keys].to_vec();
                    let spec = Spec {
                        frames,
                        arguments: arguments(),
                        keys,
                        branches: branches as usize,
                        lanes: lanes as usize,
                        keep,
                    };
                    let rows = rows(drafts, disorder, lanes, (all, lag, shuffle));
                    Case { spec, rows, cut }
                },
            )
    })
}

/// Rows with the times of a stream: `lag` makes those of the last branches old but in order, as labels are.
fn rows(
    drafts: Vec<Draft>,
    disorder: Disorder,
    lanes: u32,
    (all, lag, shuffle): (bool, bool, bool),
) -> Vec<Row> {
    let names = [None, Some(""), Some("b"), Some("a long name that fits nowhere inline")];
    let mut now = 1_000;
    let draft_to_row = |(index, draft): (usize, Draft)| {
        now += draft.step;
        let behind = match disorder {
            Disorder::None => index as i64,
            Disorder::Ties => 0,
            Disorder::Some(most) => draft.back.min(most) - (draft.back % 3) * most / 3,
        };
        let time = match disorder {
            Disorder::None => now + index as i64,
            _ => now - behind.max(0),
        };
        let time = if lag && draft.branch > 0 { time - 25 } else { time };
        let record_time = if lag { time.max(now) } else { time + draft.back % 2 };
        Row {
            key: names[draft.key].map(str::to_owned),
            time,
            record_time,
            lane: draft.key as u32 % lanes,
            branch: draft.branch,
            offset: if shuffle { draft.shuffled * 100 + index as i64 } else { index as i64 },
            arguments: draft.arguments,
            filters: draft.filters,
            wanted: all || draft.wanted,
        }
    };
    drafts.into_iter().enumerate().map(draft_to_row).collect()
}

fn assert_same(found: &[Option<Value>], expected: &[Option<Value>], what: &str) -> Result<(), TestCaseError> {
    prop_assert_eq!(found.len(), expected.len(), "{}", what);
    for (frame, (found, expected)) in found.iter().zip(expected).enumerate() {
        let same = match (found, expected) {
            (Some(found), Some(expected)) => found.same(expected),
            (found, expected) => found.is_none() && expected.is_none(),
        };
        prop_assert!(same, "{}, frame {}: {:?}, but by definition {:?}", what, frame, found, expected);
    }
    Ok(())
}

/// Result columns as one list per row.
fn by_row(columns: &[arrow::array::ArrayRef], rows: usize) -> Vec<Vec<Option<Value>>> {
    let columns: Vec<_> = columns.iter().map(values).collect();
    (0..rows).map(|row| columns.iter().map(|column| column[row].clone()).collect()).collect()
}

/// Takes the case's rows in calls of `cut` and compares everything with the definition.
fn compare(case: &Case, cut: usize) -> Result<(), TestCaseError> {
    let mut windows = Windows::new(case.spec.clone()).expect("a supported spec");
    for (call, rows) in case.rows.chunks(cut).enumerate() {
        let first = call * cut;
        let taken = take(&mut windows, &case.spec, rows, true);
        let reference =
            |upto| Reference { frames: &case.spec.frames, keep: case.spec.keep, rows: &case.rows[..upto] };
        let all = reference(first + rows.len());
        for (row, results) in by_row(&taken.results, rows.len()).iter().enumerate() {
            let index = first + row;
            prop_assert_eq!(taken.late.value(row), all.is_late(index), "row {} late", index);
            let expected = if rows[row].wanted { all.results(index) } else { vec![None; results.len()] };
            assert_same(results, &expected, &format!("row {index}"))?;
        }
        let touched = taken.touched.expect("asked for");
        let counted = (first..first + rows.len()).filter(|index| !all.is_late(*index) && all.shows(*index));
        let mut keys: Vec<(Option<String>, u32, usize)> = Vec::new();
        for index in counted {
            let (key, lane) = (case.rows[index].key.clone(), case.rows[index].lane);
            match keys.iter_mut().find(|(other, at, _)| (other, *at) == (&key, lane)) {
                Some(known) => known.2 = index,
                None => keys.push((key, lane, index)),
            }
        }
        prop_assert_eq!(touched.time.len(), keys.len());
        let names = values(&touched.keys[0]);
        let results = by_row(&touched.results, keys.len());
        for (at, (key, _, last)) in keys.iter().enumerate() {
            prop_assert_eq!(&names[at], &key.clone().map(Value::Text));
            let (time, expected) = all.key_results(*last);
            prop_assert_eq!(touched.time[at], time);
            assert_same(
                &results[at],
                &expected,
                &format!("key {key:?} after row {}", first + rows.len() - 1),
            )?;
            let greatest = all.last_row(*last).and_then(|row| row.checked_sub(first));
            prop_assert_eq!(touched.last_row[at], greatest.map(|row| row as u32));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, max_shrink_iters: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn results_are_those_of_the_definition_however_calls_are_cut(case in case()) {
        compare(&case, case.cut)?;
        compare(&case, case.rows.len())?;
    }
}
