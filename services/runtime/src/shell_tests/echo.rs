//! A service that passes its rows on, and what tests need around it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use arrow::array::{Array, AsArray, BooleanArray};
use arrow::compute::filter_record_batch;
use arrow::datatypes::Int64Type;
use millrace_schemas::envelope::DeadLetter;
use millrace_schemas::{Format, InProcessRegistry, TopicSchema};
use millrace_topics::{KafkaTopic, Partitioner, Start};
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, Message};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::service::{InputTopic, Service, SourceChecks, Stage};
use crate::store::{Hash, OnlineStore, StoreError, VersionedWrite};
use crate::task::{Batch, Effects, KeyWrite, Output, Phase, Progress, Rejection, Task, TaskError};
use crate::{Args, Assignment, Configuration, Environment, Error, Readiness, Report, Shutdown, run};

pub const PARTITIONS: u32 = 3;

const EVENT: &str = r#"{"type":"record","name":"Event","namespace":"test","fields":[
    {"name":"user","type":["null","string"],"default":null},
    {"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},
    {"name":"n","type":"long"}]}"#;

pub fn topic(name: &str, partitions: u32) -> KafkaTopic {
    let letters = name.ends_with("dead-letters");
    KafkaTopic {
        name: name.into(),
        format: Format::Json,
        schema: Some(Arc::new(TopicSchema::parse(if letters { DeadLetter::AVRO } else { EVENT }).unwrap())),
        key: (!letters).then(|| "user".into()),
        partitioner: Partitioner::Murmur2,
        partitions,
        retention_ms: None,
        settings: BTreeMap::new(),
    }
}

/// Passes rows on; keeps one running sum per user, which its store write shows; refuses negative n, filters n = 0,
/// panics at n = -666.
#[derive(Default)]
pub struct Echo {
    sums: BTreeMap<String, i64>,
    time: Option<i64>,
    first: Option<i64>,
    rows: usize,
    pub log: Arc<Mutex<Vec<(Phase, i64)>>>,
}

impl Task for Echo {
    fn apply(&mut self, batch: &Batch, effects: &mut Effects) -> Result<(), TaskError> {
        let mut touched = BTreeMap::new();
        for (input_number, input) in batch.inputs.iter().enumerate() {
            let users = input.rows.column_by_name("user").unwrap().as_string::<i32>().clone();
            let n = input.rows.column_by_name("n").unwrap().as_primitive::<Int64Type>().clone();
            let mut keep = vec![false; input.rows.num_rows()];
            let mut cause = Vec::new();
            for (i, taken) in batch.order.iter().enumerate().filter(|(_, t)| t.input as usize == input_number)
            {
                let row = taken.row as usize;
                let value = n.value(row);
                self.log.lock().unwrap().push((batch.phase, value));
                assert_ne!(value, -666, "a broken task");
                self.rows += 1;
                let meta = &input.meta[row];
                self.first = self.first.or(Some(meta.offset));
                self.time = self.time.max(Some(meta.time_ms));
                let user = if users.is_null(row) { "" } else { users.value(row) };
                let sum = self.sums.entry(user.to_owned()).or_default();
                *sum += value;
                touched.insert(user.to_owned(), *sum);
                if value < 0 {
                    let detail = format!("n is {value}");
                    effects.rejected.push(Rejection { row: i as u32, reason: "negative", detail });
                } else if value == 0 {
                    effects.filtered += 1;
                } else {
                    keep[row] = true;
                    cause.push((row, i as u32));
                }
            }
            cause.sort_unstable();
            let rows = filter_record_batch(&input.rows, &BooleanArray::from(keep)).unwrap();
            let cause = cause.into_iter().map(|(_, i)| i).collect();
            effects.outputs.push(Output { topic: 0, rows, cause, late: Vec::new() });
        }
        for (user, sum) in touched {
            let fields = vec![("sum".into(), sum.to_string())];
            effects.writes.push(KeyWrite { key: format!("echo:{user}"), fields, ttl_ms: None });
        }
        Ok(())
    }

    fn progress(&self) -> Progress {
        Progress { task_time_ms: self.time, rebuild_from: vec![self.first] }
    }

    fn restore(&mut self, committed: &Progress) {
        self.time = committed.task_time_ms.max(self.time);
    }

    fn state_size(&self) -> (u64, u64) {
        (self.rows as u64, 0)
    }
}

/// A store in memory that can be taken away.
#[derive(Clone, Default)]
pub struct MapStore(pub Arc<Mutex<Map>>);

#[derive(Default)]
pub struct Map {
    pub away: bool,
    pub keys: HashMap<String, VersionedWrite>,
}

impl OnlineStore for MapStore {
    fn write(&mut self, writes: &[VersionedWrite]) -> Result<(), StoreError> {
        let mut map = self.0.lock().unwrap();
        if map.away {
            return Err(StoreError::Unavailable("taken away".into()));
        }
        for write in writes {
            let old = map.keys.get(&write.write.key).map(|w| w.version);
            if old.is_none_or(|old| write.version >= old) {
                map.keys.insert(write.write.key.clone(), write.clone());
            }
        }
        Ok(())
    }

    fn read(&mut self, _: &[String]) -> Result<Vec<Hash>, StoreError> {
        Ok(Vec::new())
    }
}

impl MapStore {
    /// The sum that each user's key shows.
    pub fn sums(&self) -> BTreeMap<String, String> {
        let map = self.0.lock().unwrap();
        map.keys.iter().map(|(k, w)| (k.clone(), w.write.fields[0].1.clone())).collect()
    }
}

/// Everything that a test drives.
pub struct Bench {
    pub app: String,
    pub bootstrap: String,
    pub store: MapStore,
    pub log: Arc<Mutex<Vec<(Phase, i64)>>>,
    pub start: Start,
    pub stages: usize,
    producer: BaseProducer,
}

impl Bench {
    /// `app` keeps tests apart that share a cluster.
    pub fn new(app: &str, bootstrap: &str) -> Self {
        let producer = ClientConfig::new().set("bootstrap.servers", bootstrap).create().unwrap();
        Self {
            app: app.into(),
            bootstrap: bootstrap.into(),
            store: MapStore::default(),
            log: Arc::default(),
            start: Start::Earliest,
            stages: 1,
            producer,
        }
    }

    pub fn topics(&self) -> Vec<KafkaTopic> {
        let mut topics: Vec<_> =
            (0..=self.stages).map(|i| topic(&format!("{}.{i}", self.app), PARTITIONS)).collect();
        topics.push(topic(&format!("{}.dead-letters", self.app), 1));
        topics
    }

    pub fn out(&self) -> String {
        format!("{}.{}", self.app, self.stages)
    }

    pub fn service(&self) -> Service {
        let topics = self.topics();
        let stages = (0..self.stages).map(|i| {
            let log = self.log.clone();
            Stage {
                name: format!("echo/{i}"),
                inputs: vec![InputTopic {
                    topic: topics[i].clone(),
                    time: "at".into(),
                    source: (i == 0).then_some(SourceChecks { max_ahead_ms: 86_400_000, dead_letters: true }),
                }],
                outputs: vec![topics[i + 1].clone()],
                alignment: None,
                stateful: true,
                start: self.start,
                task: Arc::new(move |_| Ok(Box::new(Echo { log: log.clone(), ..Echo::default() }))),
            }
        });
        Service {
            name: "echo".into(),
            group: format!("{}.echo", self.app),
            stages: stages.collect(),
            dead_letters: topics[self.stages + 1].clone(),
            ready: Arc::new(|| Ok(())),
        }
    }

    pub fn environment(&self, assignment: Assignment, flags: &[(&str, &str)]) -> Environment {
        let environment = flags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let mut args = Args { kafka_bootstrap: Some(self.bootstrap.clone()), ..Args::default() };
        args.workers = Some(2);
        let mut configuration = Configuration::resolve(&args, environment, "").unwrap();
        for (key, value) in flags {
            match *key {
                "delivery" => {
                    configuration.delivery = clap::ValueEnum::from_str(value, true).unwrap();
                }
                "workers" => configuration.workers = value.parse().unwrap(),
                _ => {}
            }
        }
        let store = self.store.clone();
        Environment {
            configuration,
            registry: Arc::new(InProcessRegistry::default()),
            open_store: Arc::new(move || Ok(Box::new(store.clone()))),
            assignment,
            readiness: Readiness::new(),
        }
    }

    /// Sends an event to the first topic; the partition it went to.
    pub fn send(&self, user: &str, at: i64, n: i64) -> i32 {
        self.send_event(&format!("{}.0", self.app), user, at, n)
    }

    pub fn send_event(&self, topic: &str, user: &str, at: i64, n: i64) -> i32 {
        let partition = Partitioner::Murmur2.partition(Some(user.as_bytes()), PARTITIONS).cast_signed();
        let payload = format!(r#"{{"user":"{user}","at":{at},"n":{n}}}"#);
        self.send_to(topic, user, partition, payload.as_bytes());
        partition
    }

    pub fn send_raw(&self, key: &str, partition: i32, payload: &[u8]) {
        self.send_to(&format!("{}.0", self.app), key, partition, payload);
    }

    pub fn send_to(&self, name: &str, key: &str, partition: i32, payload: &[u8]) {
        loop {
            let record = BaseRecord::to(name).partition(partition).key(key).payload(payload);
            match self.producer.send(record) {
                Ok(()) => break,
                Err((e, _))
                    if e.rdkafka_error_code() == Some(rdkafka::types::RDKafkaErrorCode::QueueFull) =>
                {
                    self.producer.poll(Duration::from_millis(1));
                }
                Err((e, _)) => panic!("{e}"),
            }
        }
    }

    pub fn flush(&self) {
        // The client's own flush polls for 100 ms at a time.
        eventually("everything is sent", Duration::from_secs(60), || {
            self.producer.poll(Duration::from_millis(1));
            self.producer.in_flight_count() == 0
        });
    }
}

/// A service on a thread of its own.
pub struct Running {
    pub shutdown: Shutdown,
    pub thread: JoinHandle<Result<Report, Error>>,
}

pub fn start(service: Service, environment: Environment) -> Running {
    let shutdown = Shutdown::new();
    let handle = shutdown.clone();
    Running { shutdown, thread: std::thread::spawn(move || run(service, environment, handle)) }
}

impl Running {
    pub fn stop(self) -> Report {
        self.shutdown.request();
        self.thread.join().unwrap().unwrap()
    }
}

/// A record that a test reads.
#[derive(Debug, Clone)]
pub struct Read {
    pub text: String,
    pub headers: BTreeMap<String, String>,
}

impl Read {
    pub fn field(&self, name: &str) -> serde_json::Value {
        serde_json::from_str::<serde_json::Value>(&self.text).unwrap()[name].clone()
    }
}

/// Reads a topic's committed records from the beginning.
pub struct Reader(BaseConsumer);

impl Reader {
    pub fn new(bootstrap: &str, topic: &str, partitions: u32) -> Self {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", bootstrap)
            .set("group.id", "a test's reader")
            .set("enable.auto.commit", "false")
            .set("isolation.level", "read_committed")
            .set("fetch.wait.max.ms", "10")
            .create()
            .unwrap();
        let mut list = rdkafka::TopicPartitionList::new();
        for p in 0..partitions.cast_signed() {
            list.add_partition_offset(topic, p, rdkafka::Offset::Offset(0)).unwrap();
        }
        consumer.assign(&list).unwrap();
        Self(consumer)
    }

    /// Reads until `count` records came, or none more for `idle`.
    pub fn read(&self, count: usize, idle: Duration) -> Vec<Read> {
        let mut records = Vec::new();
        let mut last = Instant::now();
        while records.len() < count && last.elapsed() < idle {
            let Some(Ok(message)) = self.0.poll(Duration::from_millis(20)) else { continue };
            last = Instant::now();
            let headers = message.headers().map(|headers| {
                let text = |v: Option<&[u8]>| String::from_utf8_lossy(v.unwrap_or_default()).into_owned();
                headers.iter().map(|h| (h.key.to_owned(), text(h.value))).collect()
            });
            records.push(Read {
                text: String::from_utf8_lossy(message.payload().unwrap_or_default()).into_owned(),
                headers: headers.unwrap_or_default(),
            });
        }
        records
    }
}

/// Waits until `condition` holds.
pub fn eventually(what: &str, bound: Duration, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + bound;
    while !condition() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        std::thread::yield_now();
        std::thread::park_timeout(Duration::from_millis(5));
    }
}
