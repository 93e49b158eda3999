//! Transactions, on a real Kafka: the cluster in memory knows none. Runs where `KAFKA_BOOTSTRAP` names one.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;

use super::echo::{Bench, PARTITIONS, Reader, start};
use crate::Assignment;

/// A bench with topics of its own, where there is a Kafka.
fn bench(name: &str, stages: usize) -> Option<Bench> {
    let bootstrap = std::env::var("KAFKA_BOOTSTRAP").ok()?;
    let app = format!("{name}-{:08x}", rand::random::<u32>());
    let mut bench = Bench::new(&app, &bootstrap);
    bench.stages = stages;
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", &bootstrap).create().unwrap();
    let topics = bench.topics();
    let new: Vec<_> = topics
        .iter()
        .map(|t| NewTopic::new(&t.name, t.partitions.cast_signed(), TopicReplication::Fixed(1)))
        .collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let created = runtime.block_on(admin.create_topics(&new, &AdminOptions::new())).unwrap();
    created.into_iter().for_each(|topic| drop(topic.unwrap()));
    Some(bench)
}

#[test]
fn each_row_appears_once_through_two_stages_and_a_change_of_workers() {
    let Some(bench) = bench("once", 2) else { return };
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
    let Some(bench) = bench("least", 1) else { return };
    super::at_least_once::restart(&bench);
}
