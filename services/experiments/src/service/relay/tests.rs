//! Outcomes told window by window, and by a task that is rebuilt in between.

use std::sync::Arc;

use millrace_runtime::task::{Input, Origin, Phase, RowMeta, Taken};

use super::*;
use crate::service::counted::outcomes_from_bytes;
use crate::service::note::decode;

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
    let topic: Arc<str> = "feedback".into();
    let meta = |(offset, time_ms, _): &(i64, i64, Option<&str>)| RowMeta {
        offset: *offset,
        time_ms: *time_ms,
        origin: Origin { topic: topic.clone(), partition: 0, offset: *offset },
        traceparent: None,
        late: false,
    };
    Batch {
        inputs: vec![Input {
            rows: ClickFeedback::to_batch(&events).unwrap(),
            meta: rows.iter().map(meta).collect(),
        }],
        order: (0..rows.len() as u32).map(|row| Taken { input: 0, row }).collect(),
        phase,
    }
}

/// What is told: per record the window's end, the users, and whether it is the window's last.
fn told(task: &mut Outcomes, rows: Rows<'_>, phase: Phase) -> Vec<(i64, Vec<String>, bool)> {
    let mut effects = Effects::default();
    task.apply(&batch(rows, phase), &mut effects).unwrap();
    let mut all = Vec::new();
    for output in effects.outputs {
        for row in 0..output.rows.num_rows() {
            let (note, body) = decode::<Note>(&output.rows, row).unwrap();
            let Note::Outcomes { end_ms, all: last, .. } = note else { panic!("{note:?}") };
            let users = outcomes_from_bytes(&body).unwrap().into_iter().map(|won| won.user).collect();
            all.push((end_ms, users, last));
        }
    }
    all
}

fn task() -> Outcomes {
    Outcomes::new("rankings", 0, Windows::new(10, 0))
}

#[test]
fn windows_without_outcomes_are_told_too() {
    let rows = [(0, 5, Some("a")), (1, 35, None)];
    let expected = [(10, vec!["a".to_owned()], true), (20, vec![], true), (30, vec![], true)];
    assert_eq!(told(&mut task(), &rows, Phase::Live), expected);
}

#[test]
fn a_task_that_is_rebuilt_tells_what_was_open() {
    let rows = [(0, 5, Some("a")), (1, 12, None), (2, 8, Some("b")), (3, 13, None)];
    let mut first = task();
    assert_eq!(told(&mut first, &rows, Phase::Live), [(10, vec!["a".to_owned()], true)]);
    let committed = first.progress();
    assert_eq!(committed.rebuild_from, [Some(2)]);
    let mut second = task();
    second.restore(&committed);
    assert_eq!(told(&mut second, &rows[2..], Phase::Rebuild), []);
    second.restore(&committed);
    assert_eq!(told(&mut second, &[(4, 25, None)], Phase::Live), [(20, vec!["b".to_owned()], true)]);
}
