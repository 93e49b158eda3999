//! A consumer group with commits after delivery: on the cluster in memory, which knows groups, and on a real Kafka.

use std::time::Duration;

use super::echo::{Bench, PARTITIONS, Reader, start};
use crate::Assignment;
use crate::embedded::EmbeddedCluster;
use crate::task::Phase;

const FLAGS: &[(&str, &str)] = &[("delivery", "at-least-once")];

#[test]
fn a_restart_rebuilds_its_state_and_goes_on_at_the_committed_offset() {
    let cluster = EmbeddedCluster::start().unwrap();
    let bench = Bench::new("again", &cluster.bootstrap());
    cluster.create(&bench.topics()).unwrap();
    restart(&bench);
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
