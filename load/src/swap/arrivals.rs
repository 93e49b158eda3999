//! When predictions arrived, how long after their payment, and under which deployment.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use arrow::array::AsArray as _;
use arrow::datatypes::Int64Type;
use millrace_schemas::{Decoder, Format, SchemaRegistry, TopicSchema};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};
use rdkafka::{Offset, TopicPartitionList};

use super::Done;
use crate::output::kafka::Options;

/// One prediction.
#[derive(Debug, Clone, Copy)]
struct Arrival {
    at: Instant,
    /// Since Kafka took the payment, in seconds; Kafka tells whole milliseconds.
    wait: f64,
    deployment: i64,
}

/// Those of all partitions, in the order of arrival.
#[derive(Default)]
struct Seen {
    all: Vec<Arrival>,
    /// By partition, the last one's deployment.
    last: Vec<Option<i64>>,
}

/// Follows the topic of predictions from its end on.
pub struct Arrivals {
    consumer: BaseConsumer,
    topic: String,
    decoder: Mutex<Decoder>,
    seen: Mutex<Seen>,
}

impl Arrivals {
    pub fn new(options: &Options, topic: &str, registry: &Arc<dyn SchemaRegistry>) -> Result<Self> {
        let subject = format!("{topic}-value");
        let (_, avro) =
            registry.latest(&subject)?.with_context(|| format!("no schema for {subject}; is it applied?"))?;
        let decoder = Decoder::new(Format::Avro, Arc::new(TopicSchema::parse(&avro)?), registry.clone());
        let mut client = options.client();
        client.set("group.id", "millrace-load-swap").set("enable.auto.commit", "false");
        client.set("isolation.level", "read_committed");
        let consumer: BaseConsumer = client.create().context("cannot make a Kafka client")?;
        let metadata = consumer.fetch_metadata(Some(topic), Duration::from_secs(30))?;
        let partitions = metadata.topics().first().map_or(0, |topic| topic.partitions().len());
        let mut assignment = TopicPartitionList::new();
        for partition in 0..i32::try_from(partitions)? {
            assignment.add_partition_offset(topic, partition, Offset::End)?;
        }
        consumer.assign(&assignment)?;
        let seen = Seen { all: Vec::new(), last: vec![None; partitions] };
        Ok(Self { consumer, topic: topic.to_owned(), decoder: Mutex::new(decoder), seen: Mutex::new(seen) })
    }

    /// Reads until it is done.
    pub fn follow(&self, done: &Done) -> Result<()> {
        while !done.is_set() {
            let Some(message) = self.consumer.poll(Duration::from_millis(100)) else { continue };
            let message = message.with_context(|| format!("cannot read {}", self.topic))?;
            let (at, now) = (Instant::now(), SystemTime::now().duration_since(UNIX_EPOCH)?);
            let wait = now.as_secs_f64() - produced_ms(&message)? / 1e3;
            let deployment = self.deployment(&message)?;
            let mut seen = self.seen();
            seen.all.push(Arrival { at, wait, deployment });
            if let Some(last) = seen.last.get_mut(usize::try_from(message.partition())?) {
                *last = Some(deployment);
            }
        }
        Ok(())
    }

    fn deployment(&self, message: &BorrowedMessage<'_>) -> Result<i64> {
        let mut decoder = self.decoder.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = decoder.decode(&[message.payload()])?.rows;
        let column = rows.column_by_name("deployment").context("predictions without a deployment")?;
        let column = column.as_primitive_opt::<Int64Type>().filter(|column| !column.is_empty());
        Ok(column.with_context(|| format!("{}: a prediction that cannot be read", self.topic))?.value(0))
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many there were.
    pub fn count(&self) -> usize {
        self.seen().all.len()
    }

    /// Whether every partition that had any answers under this deployment now.
    pub fn all_since(&self, deployment: i64) -> bool {
        self.seen().last.iter().flatten().all(|last| *last >= deployment)
    }

    /// When the last answer under an earlier deployment arrived.
    pub fn last_before(&self, deployment: i64) -> Option<Instant> {
        self.seen().all.iter().rev().find(|one| one.deployment < deployment).map(|one| one.at)
    }

    /// How long those waited that arrived in this time, in seconds.
    pub fn waits(&self, from: Instant, to: Instant) -> Vec<f64> {
        let seen = self.seen();
        seen.all.iter().filter(|one| (from..to).contains(&one.at)).map(|one| one.wait).collect()
    }
}

fn produced_ms(message: &BorrowedMessage<'_>) -> Result<f64> {
    let headers = message.headers().context("a prediction without headers")?;
    let stamp = headers.iter().find(|header| header.key == "origin-timestamp");
    let stamp = stamp.and_then(|header| header.value).context("a prediction without origin-timestamp")?;
    Ok(std::str::from_utf8(stamp)?.parse()?)
}
