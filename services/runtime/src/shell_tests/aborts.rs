//! Transactions that fail, on the cluster in memory: it answers transactional requests, with the errors it is told to.
//! (It neither hides aborted records nor keeps transactional offsets.)

use std::time::Duration;

use rdkafka::mocking::MockCluster;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

use super::echo::{Bench, PARTITIONS, Reader, start};
use crate::Assignment;

/// Sends rows, lets one kind of request fail, and expects every row to be committed once by the report's count.
fn survives(app: &str, request: RDKafkaApiKey, error: RDKafkaRespErr) {
    let cluster = MockCluster::new(1).unwrap();
    let bench = Bench::new(app, &cluster.bootstrap_servers());
    for topic in bench.topics() {
        cluster.create_topic(&topic.name, topic.partitions.cast_signed(), 1).unwrap();
    }
    let running = start(bench.service(), bench.environment(Assignment::Group, &[("workers", "1")]));
    let reader = Reader::new(&bench.bootstrap, &bench.out(), PARTITIONS);
    for n in 1..=20 {
        bench.send("a", n, n);
    }
    bench.flush();
    assert_eq!(reader.read(20, Duration::from_secs(60)).len(), 20);
    cluster.request_errors(request, &[error]);
    for n in 21..=40 {
        bench.send("a", n, n);
    }
    bench.flush();
    let mut seen = std::collections::BTreeSet::new();
    while seen.len() < 20 {
        let rows = reader.read(1, Duration::from_secs(60));
        assert!(!rows.is_empty(), "{} rows came", seen.len());
        seen.extend(rows.iter().filter_map(|r| r.field("n").as_i64()));
    }
    let report = running.stop();
    assert_eq!((report.rows_in, report.rows_out), (40, 40));
    let applied = bench.log.lock().unwrap().len();
    assert_eq!(applied, 40, "the task is not run again after an abort");
}

#[test]
fn an_aborted_transaction_is_produced_again_without_running_the_task_again() {
    // A group that moved on: the transaction must be aborted, the client can go on.
    survives(
        "abortable",
        RDKafkaApiKey::TxnOffsetCommit,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
    );
}

#[test]
fn a_lost_connection_at_the_end_of_a_transaction_is_survived() {
    survives("lost", RDKafkaApiKey::EndTxn, RDKafkaRespErr::RD_KAFKA_RESP_ERR__TRANSPORT);
}

#[test]
fn a_coordinator_that_moves_is_survived() {
    survives("moved", RDKafkaApiKey::EndTxn, RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_COORDINATOR);
}
