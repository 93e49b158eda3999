//! Outcomes told window by window, and by a task that is rebuilt in between.

use std::sync::Arc;

use arrow::array::{Array as _, AsArray as _};
use millrace_runtime::task::{Input, Origin, Phase, RowMeta, Taken};
use millrace_topics::ExperimentDefinition;

use super::*;
use crate::service::counted::outcomes_from_bytes;
use crate::service::judge::tests::definition;
use crate::service::note::{Assembler, encode};

/// Per row the offset, the record time, and the user whose list ended with it; a click where there is none.
type Rows<'a> = &'a [(i64, i64, Option<&'a str>)];

fn feedback(time_ms: i64, user: Option<&str>) -> ClickFeedback {
    ClickFeedback {
        id: String::new(),
        time_ms,
        kind: if user.is_some() { FeedbackKind::Outcome } else { FeedbackKind::Click },
        request: "r".into(),
        unit: user.unwrap_or("somebody").into(),
        deployment: 1,
        arm: "interleave".into(),
        method: "team_draft".into(),
        rankers: vec!["m/1".into(), "m/2".into()],
        credit: vec![0.0, 1.0],
        verdict: String::new(),
        click: None,
        item: None,
        position: None,
        team: None,
        delay: None,
        list_time_ms: 0,
        counts: Default::default(),
    }
}

fn batch(rows: Rows<'_>, phase: Phase) -> Batch {
    let events: Vec<ClickFeedback> =
        rows.iter().map(|(_, time_ms, user)| feedback(*time_ms, *user)).collect();
    let feedback = Input {
        rows: ClickFeedback::to_batch(&events).unwrap(),
        meta: rows.iter().map(|(offset, time_ms, _)| meta(*offset, *time_ms)).collect(),
    };
    let none = Input { rows: encode::<Order>(&[]).unwrap().0, meta: Vec::new() };
    let order = (0..rows.len() as u32).map(|row| Taken { input: 1, row }).collect();
    Batch { inputs: vec![none, feedback], order, phase }
}

fn meta(offset: i64, time_ms: i64) -> RowMeta {
    let origin = Origin { topic: Arc::from("t"), partition: 0, offset };
    RowMeta { offset, time_ms, origin, traceparent: None, late: false }
}

/// An order at an offset.
fn ordered(task: &mut Outcomes, offset: i64, order: Order, phase: Phase) {
    let orders = Input { rows: encode(&[Message::of(0, order)]).unwrap().0, meta: vec![meta(offset, 0)] };
    let none = Input { rows: ClickFeedback::to_batch(&[]).unwrap(), meta: Vec::new() };
    let order = vec![Taken { input: 0, row: 0 }];
    let mut effects = Effects::default();
    task.apply(&Batch { inputs: vec![orders, none], order, phase }, &mut effects).unwrap();
    assert!(effects.outputs.is_empty());
}

fn start() -> Order {
    let definition = definition(ExperimentKind::Interleave, &[("a", 0.0), ("b", 0.0)]);
    let definition = Box::new(ExperimentDefinition { topic: "rankings".into(), ..definition });
    Order::Start { run: "r".into(), definition }
}

/// What is told: per record the window's end, the users, and whether it is the window's last.
fn told(task: &mut Outcomes, rows: Rows<'_>, phase: Phase) -> Vec<(i64, Vec<String>)> {
    let mut effects = Effects::default();
    task.apply(&batch(rows, phase), &mut effects).unwrap();
    let mut assembler = Assembler::<Note>::default();
    let mut all = Vec::new();
    for output in effects.outputs {
        for row in 0..output.rows.num_rows() {
            let Some((message, _)) = assembler.take(&output.rows, row, 0).unwrap() else { continue };
            let Note::Outcomes { end_ms, .. } = message.head else { panic!("{:?}", message.head) };
            let users = outcomes_from_bytes(&message.body).unwrap().into_iter().map(|won| won.user);
            all.push((end_ms, users.collect()));
        }
    }
    all
}

/// With a run since offset 3 of the orders.
fn task() -> Outcomes {
    let mut task = Outcomes::new("rankings", 0, Windows::new(10, 0));
    ordered(&mut task, 3, start(), Phase::Live);
    task
}

#[test]
fn windows_without_outcomes_are_told_too() {
    let rows = [(0, 5, Some("a")), (1, 35, None)];
    let expected = [(10, vec!["a".to_owned()]), (20, vec![]), (30, vec![])];
    assert_eq!(told(&mut task(), &rows, Phase::Live), expected);
}

#[test]
fn a_task_that_is_rebuilt_tells_what_was_open() {
    let rows = [(0, 5, Some("a")), (1, 12, None), (2, 8, Some("b")), (3, 13, None)];
    let mut first = task();
    assert_eq!(told(&mut first, &rows, Phase::Live), [(10, vec!["a".to_owned()])]);
    let committed = first.progress();
    assert_eq!(committed.rebuild_from, [Some(3), Some(2)]);
    let mut second = Outcomes::new("rankings", 0, Windows::new(10, 0));
    second.restore(&committed);
    ordered(&mut second, 3, start(), Phase::Rebuild);
    assert_eq!(told(&mut second, &rows[2..], Phase::Rebuild), []);
    second.restore(&committed);
    assert_eq!(told(&mut second, &[(4, 25, None)], Phase::Live), [(20, vec!["b".to_owned()])]);
}

#[test]
fn nothing_is_told_where_no_experiment_hangs_on_it() {
    let mut task = Outcomes::new("rankings", 0, Windows::new(10, 0));
    assert_eq!(told(&mut task, &[(0, 5, Some("a")), (1, 25, Some("b"))], Phase::Live), []);
    assert_eq!((task.state_size(), task.progress().rebuild_from), ((0, 0), vec![None, None]));
    ordered(&mut task, 0, start(), Phase::Live);
    assert_eq!(
        told(&mut task, &[(2, 28, Some("c")), (3, 31, None)], Phase::Live),
        [(30, vec!["c".to_owned()])]
    );
    ordered(&mut task, 1, Order::End { run: "r".into() }, Phase::Live);
    assert_eq!(told(&mut task, &[(4, 45, Some("d")), (5, 55, None)], Phase::Live), []);
    assert_eq!(task.progress().rebuild_from, [None, None]);
}

#[test]
fn outcomes_of_users_with_long_names_are_more_than_a_record_holds_and_come_whole() {
    let names: Vec<String> = (0..9_000).map(|n| format!("{n:0>200}")).collect();
    let mut rows: Vec<(i64, i64, Option<&str>)> =
        names.iter().zip(0..).map(|(name, offset)| (offset, 5, Some(name.as_str()))).collect();
    rows.push((9_000, 15, None));
    let mut effects = Effects::default();
    let mut whole = task();
    whole.apply(&batch(&rows, Phase::Live), &mut effects).unwrap();
    let [output] = &effects.outputs[..] else { panic!("{} outputs", effects.outputs.len()) };
    let bodies = output.rows.column_by_name("body").unwrap();
    let longest = (0..bodies.len()).map(|row| bodies.as_binary::<i32>().value(row).len()).max();
    assert!(bodies.len() > 1 && longest < Some(1_000_000), "{} records, {longest:?}", bodies.len());
    assert_eq!(output.cause, vec![9_000; bodies.len()]);
    assert_eq!(told(&mut task(), &rows, Phase::Live), [(10, names)]);
}
