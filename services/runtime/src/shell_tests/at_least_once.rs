//! A consumer group with commits after delivery: on the cluster in memory, which knows groups, and on a real Kafka.

use std::time::Duration;

use super::echo::{Bench, PARTITIONS, Reader, eventually, start};
use crate::Assignment;
use crate::embedded::EmbeddedCluster;
use crate::task::Phase;

/// One worker: a group that grows while rows flow may repeat some.
const FLAGS: &[(&str, &str)] = &[("delivery", "at-least-once"), ("workers", "1"), SETS];
/// The cluster in memory does not answer when it is asked what its topics take.
const SETS: (&str, &str) = ("MILLRACE_KAFKA_BATCH_SIZE", "1000000");

#[test]
fn a_restart_rebuilds_its_state_and_goes_on_at_the_committed_offset() {
    let cluster = EmbeddedCluster::start().unwrap();
    let bench = Bench::new("again", &cluster.bootstrap());
    cluster.create(&bench.topics()).unwrap();
    restart(&bench);
}

#[test]
fn a_task_whose_partitions_come_back_goes_on_without_a_rebuild() {
    let cluster = EmbeddedCluster::start().unwrap();
    let bench = Bench::new("parked", &cluster.bootstrap());
    cluster.create(&bench.topics()).unwrap();
    for n in 1..=60 {
        bench.send(&format!("user{n}"), n, n);
    }
    bench.flush();
    let reader = Reader::new(&bench.bootstrap, &bench.out(), PARTITIONS);
    let first = start(bench.service(), bench.environment(Assignment::Group, FLAGS));
    assert_eq!(reader.read(60, Duration::from_secs(60)).len(), 60);

    // A second member takes some of the partitions; the first keeps the others.
    let mut other = Bench::new("parked", &cluster.bootstrap());
    other.store = bench.store.clone();
    let environment = other.environment(Assignment::Group, FLAGS);
    let readiness = environment.readiness.clone();
    let second = start(other.service(), environment);
    eventually("the second has its share", Duration::from_secs(60), || readiness.ready().is_ok());
    eventually("and has rebuilt it", Duration::from_secs(60), || !other.log.lock().unwrap().is_empty());
    for n in 61..=120 {
        bench.send(&format!("user{}", n - 60), n, n);
    }
    bench.flush();
    assert_eq!(reader.read(60, Duration::from_secs(60)).len(), 60);
    let rebuilt =
        |bench: &Bench| bench.log.lock().unwrap().iter().filter(|(phase, _)| *phase != Phase::Live).count();
    assert_eq!(rebuilt(&bench), 0, "the first kept its state");
    assert!(rebuilt(&other) > 0, "the second had to rebuild");
    let report = second.stop();
    assert!(report.rows_in > 0, "{report:?}");
    first.stop();
    assert_eq!(bench.store.sums()["echo:user7"], (7 + 67).to_string());
}

#[test]
fn a_worker_without_partitions_is_ready_too() {
    let cluster = EmbeddedCluster::start().unwrap();
    let bench = Bench::new("many", &cluster.bootstrap());
    cluster.create(&bench.topics()).unwrap();
    let flags = [("delivery", "at-least-once"), ("workers", "5"), SETS];
    let environment = bench.environment(Assignment::Group, &flags);
    let readiness = environment.readiness.clone();
    let running = start(bench.service(), environment);
    eventually("ready", Duration::from_secs(60), || readiness.ready().is_ok());
    running.stop();
}

/// Two runs over one log; the second must know the sums of the first.
pub fn restart(bench: &Bench) {
    for n in 1..=300 {
        bench.send(&format!("user{}", n % 7), n, n);
    }
    bench.flush();
    let reader = Reader::new(&bench.bootstrap, &bench.out(), PARTITIONS);
    let first = start(bench.service(), bench.environment(Assignment::Group, FLAGS));
    assert_eq!(reader.read(300, Duration::from_secs(60)).len(), 300);
    let report = first.stop();
    assert_eq!((report.rows_in, report.rows_out), (300, 300));
    bench.log.lock().unwrap().clear();

    for n in 301..=400 {
        bench.send(&format!("user{}", n % 7), n, n);
    }
    bench.flush();
    let second = start(bench.service(), bench.environment(Assignment::Group, FLAGS));
    let rows = reader.read(100, Duration::from_secs(60));
    let mut n: Vec<_> = rows.iter().map(|r| r.field("n").as_i64().unwrap()).collect();
    n.sort_unstable();
    assert_eq!(n, (301..=400).collect::<Vec<_>>());
    assert_eq!(second.stop().rows_in, 100);
    let log = bench.log.lock().unwrap();
    let rebuilt = log.iter().filter(|(phase, _)| *phase == Phase::Rebuild).count();
    assert_eq!(rebuilt, 300);
    let sum: i64 = (1..=400).filter(|n| n % 7 == 3).sum();
    assert_eq!(bench.store.sums()["echo:user3"], sum.to_string());
}
