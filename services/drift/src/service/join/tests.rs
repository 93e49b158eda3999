#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use millrace_runtime::task::{Batch, Effects, Input, Origin, Phase, RowMeta, Taken, Task};
use millrace_statistics::detectors::{Detector, Parameters};
use millrace_statistics::performance::binary::auc;
use millrace_topics::{DetectorTable, TaskKind, Watches};

use super::{Content, Counts, Join, JoinPlan};
use crate::service::detect::Declared;
use crate::service::measures::Measures;
use crate::service::message::{Assembler, Message, encode};
use crate::service::notes::{JoinNote, Maker, Outcome, OutcomeNote, Place};

const STEP: i64 = 100;

fn place(topic: &str, partition: i32) -> Place {
    Place { topic: topic.into(), partition }
}

fn plan() -> Arc<JoinPlan> {
    Arc::new(JoinPlan {
        sources: vec![place("predictions", 0), place("predictions", 1), place("labels", 0)],
        task: TaskKind::Binary,
        length_ms: STEP,
        step_ms: STEP,
        horizon_ms: 6 * STEP,
        settled_ms: 2 * STEP,
        negative_after_ms: None,
        segments: vec![(0, "country".into())],
        list: None,
        // At 0.5 no decision would be wrong.
        threshold: Some(Arc::new(|_| Some(0.4))),
    })
}

fn maker() -> Maker {
    Maker { model: "m".into(), version: "1".into(), arm: "champion".into(), serving: true }
}

/// A record of the join's topic, with where the event at its root lies.
#[derive(Clone)]
struct Record {
    message: Message<JoinNote>,
    origin: (String, i32, i64),
}

/// One source partition's records, in its order.
struct Source {
    place: Place,
    time_ms: i64,
    offset: i64,
    records: Vec<Record>,
}

impl Source {
    fn new(topic: &str, partition: i32) -> Self {
        Self { place: place(topic, partition), time_ms: i64::MIN, offset: 0, records: Vec::new() }
    }

    fn push(&mut self, key: Option<String>, time_ms: i64, head: JoinNote) {
        let origin = (self.place.topic.clone(), self.place.partition, self.offset);
        self.offset += 1;
        self.records.push(Record { message: Message { key, time_ms, head, body: Vec::new() }, origin });
    }

    fn reach(&mut self, time_ms: i64) {
        let told = self.time_ms.div_euclid(STEP);
        self.time_ms = self.time_ms.max(time_ms);
        if self.time_ms.div_euclid(STEP) != told {
            let head = JoinNote::Progress { place: self.place.clone(), time_ms: self.time_ms };
            self.push(None, self.time_ms, head);
        }
    }

    fn predict(&mut self, id: u64, time_ms: i64, score: f64, country: &str) {
        self.reach(time_ms);
        let head = JoinNote::Prediction {
            seen_ms: self.time_ms,
            maker: maker(),
            score: Some(score),
            decision: String::new(),
            context: vec![Some(country.into())],
        };
        self.push(Some(id.to_string()), time_ms, head);
    }

    fn label(&mut self, id: u64, time_ms: i64, fraud: bool) {
        self.reach(time_ms);
        let outcome = Some(Outcome::Number(f64::from(u8::from(fraud))));
        let head = JoinNote::Label { seen_ms: self.time_ms, outcome };
        self.push(Some(id.to_string()), time_ms, head);
    }
}

/// A stream of predictions with labels one to three steps later; some labels are corrected, doubled, or of no
/// prediction, and some predictions never get one.
fn sources() -> Vec<Source> {
    let mut random = 12_345_u64;
    let mut next = move |n: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % n
    };
    let mut sources =
        vec![Source::new("predictions", 0), Source::new("predictions", 1), Source::new("labels", 0)];
    let mut labels = Vec::new();
    for id in 0..4_000_u64 {
        let time = i64::try_from(id).unwrap();
        let fraud = next(10) == 0;
        let score = (next(1_000) as f64 / 1_000.0 + f64::from(u8::from(fraud))) / 2.0;
        sources[usize::try_from(next(2)).unwrap()].predict(
            id,
            time,
            score,
            if id % 3 == 0 { "NE" } else { "SW" },
        );
        if next(20) > 0 {
            let at = time + STEP + i64::try_from(next(200)).unwrap();
            labels.push((at, id, fraud));
            if next(15) == 0 {
                labels.push((at + 150, id, !fraud));
            }
            if next(15) == 0 {
                labels.push((at + 10, id, fraud));
            }
        }
        if next(40) == 0 {
            labels.push((time, 1_000_000 + id, true));
        }
    }
    labels.sort_unstable();
    for (at, id, fraud) in labels {
        sources[2].label(id, at, fraud);
    }
    for source in &mut sources {
        source.reach(5_100);
    }
    sources
}

/// The log that results where the sources meet in this order.
fn log(pick: impl Fn(usize, usize) -> usize) -> Vec<Record> {
    let mut queues: Vec<std::collections::VecDeque<Record>> =
        sources().into_iter().map(|source| source.records.into()).collect();
    let mut log = Vec::new();
    while queues.iter().any(|queue| !queue.is_empty()) {
        let open: Vec<usize> = (0..queues.len()).filter(|i| !queues[*i].is_empty()).collect();
        log.extend(queues[open[pick(log.len(), open.len()) % open.len()]].pop_front());
    }
    log
}

fn batch(records: &[Record], first: usize, phase: Phase) -> Batch {
    let messages: Vec<Message<JoinNote>> = records.iter().map(|record| record.message.clone()).collect();
    let (rows, _) = encode(&messages).unwrap();
    let meta = records.iter().zip(first..).map(|(record, offset)| RowMeta {
        offset: i64::try_from(offset).unwrap(),
        time_ms: record.message.time_ms,
        origin: Origin {
            topic: record.origin.0.as_str().into(),
            partition: record.origin.1,
            offset: record.origin.2,
        },
        traceparent: None,
        late: false,
    });
    let order = (0..u32::try_from(records.len()).unwrap()).map(|row| Taken { input: 0, row }).collect();
    Batch { inputs: vec![Input { rows, meta: meta.collect() }], order, phase }
}

/// With a detector of errors that signals at every third one.
fn task() -> Join {
    let mut parameters = Parameters::calibrated("cusum").unwrap();
    for (name, value) in [("scale", "none"), ("slack", "0"), ("threshold", "2.5")] {
        parameters.set(name, value).unwrap();
    }
    let table = DetectorTable {
        name: "wrong".into(),
        method: "cusum".into(),
        watches: Watches::Errors,
        parameters: Vec::new(),
        memory_ms: 3 * STEP,
    };
    let declared = Declared { table, fresh: Detector::new(parameters).unwrap() };
    Join::new(plan(), 0, Arc::new(Measures::new("test"))).watched(vec![declared])
}

fn told(effects: Effects) -> Vec<Message<OutcomeNote>> {
    let mut assembler = Assembler::default();
    let mut told = Vec::new();
    for output in effects.outputs {
        for row in 0..output.rows.num_rows() {
            told.extend(assembler.take(&output.rows, row, 0).unwrap().map(|(message, _)| message));
        }
    }
    told
}

/// What the task says of a log that is cut into batches of so many records.
fn run(log: &[Record], size: usize) -> Vec<Message<OutcomeNote>> {
    let mut task = task();
    let mut all = Vec::new();
    for (number, records) in log.chunks(size).enumerate() {
        let mut effects = Effects::default();
        task.apply(&batch(records, number * size, Phase::Live), &mut effects).unwrap();
        all.extend(told(effects));
    }
    all
}

#[test]
fn what_is_said_depends_neither_on_how_sources_meet_nor_on_batches() {
    let one = run(&log(|_, _| 0), 1_000_000);
    assert!(one.len() > 100, "{}", one.len());
    let signals = one.iter().filter(|message| matches!(message.head, OutcomeNote::Detected { .. })).count();
    assert!(signals > 5, "{signals}");
    for size in [1, 7, 100] {
        assert!(run(&log(|n, _| n), size) == one, "in turn, by {size}");
    }
    assert!(run(&log(|_, open| open - 1), 64) == one, "labels first");
    assert!(run(&log(|n, _| n / 50), 33) == one, "in bursts");
}

#[test]
fn a_task_that_is_rebuilt_half_way_says_what_it_would_have_said() {
    let log = log(|n, _| n / 3);
    let whole = run(&log, 50);
    for cut in [1, 500, 2_500, 6_000, log.len() - 10] {
        let (before, after) = log.split_at(cut);
        let mut first = task();
        let mut all = Vec::new();
        let mut effects = Effects::default();
        first.apply(&batch(before, 0, Phase::Live), &mut effects).unwrap();
        all.extend(told(effects));
        let committed = first.progress();
        let from = usize::try_from(committed.rebuild_from[0].unwrap()).unwrap();
        assert!(cut < 5_000 || from > 500, "the state is bounded: {from} of {cut}");

        let mut second = task();
        second.restore(&committed);
        let mut silent = Effects::default();
        second.apply(&batch(&before[from..], from, Phase::Rebuild), &mut silent).unwrap();
        second.restore(&committed);
        let mut effects = Effects::default();
        second.apply(&batch(after, cut, Phase::Live), &mut effects).unwrap();
        all.extend(told(effects));
        assert!(all == whole, "cut at {cut}");
        assert_eq!(second.progress().task_time_ms, Some(5_100));
    }
}

#[test]
fn the_last_label_wins_and_the_horizon_ends_all_waiting() {
    let told = run(&log(|_, _| 0), 1_000);
    let content = |end: i64, as_of: i64, which: &str| {
        let found = told.iter().find(|message| {
            matches!(&message.head, OutcomeNote::Outcomes { window, as_of_ms, segment, .. }
                if window.end_ms == end && *as_of_ms == as_of && segment == which)
        });
        found.map(|message| Content::from_bytes(&message.body).unwrap())
    };
    let fresh = content(500, 500, "").unwrap();
    assert_eq!((fresh.predictions, fresh.labelled), (100, 0));
    let settled = content(500, 700, "").unwrap();
    assert!(settled.labelled > 40 && settled.labelled < 100, "{}", settled.labelled);
    let Counts::Binary(counts) = &settled.counts else { panic!("binary") };
    assert!(auc(counts).unwrap().value > 0.8);
    let parts: u64 =
        ["country=NE", "country=SW"].iter().map(|s| content(500, 700, s).unwrap().predictions).sum();
    assert_eq!(parts, 100, "every row lies in a segment of its own");
    let mut later = (8..=11).filter_map(|step| content(500, step * STEP, ""));
    assert!(later.next_back().unwrap().labelled > settled.labelled, "labels that came later are a revision");
    assert_eq!(content(500, 1_300, ""), None, "nothing new is said beyond the horizon");

    let mut task = task();
    let log = log(|_, _| 0);
    task.apply(&batch(&log, 0, Phase::Live), &mut Effects::default()).unwrap();
    let tally = task.state.tally();
    assert!(tally.unmatched > 40 && tally.orphans > 10, "{tally:?}");
    assert!(tally.duplicates > 40 && tally.corrected > 40 && tally.late == 0, "{tally:?}");
    assert!(task.state.len() < 900, "the state is bounded: {}", task.state.len());
}

#[test]
fn contents_are_read_as_they_were_written() {
    let mut binary = Content::new(TaskKind::Binary);
    binary.add(Some(0.3), "", Some(&Outcome::Number(1.0)));
    binary.add(None, "", Some(&Outcome::Number(0.0)));
    binary.add(Some(0.4), "", None);
    binary.delays.add(7);
    let mut classes = Content::new(TaskKind::Multiclass);
    classes.add(None, "a", Some(&Outcome::Class("b".into())));
    let mut numbers = Content::new(TaskKind::Regression);
    numbers.add(Some(1.5), "", Some(&Outcome::Number(2.25)));
    let mut lists = Content::new(TaskKind::Ranking);
    lists.add(Some(1.5), "l", Some(&Outcome::Number(2.0)));
    for content in [binary, classes, numbers, lists] {
        let bytes = content.to_bytes();
        assert_eq!(Content::from_bytes(&bytes).unwrap(), content);
        for cut in 0..bytes.len() {
            assert!(Content::from_bytes(&bytes[..cut]).is_err(), "cut at {cut}");
        }
    }
}
