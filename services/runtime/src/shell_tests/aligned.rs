//! Two sources, one written after the other: taken in the order of record time, side by side.

use std::time::Duration;

use super::echo::{Bench, PARTITIONS, Reader, start, topic};
use crate::Assignment;
use crate::embedded::{EmbeddedCluster, Flow};
use crate::service::{Alignment, InputTopic, Service, SourceChecks};

const SKEW_MS: i64 = 50;
const ROWS: i64 = 3000;

/// One stage that reads `<app>.0` and `<app>.more`, aligned.
fn two_sources(bench: &Bench, max_wait_ms: i64) -> Service {
    let mut service = bench.service();
    let stage = &mut service.stages[0];
    stage.inputs.push(InputTopic {
        topic: topic(&format!("{}.more", bench.app), PARTITIONS),
        time: "at".into(),
        source: Some(SourceChecks { max_ahead_ms: 86_400_000, dead_letters: true }),
    });
    stage.alignment = Some(Alignment { max_skew_ms: SKEW_MS, max_wait_ms });
    service
}

#[test]
fn a_backlog_is_taken_in_the_order_of_record_time_across_sources_and_partitions() {
    let cluster = EmbeddedCluster::start().unwrap();
    let bench = Bench::new("aligned", &cluster.bootstrap());
    let service = two_sources(&bench, 600_000);
    cluster.create(&bench.topics()).unwrap();
    cluster.create([&service.stages[0].inputs[1].topic]).unwrap();
    // The number is the record time: the log of the task's calls then shows the order.
    for n in 1..=ROWS {
        bench.send(&format!("user{}", n % 11), n, n);
    }
    for n in 1..=ROWS {
        bench.send_event("aligned.more", &format!("user{}", n % 11), n, n);
    }
    bench.flush();
    let mut environment = bench.environment(Assignment::Fixed(Flow::new()), &[]);
    environment.configuration.batch_rows = 16;
    let running = start(service, environment);
    let reader = Reader::new(&bench.bootstrap, &bench.out(), PARTITIONS);
    let count = usize::try_from(2 * ROWS).unwrap();
    assert_eq!(reader.read(count, Duration::from_secs(30)).len(), count);
    let log = bench.log.lock().unwrap().clone();
    running.stop();
    let mut highest = 0;
    for (_, time) in &log {
        highest = highest.max(*time);
        // The log is written per batch: one batch of one task may be written a batch after another's.
        assert!(highest - time <= SKEW_MS, "{time} was taken after {highest}");
    }
}
