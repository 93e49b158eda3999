//! Against librdkafka's own cluster in memory; against Apache Kafka in the end-to-end tests.

use std::collections::HashMap;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use arrow::compute::concat_batches;
use arrow::record_batch::RecordBatch;
use millrace_schemas::{Decoder, Format, InProcessRegistry, SchemaRegistry, TopicSchema};
use millrace_topics::Partitioner;
use rdkafka::Message;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

use super::*;
use crate::fraud::{
    Event, Label, Params, Payment, labels_batch, labels_schema, payments_batch, payments_schema, stream,
};
use crate::output::source::Payments;

const TRANSACTIONS: &str = include_str!("../../../../schemas/fraud/transactions.avsc");
const LABELS: &str = include_str!("../../../../schemas/fraud/labels.avsc");
const PARTITIONS: i32 = 4;

struct Bus {
    cluster: MockCluster<'static, DefaultProducerContext>,
    registry: Arc<InProcessRegistry>,
}

impl Bus {
    fn start() -> Self {
        let cluster = MockCluster::new(1).unwrap();
        let registry = InProcessRegistry::default();
        for (topic, avro) in [("fraud.transactions", TRANSACTIONS), ("fraud.labels", LABELS)] {
            cluster.create_topic(topic, PARTITIONS, 1).unwrap();
            registry.register(&format!("{topic}-value"), avro).unwrap();
        }
        Self { cluster, registry: Arc::new(registry) }
    }

    fn options(&self) -> Options {
        Options {
            bootstrap: self.cluster.bootstrap_servers(),
            registry: String::new(),
            app: "fraud".into(),
            rate: None,
            follow: None,
            kafka: vec![],
        }
    }

    /// How many records the cluster holds.
    fn records(&self) -> usize {
        let observer = self.consumer("observer");
        let timeout = Duration::from_secs(10);
        let end = |topic, partition| observer.fetch_watermarks(topic, partition, timeout).unwrap().1;
        let all =
            ["fraud.transactions", "fraud.labels"].map(|topic| (0..PARTITIONS).map(move |p| (topic, p)));
        let ends = all.into_iter().flatten().map(|(topic, partition)| end(topic, partition));
        usize::try_from(ends.sum::<i64>()).unwrap()
    }

    fn consumer(&self, group: &str) -> BaseConsumer {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", self.cluster.bootstrap_servers()).set("group.id", group);
        config.set("auto.offset.reset", "earliest").set("enable.auto.commit", "false").create().unwrap()
    }
}

struct Read {
    topic: String,
    partition: i32,
    key: Vec<u8>,
    payload: Vec<u8>,
}

fn read(consumer: &BaseConsumer, count: usize) -> Vec<Read> {
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut records = Vec::new();
    while records.len() < count {
        assert!(Instant::now() < deadline, "{} of {count} records came", records.len());
        let Some(record) = consumer.poll(Duration::from_millis(100)) else { continue };
        let record = record.unwrap();
        records.push(Read {
            topic: record.topic().to_owned(),
            partition: record.partition(),
            key: record.key().unwrap().to_vec(),
            payload: record.payload().unwrap().to_vec(),
        });
    }
    records
}

fn small() -> Params {
    Params { customers: 40, terminals: 80, days: 12, radius: 30.0, ..Params::default() }
}

fn sorted(batch: &RecordBatch) -> Vec<String> {
    let options = arrow::util::display::FormatOptions::default();
    let columns: Vec<_> = batch
        .columns()
        .iter()
        .map(|c| arrow::util::display::ArrayFormatter::try_new(c, &options).unwrap())
        .collect();
    let row = |i| columns.iter().map(|c| c.value(i).to_string()).collect::<Vec<_>>().join(" ");
    let mut rows: Vec<String> = (0..batch.num_rows()).map(row).collect();
    rows.sort();
    rows
}

#[test]
fn batches_have_the_columns_of_the_applications_schemas() {
    for (avro, ours) in [(TRANSACTIONS, payments_schema()), (LABELS, labels_schema())] {
        let theirs = TopicSchema::parse(avro).unwrap();
        let fields = |schema: &arrow::datatypes::SchemaRef| -> Vec<_> {
            let field =
                |f: &Arc<arrow::datatypes::Field>| (f.name().clone(), f.data_type().clone(), f.is_nullable());
            schema.fields().iter().map(field).collect()
        };
        assert_eq!(fields(theirs.arrow()), fields(&ours));
    }
}

#[test]
fn every_event_arrives_once_decodes_and_lies_in_the_partition_of_its_customer() {
    let bus = Bus::start();
    let events: Vec<Event> = stream(&small()).collect();
    let report =
        send_watched(&Payments, events.iter().copied(), &bus.options(), bus.registry.as_ref(), &mut ())
            .unwrap();
    assert_eq!(report.records, events.len() as u64);

    let consumer = bus.consumer("reader");
    consumer.subscribe(&["fraud.transactions", "fraud.labels"]).unwrap();
    let records = read(&consumer, events.len());
    for record in &records {
        let partition = Partitioner::Murmur2.partition(Some(&record.key), 4);
        assert_eq!(record.partition, partition.cast_signed());
    }
    let (payments, labels): (Vec<&Event>, Vec<&Event>) =
        events.iter().partition(|event| matches!(event, Event::Payment(_)));
    let payments: Vec<Payment> =
        payments.iter().filter_map(|e| if let Event::Payment(p) = e { Some(*p) } else { None }).collect();
    let labels: Vec<Label> =
        labels.iter().filter_map(|e| if let Event::Label(l) = e { Some(*l) } else { None }).collect();
    let expected = [
        ("fraud.transactions", TRANSACTIONS, payments_batch(&payments)),
        ("fraud.labels", LABELS, labels_batch(&labels)),
    ];
    for (topic, avro, expected) in expected {
        let schema = Arc::new(TopicSchema::parse(avro).unwrap());
        let mut decoder = Decoder::new(Format::Avro, Arc::clone(&schema), bus.registry.clone());
        let payloads: Vec<Option<&[u8]>> =
            records.iter().filter(|r| r.topic == topic).map(|r| Some(r.payload.as_slice())).collect();
        let decoded = decoder.decode(&payloads).unwrap();
        assert!(decoded.rejected.is_empty());
        assert_eq!(sorted(&decoded.rows), sorted(&expected.unwrap()));
    }
    in_order_per_partition(&records, &bus, &events);
}

/// Within a partition a customer's records keep the stream's order.
fn in_order_per_partition(records: &[Read], bus: &Bus, events: &[Event]) {
    let schema = Arc::new(TopicSchema::parse(TRANSACTIONS).unwrap());
    let mut by_partition: HashMap<i32, Vec<&Read>> = HashMap::new();
    for record in records.iter().filter(|r| r.topic == "fraud.transactions") {
        by_partition.entry(record.partition).or_default().push(record);
    }
    assert_eq!(by_partition.len(), 4);
    for (partition, records) in by_partition {
        let mut decoder = Decoder::new(Format::Avro, Arc::clone(&schema), bus.registry.clone());
        let payloads: Vec<Option<&[u8]>> = records.iter().map(|r| Some(r.payload.as_slice())).collect();
        let rows = decoder.decode(&payloads).unwrap().rows;
        let expected: Vec<Payment> = events
            .iter()
            .filter_map(|e| if let Event::Payment(p) = e { Some(*p) } else { None })
            .filter(|p| {
                Partitioner::Murmur2.partition(Some(p.customer.to_string().as_bytes()), 4)
                    == partition.cast_unsigned()
            })
            .collect();
        let expected = payments_batch(&expected).unwrap();
        let rows = concat_batches(&rows.schema(), [&rows]).unwrap();
        assert_eq!(rows["tx_id"].as_ref(), expected["tx_id"].as_ref());
    }
}

#[test]
fn a_missing_topic_or_schema_is_an_error_that_says_what_to_run() {
    let bus = Bus::start();
    let events = || stream(&small()).take(1);
    let unregistered = InProcessRegistry::default();
    let error =
        send_watched(&Payments, events(), &bus.options(), &unregistered, &mut ()).unwrap_err().to_string();
    assert!(error.contains("fraud.transactions-value") && error.contains("topics apply"), "{error}");
}

#[test]
fn a_rate_is_kept() {
    let bus = Bus::start();
    let options = Options { rate: Some(1000.0), ..bus.options() };
    let report =
        send_watched(&Payments, stream(&small()).take(500), &options, bus.registry.as_ref(), &mut ())
            .unwrap();
    // The 491st record, which begins the last chunk of ten, is due at 0.49 s.
    assert!(report.elapsed >= Duration::from_millis(490), "{report:?}");
}

#[test]
fn a_followed_group_is_never_left_further_behind_than_the_bound() {
    let bus = Bus::start();
    let consumer = bus.consumer("fraud.features.abc");
    consumer.subscribe(&["fraud.transactions", "fraud.labels"]).unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while consumer.assignment().unwrap().count() == 0 {
        assert!(Instant::now() < deadline, "no assignment");
        let _ = consumer.poll(Duration::from_millis(50));
    }
    let total = 5_000;
    let follow = Follow { group: "fraud.features.abc".into(), max_lag_rows: 1_500 };
    let options = Options { follow: Some(follow), ..bus.options() };
    let registry = bus.registry.clone();
    let sender = thread::spawn(move || {
        let params = Params { customers: 200, ..small() };
        send_watched(&Payments, stream(&params).take(total), &options, registry.as_ref(), &mut ()).unwrap()
    });
    let mut seen = 0;
    while seen < total {
        assert!(Instant::now() < deadline + Duration::from_secs(60), "{seen} of {total}");
        if consumer.poll(Duration::from_millis(100)).transpose().unwrap().is_some() {
            seen += 1;
            if seen % 250 == 0 || seen == total {
                let committed = (seen - 1) / 250 * 250;
                assert!(bus.records() <= committed + 1_500 + 1_000, "{} at {committed}", bus.records());
                consumer.commit_consumer_state(CommitMode::Sync).unwrap();
            }
        }
    }
    assert_eq!(sender.join().unwrap().records, total as u64);
}
