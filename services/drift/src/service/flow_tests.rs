//! Rows of several partitions through the tasks, from observing to reports, without a broker.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray, TimestampMillisecondArray};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use arrow::record_batch::RecordBatch;
use millrace_runtime::service::InputTopic;
use millrace_runtime::task::{Batch, Effects, Input, Origin, Output, Phase, RowMeta, Taken, Task};
use millrace_schemas::Format;
use millrace_schemas::envelope::{
    AlarmState, DriftEvent, DriftKind, DriftStatus, Record as _, RetrainRequest, Subject,
};
use millrace_topics::{KafkaTopic, Partitioner};

use super::detect::WindowDetectors;
use super::grid::Grid;
use super::judge_rows::{ClosedRows, RowsJudge, RowsPlan};
use super::judging::of_window_before;
use super::measures::Measures;
use super::notes::Place;
use super::observe::Observe;
use super::report::{Report, ReportPlan, Said};
use super::shared::Clocks;
use super::stream::Stream;
use crate::cause::Depends;
use crate::judge::{About, Inputs, Options, Stream as Topic, Thresholds, against, judge_window};
use crate::profile::{Bounds, ColumnPlan, Kind, Plan, SegmentPlan};
use crate::reference::{Quality, Reference};
use crate::retrain::{TrainRange, Trigger, When};
use crate::window::{WHOLE, WindowSpec};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
const PARTITIONS: i32 = 3;

/// One row of a partition.
#[derive(Clone)]
struct Row {
    id: u64,
    time_ms: i64,
    amount: f64,
    country: &'static str,
}

fn stream() -> Arc<Stream> {
    let columns = vec![ColumnPlan::new("amount", Kind::Numeric), ColumnPlan::new("country", Kind::Category)];
    let countries: Arc<[String]> = vec!["NE".to_owned(), "SW".to_owned()].into();
    let segments = vec![SegmentPlan { column: "country".into(), values: countries }];
    let topic = KafkaTopic {
        name: "shop.rows".into(),
        format: Format::Avro,
        schema: None,
        key: None,
        partitioner: Partitioner::Murmur2,
        partitions: PARTITIONS.cast_unsigned(),
        retention_ms: None,
        settings: BTreeMap::new(),
    };
    Arc::new(Stream {
        stem: "rows".into(),
        input: InputTopic { topic, time: "time".into(), source: None },
        plan: Arc::new(Plan::new(columns, Bounds::of_columns(2), segments)),
        windows: WindowSpec::Tumbling { length_ms: DAY },
        lateness_ms: HOUR,
        id: "id".into(),
        predictions: None,
    })
}

/// Ten days of 300 rows each; from the sixth on amounts in one country are doubled. Rows come up to two hours late.
fn partitions() -> Vec<Vec<Row>> {
    let mut random = 7_u64;
    let mut next = move |n: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % n
    };
    let mut partitions = vec![Vec::new(); 3];
    for id in 0..6_000_u64 {
        let time =
            i64::try_from(id).unwrap() * (10 * DAY / 6_000) - i64::try_from(next(20)).unwrap() * HOUR / 10;
        let country = if next(3) == 0 { "NE" } else { "SW" };
        let mut amount = 20.0 + next(8_000) as f64 / 100.0;
        if time >= 6 * DAY && country == "NE" {
            amount *= 2.0;
        }
        let row = Row { id, time_ms: time.max(0), amount, country };
        partitions[usize::try_from(next(3)).unwrap()].push(row);
    }
    for rows in &mut partitions {
        rows.push(Row { id: 1_000_000, time_ms: 10 * DAY + 2 * HOUR, amount: 50.0, country: "SW" });
    }
    partitions
}

fn batch_of_rows(rows: &[Row], first: usize, phase: Phase) -> Batch {
    let time = DataType::Timestamp(TimeUnit::Millisecond, Some("+00:00".into()));
    let schema = Schema::new(vec![
        Field::new("id", DataType::Utf8, false),
        Field::new("time", time, false),
        Field::new("amount", DataType::Float64, false),
        Field::new("country", DataType::Utf8, false),
    ]);
    let times = TimestampMillisecondArray::from_iter_values(rows.iter().map(|row| row.time_ms));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.id.to_string()))),
        Arc::new(times.with_timezone("+00:00")),
        Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.amount))),
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.country))),
    ];
    let batch = RecordBatch::try_new(Arc::new(schema), columns).unwrap();
    let times = rows.iter().map(|row| row.time_ms).collect::<Vec<_>>();
    batch_of(batch, &times, first, phase)
}

fn batch_of(rows: RecordBatch, times: &[i64], first: usize, phase: Phase) -> Batch {
    let meta = |(offset, time_ms): (usize, &i64)| {
        let offset = i64::try_from(offset).unwrap();
        let origin = Origin { topic: "t".into(), partition: 0, offset };
        RowMeta { offset, time_ms: *time_ms, origin, traceparent: None, late: false }
    };
    let meta: Vec<RowMeta> = (first..).zip(times).map(meta).collect();
    let order = (0..u32::try_from(meta.len()).unwrap()).map(|row| Taken { input: 0, row }).collect();
    Batch { inputs: vec![Input { rows, meta }], order, phase }
}

/// Rows of an internal topic, one after another.
#[derive(Default)]
struct Log(Vec<RecordBatch>);

impl Log {
    fn append(&mut self, outputs: &[Output]) {
        for output in outputs {
            self.0.extend((0..output.rows.num_rows()).map(|row| output.rows.slice(row, 1)));
        }
    }

    fn batch(&self, from: usize, to: usize, phase: Phase) -> Batch {
        let rows = arrow::compute::concat_batches(&super::message::schema(), &self.0[from..to]).unwrap();
        batch_of(rows, &vec![0; to - from], from, phase)
    }
}

/// Runs a task over a log in batches; it is built anew before record `restart`, if that is given.
fn run(make: &dyn Fn() -> Box<dyn Task>, log: &Log, size: usize, restart: Option<usize>) -> Vec<Output> {
    let mut task = make();
    let mut outputs = Vec::new();
    let mut at = 0;
    while at < log.0.len() {
        let bound = restart.filter(|restart| *restart > at).unwrap_or(usize::MAX);
        let end = log.0.len().min(at + size).min(bound);
        let mut effects = Effects::default();
        task.apply(&log.batch(at, end, Phase::Live), &mut effects).unwrap();
        outputs.extend(effects.outputs);
        at = end;
        if restart == Some(at) {
            let committed = task.progress();
            let from = committed.rebuild_from[0].map_or(at, |from| usize::try_from(from).unwrap());
            task = make();
            task.restore(&committed);
            if from < at {
                task.apply(&log.batch(from, at, Phase::Rebuild), &mut Effects::default()).unwrap();
            }
            task.restore(&committed);
        }
    }
    outputs
}

/// What one partition's task writes, in batches of so many rows.
fn observe(rows: &[Row], partition: i32, size: usize, restart: Option<usize>) -> Vec<Output> {
    let stream = stream();
    let measures = Arc::new(Measures::new("test"));
    let make = || Observe::new(stream.clone(), partition, None, measures.clone());
    let mut task = make();
    let mut outputs = Vec::new();
    let mut at = 0;
    while at < rows.len() {
        let bound = restart.filter(|restart| *restart > at).unwrap_or(usize::MAX);
        let end = rows.len().min(at + size).min(bound);
        let mut effects = Effects::default();
        task.apply(&batch_of_rows(&rows[at..end], at, Phase::Live), &mut effects).unwrap();
        outputs.extend(effects.outputs);
        at = end;
        if restart == Some(at) {
            let committed = task.progress();
            let from = committed.rebuild_from[0].map_or(at, |from| usize::try_from(from).unwrap());
            assert!(at < 1_500 || from > at - 700, "a window and its lateness are kept: {from} of {at}");
            task = make();
            task.restore(&committed);
            task.apply(&batch_of_rows(&rows[from..at], from, Phase::Rebuild), &mut Effects::default())
                .unwrap();
            task.restore(&committed);
        }
    }
    outputs
}

/// The log of the judge of rows where partitions' records meet in this order.
fn rows_log(size: usize, restart: Option<usize>, pick: impl Fn(usize, usize) -> usize) -> Log {
    let mut queues: Vec<std::collections::VecDeque<RecordBatch>> = Vec::new();
    for (partition, rows) in (0..).zip(partitions()) {
        let mut log = Log::default();
        log.append(&observe(&rows, partition, size, restart));
        queues.push(log.0.into());
    }
    let mut log = Log::default();
    while queues.iter().any(|queue| !queue.is_empty()) {
        let open: Vec<usize> = (0..queues.len()).filter(|i| !queues[*i].is_empty()).collect();
        log.0.extend(queues[open[pick(log.0.len(), open.len()) % open.len()]].pop_front());
    }
    log
}

/// Every window against the first one of all.
fn judge(first: &std::sync::Mutex<Option<Reference>>, closed: &ClosedRows) -> Said {
    let profiles =
        closed.profiles.iter().map(|((_, _, segment), profile)| (segment.clone(), profile.clone()));
    let current: BTreeMap<_, _> = profiles.collect();
    let mut first = first.lock().unwrap();
    let reference =
        first.get_or_insert_with(|| Reference::before(&stream().plan, closed.window.into(), current.clone()));
    let about = About {
        app: "shop".into(),
        topic: "rows".into(),
        window: "1d".into(),
        model: Some("m".into()),
        version: Some("1".into()),
        start_ms: closed.window.start_ms,
        end_ms: closed.window.end_ms,
        status: if closed.provisional { DriftStatus::Provisional } else { DriftStatus::Final },
        ..About::default()
    };
    let inputs = Inputs {
        about: &about,
        against: &against(reference, None, closed.window.into()),
        current: &current,
        thresholds: &of_window_before(Thresholds::conventional(
            &reference.plan,
            &reference.segments(),
            600,
            &[],
        )),
        quality: None::<&Quality>,
        stream: Topic::default(),
        support: None,
        options: &Options { joint: false, ..Options::default() },
    };
    let judgement = judge_window(&inputs);
    let mut events = judgement.findings;
    events.push(judgement.summary);
    Said { events, served: Some(("m".into(), "1".into())), ..Said::default() }
}

fn rows_judge() -> Box<dyn Task> {
    let stream = stream();
    let first = std::sync::Mutex::new(Some(reference()));
    let plan = RowsPlan {
        places: (0..PARTITIONS).map(|partition| Place { topic: "rows".into(), partition }).collect(),
        also: Vec::new(),
        joined: None,
        grid: Grid::of(stream.windows, stream.lateness_ms),
        length_ms: DAY,
        plans: BTreeMap::from([(stream.plan.fingerprint(), stream.plan.clone())]),
        keeps_previous: false,
        judge: Arc::new(move |closed| Ok(judge(&first, &closed))),
    };
    Box::new(RowsJudge::new(plan, Arc::new(Clocks::default()), Arc::new(Measures::new("test"))))
}

/// What the rows of the second day look like.
fn reference() -> Reference {
    let stream = stream();
    let window = crate::window::Window { start_ms: DAY, end_ms: 2 * DAY, number: 0 };
    let mut all: BTreeMap<String, crate::profile::Profile> = BTreeMap::new();
    let mut open =
        crate::window::OpenWindows::new(&stream.plan, WindowSpec::Tumbling { length_ms: 100 * DAY }, 0);
    let rows: Vec<Row> =
        partitions().concat().into_iter().filter(|row| (DAY..2 * DAY).contains(&row.time_ms)).collect();
    let batch = batch_of_rows(&rows, 0, Phase::Live);
    let times: Vec<i64> = rows.iter().map(|row| row.time_ms).collect();
    let ids: Vec<u64> = rows.iter().map(|row| crate::hash::of_text(&row.id.to_string())).collect();
    let offsets: Vec<i64> = (0..).take(rows.len()).collect();
    let taken = crate::window::Batch {
        rows: &batch.inputs[0].rows,
        times_ms: &times,
        ids: &ids,
        offsets: &offsets,
        mine: None,
    };
    open.add(taken);
    for closed in open.advance(1_000 * DAY) {
        all.extend(closed.segments);
    }
    assert!(all.contains_key(WHOLE) && all.contains_key("country=NE"), "{:?}", all.keys());
    Reference::before(&stream.plan, window, all)
}

fn report() -> Box<dyn Task> {
    let drifted = Trigger {
        name: "drifted".into(),
        when: When::Drift { subjects: vec![Subject::Data], severity: 1.5, windows: 2 },
        cool_down_ms: 30 * DAY,
        mode: None,
        range: TrainRange { length_ms: 100 * DAY, delay_ms: 0 },
    };
    let plan = ReportPlan {
        triggers: vec![drifted],
        depends: Depends::default(),
        tolerance_ms: DAY,
        trained: Arc::new(|_, _| None),
        requests: true,
        detectors: WindowDetectors::default(),
        outcomes_ms: None,
    };
    Box::new(Report::new(plan, Arc::new(Clocks::default()), Arc::new(Measures::new("test"))))
}

fn reports(outputs: &[Output]) -> (Vec<DriftEvent>, Vec<RetrainRequest>) {
    let of = |topic| outputs.iter().filter(move |output| output.topic == topic);
    let events = of(0).flat_map(|output| DriftEvent::from_batch(&output.rows).unwrap());
    let requests = of(1).flat_map(|output| RetrainRequest::from_batch(&output.rows).unwrap());
    (events.collect(), requests.collect())
}

/// The whole way: reports and requests of a log of profiles.
fn through(
    log: &Log,
    size: usize,
    restarts: (Option<usize>, Option<usize>),
) -> (Vec<DriftEvent>, Vec<RetrainRequest>) {
    let mut journal = Log::default();
    journal.append(&run(&rows_judge, log, size, restarts.0));
    reports(&run(&report, &journal, size, restarts.1))
}

#[test]
fn reports_depend_neither_on_batches_nor_on_how_partitions_meet() {
    let (events, requests) = through(&rows_log(100_000, None, |n, _| n), 100_000, (None, None));
    let settled: Vec<&DriftEvent> = events.iter().filter(|e| e.status == DriftStatus::Final).collect();
    let summaries = settled.iter().filter(|e| e.kind == DriftKind::Summary);
    let days: Vec<i64> = summaries.map(|e| e.window_end_ms / DAY).collect();
    assert_eq!(days, (1..=10).collect::<Vec<_>>(), "a final summary a day");

    let drifted = |day: i64| {
        settled.iter().filter(move |e| e.window_end_ms == (day + 1) * DAY && e.kind == DriftKind::Finding)
    };
    for day in 1..6 {
        assert_eq!(drifted(day).count(), 0, "day {day}: {:?}", drifted(day).next());
    }
    let first: Vec<_> = drifted(6).filter(|e| e.rank == Some(1)).collect();
    let of = |segment: &str| first.iter().find(|e| e.segment.as_deref() == Some(segment));
    let (moved, still) = (of("country=NE").unwrap(), of("country=SW"));
    assert_eq!((moved.column.as_deref(), moved.alarm), (Some("amount"), AlarmState::Open));
    assert!(still.is_none(), "{still:?}");
    assert_eq!(requests.len(), 1, "one trigger, one request");
    assert!(!requests[0].evidence.is_empty() && requests[0].reason.contains("amount"), "{:?}", requests[0]);
    let mut ids: Vec<&str> = events.iter().map(|event| event.id.as_str()).collect();
    ids.sort_unstable();
    assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "no report comes twice");

    let finals = |events: &[DriftEvent]| -> Vec<DriftEvent> {
        events.iter().filter(|event| event.status == DriftStatus::Final).cloned().collect()
    };
    for (size, pick) in [(1_usize, 0_usize), (37, 1), (500, 2)] {
        let log = rows_log(size, None, |n, open| [n, open - 1, n / 20][pick]);
        let other = through(&log, size, (None, None));
        assert!(
            finals(&other.0) == finals(&events) && other.1 == requests,
            "batches of {size}, order {pick}"
        );
    }
}

#[test]
fn tasks_that_are_rebuilt_half_way_report_what_they_would_have_reported() {
    let whole = rows_log(500, None, |n, _| n);
    let expected = through(&whole, 50, (None, None));
    for restart in [3, 700, 1_111, 1_900] {
        let log = rows_log(500, Some(restart), |n, _| n);
        assert!(log.0 == whole.0, "observing, restarted before row {restart}");
    }
    let journal_restarts = [1, 5, 9];
    for (n, restart) in [2, 20, 61, 100].into_iter().enumerate() {
        let restarts = (Some(restart), journal_restarts.get(n).copied());
        assert!(through(&whole, 7, restarts) == expected, "restarted before record {restart}");
    }
}
