#![allow(clippy::unwrap_used)]

use std::sync::Mutex;

use millrace_runtime::task::{Input, Origin, Phase, RowMeta, Taken};
use millrace_topics::TaskKind;

use super::*;
use crate::service::message::encode;

const DAY: i64 = 86_400_000;

fn maker() -> Maker {
    Maker { model: "m".into(), version: "1".into(), arm: "champion".into(), serving: true }
}

fn span(day: i64) -> Span {
    Span { end_ms: (day + 1) * DAY, start_ms: day * DAY, number: 0 }
}

fn message(head: OutcomeNote, body: Vec<u8>) -> Message<OutcomeNote> {
    Message { key: None, time_ms: 0, head, body }
}

fn outcomes(day: i64, as_of: i64) -> Message<OutcomeNote> {
    let head = OutcomeNote::Outcomes {
        partition: 0,
        window: span(day),
        as_of_ms: as_of * DAY,
        maker: maker(),
        segment: WHOLE.to_owned(),
    };
    message(head, Content::new(TaskKind::Binary).to_bytes())
}

fn detected(as_of: i64, signals: u32) -> Message<OutcomeNote> {
    let (maker, detector) = (maker(), "errors".to_owned());
    message(
        OutcomeNote::Detected { partition: 0, as_of_ms: as_of * DAY, maker, detector, signals },
        Vec::new(),
    )
}

fn progress(day: i64) -> Message<OutcomeNote> {
    message(OutcomeNote::Progress { partition: 0, time_ms: day * DAY }, Vec::new())
}

/// The windows that are judged as they end, with what detectors signalled.
fn judged(log: &[Message<OutcomeNote>]) -> Vec<(i64, u32)> {
    let told = Arc::new(Mutex::new(Vec::new()));
    let seen = told.clone();
    let join = JoinPlan {
        sources: Vec::new(),
        task: TaskKind::Binary,
        length_ms: DAY,
        step_ms: DAY,
        horizon_ms: 20 * DAY,
        settled_ms: 7 * DAY,
        negative_after_ms: None,
        segments: Vec::new(),
        list: None,
        threshold: None,
    };
    let judge: JudgeOutcomes = Arc::new(move |known| {
        if known.ends_now {
            seen.lock().unwrap().push((known.window.start_ms / DAY, known.signals.values().sum()));
        }
        Ok(Said::default())
    });
    let plan = OutcomesPlan { topic: "predictions".into(), partitions: 1, join: Arc::new(join), judge };
    let mut task = OutcomesJudge::new(plan);
    let (rows, _) = encode(log).unwrap();
    let meta = (0..).take(rows.num_rows()).map(|offset| {
        let origin = Origin { topic: "outcomes".into(), partition: 0, offset };
        RowMeta { offset, time_ms: 0, origin, traceparent: None, late: false }
    });
    let meta: Vec<RowMeta> = meta.collect();
    let order = (0..).take(meta.len()).map(|row| Taken { input: 0, row }).collect();
    let batch = Batch { inputs: vec![Input { rows, meta }], order, phase: Phase::Live };
    Task::apply(&mut task, &batch, &mut Effects::default()).unwrap();
    drop(task);
    Arc::into_inner(told).unwrap().into_inner().unwrap()
}

#[test]
fn signals_of_detectors_are_told_also_where_nobody_predicted() {
    let with_predictions = [outcomes(3, 4), detected(4, 2), progress(4)];
    assert_eq!(judged(&with_predictions), [(3, 2)]);
    // On day 4 nobody predicts; labels of day 3 come in, and on day 5 those of nobody's.
    let without = [
        outcomes(3, 4),
        progress(4),
        outcomes(3, 5),
        detected(5, 1),
        progress(5),
        detected(6, 3),
        progress(6),
    ];
    assert_eq!(judged(&without), [(3, 0), (4, 1), (5, 3)]);
}
