//! Transactions, on a real Kafka: the cluster in memory knows none. Runs where `KAFKA_BOOTSTRAP` names one.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;

use super::echo::{Bench, PARTITIONS, Reader, start};
use crate::Assignment;

const MIB: usize = 1 << 20;

/// A bench with topics of its own, where there is a Kafka. The last stage's topic takes sets of records of at most
/// `output_bytes`.
fn bench(name: &str, stages: usize, output_bytes: usize) -> Option<Bench> {
    let bootstrap = std::env::var("KAFKA_BOOTSTRAP").ok()?;
    let app = format!("{name}-{:08x}", rand::random::<u32>());
    let mut bench = Bench::new(&app, &bootstrap);
    bench.stages = stages;
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", &bootstrap).create().unwrap();
    let (topics, out, output_bytes) = (bench.topics(), bench.out(), output_bytes.to_string());
    let new: Vec<_> = topics
        .iter()
        .map(|t| {
            let new = NewTopic::new(&t.name, t.partitions.cast_signed(), TopicReplication::Fixed(1));
            if t.name == out { new.set("max.message.bytes", &output_bytes) } else { new }
        })
        .collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let created = runtime.block_on(admin.create_topics(&new, &AdminOptions::new())).unwrap();
    created.into_iter().for_each(|topic| drop(topic.unwrap()));
    Some(bench)
}

#[test]
fn each_row_appears_once_through_two_stages_and_a_change_of_workers() {
    let Some(bench) = bench("once", 2, MIB) else { return };
    let half = |range: std::ops::RangeInclusive<i64>| {
        for n in range {
            bench.send(&format!("user{}", n % 53), n, n);
        }
        bench.flush();
    };
    half(1..=5000);
    let reader = Reader::new(&bench.bootstrap, &bench.out(), PARTITIONS);
    let first = start(bench.service(), bench.environment(Assignment::Group, &[("workers", "1")]));
    let second = start(bench.service(), bench.environment(Assignment::Group, &[("workers", "2")]));
    let mut rows = reader.read(5000, Duration::from_secs(60));
    first.stop();
    half(5001..=10_000);
    rows.extend(reader.read(10_000 - rows.len(), Duration::from_secs(60)));
    second.stop();
    rows.extend(reader.read(1, Duration::from_secs(2)));
    let mut n: Vec<_> = rows.iter().map(|r| r.field("n").as_i64().unwrap()).collect();
    n.sort_unstable();
    assert_eq!(n, (1..=10_000).collect::<Vec<_>>());
    let sum: i64 = (1..=10_000).filter(|n| n % 53 == 3).sum();
    assert_eq!(bench.store.sums()["echo:user3"], sum.to_string());
}

#[test]
fn at_least_once_goes_on_after_a_restart_on_a_real_kafka() {
    let Some(bench) = bench("least", 1, MIB) else { return };
    super::at_least_once::restart(&bench);
}

#[test]
fn a_row_whose_output_the_broker_refuses_is_rejected_and_the_others_keep_their_order() {
    let Some(bench) = bench("large", 1, 20_000) else { return };
    // Random, for sets are weighed compressed.
    let large: String = (0..4_000).map(|_| format!("{:08x}", rand::random::<u32>())).collect();
    for n in 1..=3_000 {
        let user = if n == 1_500 { large.clone() } else { format!("user{}", n % 53) };
        bench.send(&user, n, n);
    }
    bench.flush();
    let reader = Reader::new(&bench.bootstrap, &bench.out(), PARTITIONS);
    let running = start(bench.service(), bench.environment(Assignment::Group, &[("workers", "1")]));
    let mut rows = reader.read(2_999, Duration::from_secs(60));
    rows.extend(reader.read(1, Duration::from_secs(2)));
    let report = running.stop();
    assert_eq!((report.rows_out, report.rejected), (2_999, 1));
    let mut users: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for row in &rows {
        users.entry(row.field("user").to_string()).or_default().push(row.field("n").as_i64().unwrap());
    }
    assert!(users.values().all(|numbers| numbers.is_sorted()));
    let mut n: Vec<_> = users.into_values().flatten().collect();
    n.sort_unstable();
    assert_eq!(n, (1..=3_000).filter(|n| *n != 1_500).collect::<Vec<_>>());
}
