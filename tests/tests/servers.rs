//! The harness keeps its promises: servers run, foreign clients reach them, nothing is left behind.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use millrace_tests::application::Application;
use millrace_tests::foreign::{Producer, Topic, consume};
use millrace_tests::process::Process;
use millrace_tests::stack::Stack;
use millrace_tests::{reader, reaper, wait};
use serde_json::json;

const SCHEMA: &str = r#"{"type": "record", "name": "Sighting", "namespace": "birds", "fields": [
    {"name": "bird", "type": "string"},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    {"name": "grams", "type": ["null", "double"]}]}"#;

#[test]
fn a_record_of_the_foreign_client_goes_through_kafka_and_the_registry_and_is_read_back_by_both_readers() {
    let stack = Stack::shared().unwrap();
    let app = Application::empty("birds").unwrap();
    app.write("sightings.avsc", SCHEMA).unwrap();
    let topic = app.topic("sightings");
    stack.kafka.create_topic(&topic, 4).unwrap();
    assert_eq!(stack.kafka.topics(app.name()).unwrap(), [(topic.clone(), 4)].into());

    let schema = app.folder().join("sightings.avsc");
    let producer = Producer::new(stack, app.name(), vec![Topic::avro("sightings", "bird", "at", &schema)]);
    let delivered = producer
        .publish_lines(&[
            json!({"topic": "sightings", "bird": "wren", "at": 1000, "grams": 8.5}),
            json!({"topic": "sightings", "bird": "crow", "at": 2000, "grams": null}),
        ])
        .unwrap();
    assert_eq!(delivered, 2);

    let records = reader::wait_for(stack, &topic, 2, Duration::from_secs(20)).unwrap();
    assert_eq!(reader::read_all(stack, &topic).unwrap().len(), 2);
    let rows = reader::decode(stack, &topic, &records).unwrap();
    let mut birds = millrace_tests::rows::ids(&rows, "bird").unwrap();
    birds.sort();
    assert_eq!(birds, ["crow", "wren"]);

    let foreign = consume(stack, &topic, 2, Duration::from_secs(30)).unwrap();
    let wren = foreign.iter().find(|record| record["key"] == "wren").unwrap();
    assert_eq!(wren["value"], json!({"bird": "wren", "at": 1000, "grams": 8.5}));
    // murmur2("wren") of Kafka's own partitioner.
    let partition = millrace_topics::Partitioner::Murmur2.partition(Some(b"wren"), 4);
    assert_eq!(wren["partition"], partition);
}

#[test]
fn redis_gives_back_hashes_by_prefix_with_their_time_to_live() {
    let redis = &Stack::shared().unwrap().redis;
    let app = Application::empty("hashes").unwrap();
    let key = format!("{}:1", app.name());
    let mut connection = redis::Client::open(redis.url()).unwrap().get_connection().unwrap();
    redis::cmd("HSET").arg(&key).arg("a").arg("1.5").exec(&mut connection).unwrap();
    assert_eq!(redis.ttl_ms(&key).unwrap(), None);
    redis::cmd("PEXPIRE").arg(&key).arg(60_000).exec(&mut connection).unwrap();
    assert!(redis.ttl_ms(&key).unwrap().unwrap() > 0);
    let hashes = redis.hashes(app.name()).unwrap();
    assert_eq!(hashes, [(key, [("a".to_string(), "1.5".to_string())].into())].into());
}

#[test]
fn a_process_that_is_waited_for_in_vain_fails_with_the_end_of_its_output() {
    let mut process =
        Process::spawn("talker", Command::new("sh").args(["-c", "echo one; echo two >&2"])).unwrap();
    let error = process.wait_for_line("three", Duration::from_secs(20)).unwrap_err();
    let text = format!("{error:#}");
    assert!(text.contains("ended") && text.contains("one") && text.contains("two"), "{text}");
}

#[test]
#[ignore = "run by the test below, in a process that is then killed"]
fn holds_a_process_and_a_folder() {
    let folder = reaper::temporary_folder().unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", "echo $$ > pid.part; mv pid.part pid; exec sleep 600"]).current_dir(folder.path());
    let mut process = Process::spawn("sleeper", &mut command).unwrap();
    println!("folder={}", folder.path().display());
    process.wait(Duration::from_secs(600)).unwrap();
}

#[test]
fn what_a_killed_test_process_started_ends_with_it() {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--nocapture", "--exact", "servers::holds_a_process_and_a_folder"]);
    let mut test = Process::spawn("a test process", &mut command).unwrap();
    let line = test.wait_for_line("folder=", Duration::from_secs(20)).unwrap();
    let folder = Path::new(line.split_once("folder=").unwrap().1);
    let pid = wait::until("the sleeper's pid", Duration::from_secs(20), || {
        Ok(std::fs::read_to_string(folder.join("pid")).ok())
    });
    let pid = pid.unwrap().trim().to_string();
    let alive = || {
        let status =
            Command::new("sh").args(["-c", &format!("kill -0 {pid}")]).stderr(Stdio::null()).status();
        status.unwrap().success()
    };
    assert!(alive());
    test.kill().unwrap();
    wait::until("the end of what it left", Duration::from_secs(20), || {
        Ok((!alive() && !folder.exists()).then_some(()))
    })
    .unwrap();
}
