//! Consumers set the pace: the generator stays a bounded number of records ahead of what they committed.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::delivery::Producer;

const TIMEOUT: Duration = Duration::from_secs(30);
/// How often commits are asked for while waiting.
const ASK_EVERY: Duration = Duration::from_millis(50);
/// Above a rebalance with a rebuild (the runtime's `max_wait`).
const STUCK_AFTER: Duration = Duration::from_secs(600);

/// Whom to follow.
#[derive(Debug, Clone)]
pub struct Follow {
    /// The consumer group. A name that ends in `*` (`fraud.features*`) is the one group that begins so and has
    /// consumers now.
    pub group: String,
    /// How many records may be sent and not committed by the group, beside a chunk of up to 1,000.
    pub max_lag_rows: u64,
}

/// The lag of a consumer group.
pub struct Lag {
    consumer: BaseConsumer,
    max_lag_rows: u64,
    group: String,
}

impl Lag {
    /// Finds the group.
    pub fn new(follow: Follow, client: &ClientConfig) -> Result<Self> {
        let group = match follow.group.strip_suffix('*') {
            Some(beginning) => find_group(beginning, client)?,
            None => follow.group,
        };
        let mut config = client.clone();
        config.set("group.id", &group).set("enable.auto.commit", "false");
        let consumer = config.create().context("cannot make a Kafka client")?;
        Ok(Self { consumer, max_lag_rows: follow.max_lag_rows, group })
    }

    /// Waits until no more than the bound is uncommitted.
    pub fn wait(&mut self, producer: &Producer) -> Result<()> {
        let mut moved = Instant::now();
        let mut last = u64::MAX;
        loop {
            let lag = self.rows(producer)?;
            if lag <= self.max_lag_rows {
                return Ok(());
            }
            if lag != last {
                (last, moved) = (lag, Instant::now());
            } else if moved.elapsed() > STUCK_AFTER {
                bail!(
                    "group {} has not moved for {} s; it is {lag} records behind",
                    self.group,
                    STUCK_AFTER.as_secs()
                );
            }
            producer.serve_until(Instant::now() + ASK_EVERY)?;
        }
    }

    fn rows(&self, producer: &Producer) -> Result<u64> {
        let in_flight = producer.in_flight();
        let ends = producer.next_offsets();
        if ends.is_empty() {
            return Ok(in_flight);
        }
        let mut partitions = TopicPartitionList::new();
        for (topic, partition) in ends.keys() {
            partitions.add_partition(topic, *partition);
        }
        let committed = self.consumer.committed_offsets(partitions, TIMEOUT);
        let committed = committed.with_context(|| format!("cannot read the commits of {}", self.group))?;
        let behind = committed.elements().into_iter().map(|element| {
            let end = ends.get(&(element.topic().to_owned(), element.partition())).copied().unwrap_or(0);
            let at = if let Offset::Offset(at) = element.offset() { at } else { 0 };
            u64::try_from(end - at).unwrap_or(0)
        });
        Ok(in_flight + behind.sum::<u64>())
    }
}

fn find_group(beginning: &str, client: &ClientConfig) -> Result<String> {
    let finder: BaseConsumer = client.create().context("cannot make a Kafka client")?;
    let groups = finder.fetch_group_list(None, TIMEOUT).context("cannot list the consumer groups")?;
    let alive = groups.groups().iter().filter(|group| !group.members().is_empty());
    let mut names: Vec<&str> =
        alive.map(|group| group.name()).filter(|name| name.starts_with(beginning)).collect();
    names.sort_unstable();
    match names.as_slice() {
        [group] => Ok((*group).to_owned()),
        [] => bail!("no consumer group whose name begins with `{beginning}` has consumers now"),
        several => bail!("`{beginning}` is the beginning of several groups: {}", several.join(", ")),
    }
}
