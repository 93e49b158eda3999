//! Embedded mode, on the cluster in memory.

use std::time::{Duration, Instant};

use super::echo::{Bench, PARTITIONS, Reader, eventually, start};
use crate::embedded::{Amount, EmbeddedCluster, Flow};
use crate::{Assignment, Error, dead_letters};

fn bench(app: &str, cluster: &EmbeddedCluster, stages: usize) -> Bench {
    let mut bench = Bench::new(app, &cluster.bootstrap());
    bench.stages = stages;
    cluster.create(&bench.topics()).unwrap();
    bench
}

#[test]
fn rows_pass_two_stages_with_their_origin_and_bad_ones_reach_the_dead_letters() {
    let cluster = EmbeddedCluster::start().unwrap();
    let bench = bench("two", &cluster, 2);
    let flow = Flow::new();
    let environment = bench.environment(Assignment::Fixed(flow.clone()), &[]);
    let readiness = environment.readiness.clone();
    let (configuration, registry) = (environment.configuration.clone(), environment.registry.clone());
    let running = start(bench.service(), environment);
    for n in 1..=1000 {
        bench.send(&format!("user{}", n % 17), n, n);
    }
    bench.send("zero", 5, 0);
    bench.send("negative", 5, -3);
    bench.send_raw("user1", 0, b"no json");
    bench.flush();
    let reader = Reader::new(&bench.bootstrap, &bench.out(), PARTITIONS);
    let rows = reader.read(1000, Duration::from_secs(20));
    assert_eq!(rows.len(), 1000);
    let sum: i64 = rows.iter().map(|r| r.field("n").as_i64().unwrap()).sum();
    assert_eq!(sum, 500_500);
    assert!(rows.iter().all(|r| r.headers["origin"].starts_with("two.0/")), "{:?}", rows[0]);
    let reader = Reader::new(&bench.bootstrap, "two.dead-letters", 1);
    assert_eq!(reader.read(2, Duration::from_secs(20)).len(), 2);
    let mut letters = Vec::new();
    let topic = bench.service().dead_letters;
    dead_letters::list(&configuration, &topic, &registry, |letter| letters.push(letter)).unwrap();
    letters.sort_by(|a, b| a.reason.cmp(&b.reason));
    let known: Vec<_> =
        letters.iter().map(|l| (l.reason.as_str(), l.stage.as_str(), l.topic.as_str())).collect();
    assert_eq!(known, [("malformed", "echo/0", "two.0"), ("negative", "echo/0", "two.0")]);
    assert_eq!(letters[0].value.as_deref(), Some(b"no json".as_slice()));
    assert_eq!(letters[1].detail, "n is -3");
    eventually("ready", Duration::from_secs(10), || readiness.ready().is_ok());
    let report = running.stop();
    assert_eq!((report.rows_in, report.rows_out, report.rejected, report.filtered), (2002, 2000, 2, 1));
    assert_eq!(bench.store.sums()["echo:zero"], "0");
}

#[test]
fn a_source_that_is_taken_once_more_gives_no_dead_letters_again() {
    let cluster = EmbeddedCluster::start().unwrap();
    let bench = bench("again", &cluster, 1);
    let mut service = bench.service();
    for checks in service.stages[0].inputs.iter_mut().filter_map(|input| input.source.as_mut()) {
        checks.dead_letters = false;
    }
    let running = start(service, bench.environment(Assignment::Fixed(Flow::new()), &[]));
    bench.send_raw("user1", 0, b"no json");
    bench.send("user1", 1, 7);
    bench.flush();
    let reader = Reader::new(&bench.bootstrap, &bench.out(), PARTITIONS);
    assert_eq!(reader.read(1, Duration::from_secs(20)).len(), 1, "the row after it is taken");
    let report = running.stop();
    assert_eq!((report.rows_out, report.rejected), (1, 0));
}

#[test]
fn an_idle_service_answers_in_milliseconds() {
    let cluster = EmbeddedCluster::start().unwrap();
    let bench = bench("idle", &cluster, 1);
    let running = start(bench.service(), bench.environment(Assignment::Fixed(Flow::new()), &[]));
    let reader = Reader::new(&bench.bootstrap, &bench.out(), PARTITIONS);
    bench.send("a", 1, 1);
    bench.flush();
    assert_eq!(reader.read(1, Duration::from_secs(20)).len(), 1);
    let mut times: Vec<_> = (0..20)
        .map(|n| {
            let sent = Instant::now();
            bench.send("a", n, 1);
            bench.flush();
            assert_eq!(reader.read(1, Duration::from_secs(20)).len(), 1);
            sent.elapsed()
        })
        .collect();
    times.sort_unstable();
    println!("latencies {times:?}");
    // The cluster in memory answers an empty fetch only when its wait is over: 5 ms and the reader's 10.
    assert!(times[10] < Duration::from_millis(150), "{times:?}");
    running.stop();
}

#[test]
fn a_panic_in_a_worker_is_an_error_of_the_run() {
    let cluster = EmbeddedCluster::start().unwrap();
    let bench = bench("panic", &cluster, 1);
    let environment = bench.environment(Assignment::Fixed(Flow::new()), &[]);
    let readiness = environment.readiness.clone();
    let running = start(bench.service(), environment);
    bench.send("a", 1, -666);
    bench.flush();
    let error = running.thread.join().unwrap().unwrap_err();
    assert!(matches!(&error, Error::Panic { message, .. } if message.contains("a broken task")), "{error}");
    assert!(readiness.live().is_err());
}

#[test]
fn a_store_that_is_away_stops_nothing_and_gets_the_newest_values_when_it_is_back() {
    let cluster = EmbeddedCluster::start().unwrap();
    let bench = bench("away", &cluster, 1);
    bench.store.0.lock().unwrap().away = true;
    let running = start(bench.service(), bench.environment(Assignment::Fixed(Flow::new()), &[]));
    for n in 1..=50 {
        bench.send("a", n, n);
    }
    bench.flush();
    let reader = Reader::new(&bench.bootstrap, &bench.out(), PARTITIONS);
    assert_eq!(reader.read(50, Duration::from_secs(20)).len(), 50);
    assert!(bench.store.sums().is_empty());
    bench.store.0.lock().unwrap().away = false;
    eventually("the store has caught up", Duration::from_secs(10), || {
        bench.store.sums().get("echo:a").is_some_and(|sum| sum == "1275")
    });
    running.stop();
}

#[test]
fn the_flow_says_what_is_in_flight_and_a_forgotten_record_stops_the_run() {
    let cluster = EmbeddedCluster::start().unwrap();
    let bench = bench("flow", &cluster, 1);
    let flow = Flow::new();
    flow.add_reader("flow.echo", "flow.0");
    let big = "x".repeat(100_000);
    // 12 MB on one partition: the oldest records are gone before anything reads them.
    for n in 0..120 {
        bench.send_raw("a", 0, format!(r#"{{"user":"{big}","at":{n},"n":1}}"#).as_bytes());
        bench.flush();
        flow.wrote("flow.0", 0, Amount { rows: 1, bytes: 100_000 });
    }
    assert_eq!(flow.in_flight().rows, 120);
    let running = start(bench.service(), bench.environment(Assignment::Fixed(flow), &[]));
    let error = running.thread.join().unwrap().unwrap_err();
    assert!(matches!(&error, Error::Lost(_)), "{error}");
}

/// Run by hand: `cargo test -p millrace-runtime --lib throughput -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn throughput_of_two_stages() {
    let cluster = EmbeddedCluster::start().unwrap();
    let bench = bench("fast", &cluster, 2);
    let flow = Flow::new();
    let running = start(bench.service(), bench.environment(Assignment::Fixed(flow.clone()), &[]));
    let reader = Reader::new(&bench.bootstrap, &bench.out(), PARTITIONS);
    let begun = Instant::now();
    let total = 200_000;
    std::thread::scope(|scope| {
        let counted = scope.spawn(|| reader.read(total, Duration::from_secs(20)).len());
        for n in 0..total {
            if n % 100 == 0 {
                flow.wait_below(Amount { rows: 5000, bytes: 1 << 20 }, Duration::from_secs(60));
            }
            let user = format!("user{}", n % 1000);
            let partition = bench.send(&user, 1_000_000 + n as i64, 1);
            flow.wrote("fast.0", partition, Amount::of_record(Some(user.as_bytes()), Some(&[0; 50])));
        }
        bench.flush();
        assert_eq!(counted.join().unwrap(), total);
    });
    let seconds = begun.elapsed().as_secs_f64();
    println!("{total} rows through two stages in {seconds:.2} s: {:.0}/s", total as f64 / seconds);
    running.stop();
}
