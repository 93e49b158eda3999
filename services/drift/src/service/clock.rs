//! The clock: writes the moments at which triggers of time are due, and goes on without partitions that are silent.
//!
//! What it decides stands in the log before anybody acts on it, so that a replay reads the decision. One process has the
//! word, the one that runs the judge; should two believe so for a moment, they write the same twice, which changes
//! nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use millrace_schemas::{Encoder, SchemaRegistry};
use millrace_topics::KafkaTopic;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{Offset, TopicPartitionList};
use serde::Serialize;

use super::Error;
use super::by_id::Router;
use super::message::{Message, encode};
use super::notes::{Entry, JoinNote, Place, RowNote};
use super::shared::{Clocks, Told};
use super::skew::SkewNote;
use crate::retrain::Schedule;

/// How often it looks.
const LOOK: Duration = Duration::from_secs(1);
/// How long Kafka may take for a record.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What the clock does.
pub struct Wall {
    /// How to reach the cluster.
    pub kafka: ClientConfig,
    /// Where schema ids come from.
    pub registry: Arc<dyn SchemaRegistry>,
    /// Whose offsets tell that a partition moves: by what places are called, group and topic. Empty: offsets are not
    /// committed.
    pub groups: BTreeMap<String, (String, String)>,
    /// Where partitions' times are told to the judge of rows.
    pub rows: KafkaTopic,
    /// Where they are told to the join, and how all of it is reached.
    pub by_id: Option<(KafkaTopic, Router)>,
    /// Where they are told to the task that compares served rows with recomputed ones.
    pub skew: Option<KafkaTopic>,
    /// Where ticks are told.
    pub journal: KafkaTopic,
    /// When triggers of time are due.
    pub schedules: Vec<Schedule>,
    /// How long a partition may be silent, in ms.
    pub max_wait_ms: i64,
    /// How far it must lie behind for that, in ms of record time.
    pub step_ms: i64,
    /// What the tasks of this process know.
    pub clocks: Arc<Clocks>,
}

/// The running clock; it stops with the value.
pub struct Running {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Wall {
    /// Starts the clock's thread.
    pub fn start(self) -> Result<Running, Error> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::Builder::new().name("drift clock".into()).spawn(move || {
            let mut watch = Watch::default();
            while !stopped.load(Ordering::Relaxed) {
                if let Err(error) = self.look(&mut watch) {
                    tracing::warn!(%error, "the clock of drift could not write; it tries again");
                }
                std::thread::park_timeout(LOOK);
            }
        });
        let thread = thread.map_err(|error| Error::Internal(format!("cannot start the clock: {error}")))?;
        Ok(Running { stop, thread: Some(thread) })
    }

    fn look(&self, watch: &mut Watch) -> Result<(), Error> {
        if !self.clocks.owned() {
            *watch = Watch::default();
            return Ok(());
        }
        let (told, ticked_ms) = self.clocks.read();
        let now_ms = now_ms();
        if let Some(due_ms) = due(&self.schedules, ticked_ms.max(watch.ticked_ms), now_ms) {
            self.write(&self.journal, &[entry(due_ms)])?;
            watch.ticked_ms = Some(due_ms);
        }
        let behind = behind(&told, self.step_ms);
        watch.retain(&behind);
        for (place, told, to_ms) in behind {
            let position = self.position(watch, &place);
            if watch.is_silent(&place, told, position, self.max_wait_ms) {
                tracing::warn!(
                    topic = place.topic,
                    partition = place.partition,
                    to_ms,
                    "no rows for too long: windows no longer wait for this partition"
                );
                self.tell(&place, to_ms)?;
            }
        }
        Ok(())
    }

    /// Tells the time that the others have reached in the name of a silent partition.
    fn tell(&self, place: &Place, time_ms: i64) -> Result<(), Error> {
        let head = RowNote::Progress { place: place.clone(), time_ms, silent: true };
        self.write(&self.rows, &[Message { key: None, time_ms, head, body: Vec::new() }])?;
        if let Some(skew) = &self.skew {
            let head = SkewNote::Progress { place: place.clone(), time_ms, silent: true };
            self.write(skew, &[Message { key: None, time_ms, head, body: Vec::new() }])?;
        }
        let Some((topic, router)) = &self.by_id else { return Ok(()) };
        let to_all = router.keys().iter().map(|key| Message {
            key: Some(key.clone()),
            time_ms,
            head: JoinNote::Progress { place: place.clone(), time_ms },
            body: Vec::new(),
        });
        self.write(topic, &to_all.collect::<Vec<_>>())
    }

    fn write<H: Serialize>(&self, topic: &KafkaTopic, messages: &[Message<H>]) -> Result<(), Error> {
        let internal = |error: &dyn std::fmt::Display| Error::Internal(format!("{}: {error}", topic.name));
        let schema = topic.schema.clone().ok_or_else(|| internal(&"it has no schema"))?;
        let id = self.registry.register(&format!("{}-value", topic.name), schema.avro());
        let id = id.map_err(|error| internal(&error))?;
        let mut encoder = Encoder::new(topic.format, schema, id).map_err(|error| internal(&error))?;
        let (rows, of) = encode(messages)?;
        let payloads = encoder.encode(&rows).map_err(|error| internal(&error))?;
        let failed = |source| Error::Kafka { what: format!("write to {}", topic.name), source };
        let mut config = self.kafka.clone();
        config.set("acks", "all").set("enable.idempotence", "true");
        let producer: BaseProducer = config.create().map_err(failed)?;
        for (row, message) in of.iter().enumerate() {
            let key = messages[*message].key.as_deref();
            let partition = topic.partitioner.partition(key.map(str::as_bytes), topic.partitions);
            let partition = i32::try_from(partition).unwrap_or(0);
            let record = BaseRecord::to(&topic.name)
                .partition(partition)
                .payload(payloads.get(row).unwrap_or_default());
            let record = match key {
                Some(key) => record.key(key),
                None => record,
            };
            producer.send(record).map_err(|(source, _)| failed(source))?;
        }
        producer.flush(TIMEOUT).map_err(failed)
    }

    /// The group's committed offset of a partition; none where that is not known.
    fn position(&self, watch: &mut Watch, place: &Place) -> Option<i64> {
        let (group, topic) = self.groups.get(&place.topic)?;
        if !watch.consumers.contains_key(group) {
            let consumer = self.kafka.clone().set("group.id", group).create().ok()?;
            watch.consumers.insert(group.clone(), consumer);
        }
        let mut list = TopicPartitionList::new();
        list.add_partition(topic, place.partition);
        let committed = watch.consumers.get(group)?.committed_offsets(list, TIMEOUT).ok()?;
        match committed.find_partition(topic, place.partition)?.offset() {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

/// Partitions that lie behind, with their time and the one that the others have reached.
fn behind(told: &BTreeMap<Place, Told>, step_ms: i64) -> Vec<(Place, Told, i64)> {
    let Some(to_ms) = told.values().map(|told| told.time_ms).max() else { return Vec::new() };
    let lags = |told: &Told| to_ms.saturating_sub(told.time_ms) >= step_ms;
    told.iter().filter(|(_, told)| lags(told)).map(|(place, told)| (place.clone(), *told, to_ms)).collect()
}

/// The moment of which a tick is due: the first tick of all is, if there is any schedule.
fn due(schedules: &[Schedule], ticked_ms: Option<i64>, now_ms: i64) -> Option<i64> {
    match ticked_ms {
        None => (!schedules.is_empty()).then_some(now_ms),
        Some(ticked_ms) => schedules.iter().filter_map(|schedule| schedule.due(ticked_ms, now_ms)).max(),
    }
}

fn entry(time_ms: i64) -> Message<Entry> {
    Message { key: None, time_ms, head: Entry::Tick { time_ms }, body: Vec::new() }
}

fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_millis());
    i64::try_from(now).unwrap_or(i64::MAX)
}

/// Since when partitions that lie behind have not moved.
#[derive(Default)]
struct Watch {
    still: BTreeMap<Place, (Told, Option<i64>, Instant)>,
    ticked_ms: Option<i64>,
    consumers: BTreeMap<String, BaseConsumer>,
}

impl Watch {
    fn retain(&mut self, behind: &[(Place, Told, i64)]) {
        self.still.retain(|place, _| behind.iter().any(|(other, ..)| other == place));
    }

    /// Whether a partition has neither told a time nor been read from for so long; one that was found silent stays so
    /// until it moves.
    fn is_silent(&mut self, place: &Place, told: Told, position: Option<i64>, max_wait_ms: i64) -> bool {
        let known = self.still.entry(place.clone()).or_insert((told, position, Instant::now()));
        if (known.0, known.1) != (told, position) {
            let moved = known.1 != position || !told.silent;
            *known = (told, position, if moved { Instant::now() } else { known.2 });
        }
        let waited_ms = i64::try_from(known.2.elapsed().as_millis()).unwrap_or(i64::MAX);
        waited_ms >= max_wait_ms
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn place(partition: i32) -> Place {
        Place { topic: "a".into(), partition }
    }

    #[test]
    fn a_partition_that_stands_still_behind_the_others_is_silent_until_it_moves() {
        let told = |time_ms, silent| Told { time_ms, silent };
        let all = BTreeMap::from([
            (place(0), told(500, false)),
            (place(1), told(450, false)),
            (place(2), told(100, false)),
        ]);
        let behind = behind(&all, 100);
        assert_eq!(behind, [(place(2), told(100, false), 500)]);
        let mut watch = Watch::default();
        assert!(!watch.is_silent(&place(2), told(100, false), Some(7), 1_000_000));
        assert!(watch.is_silent(&place(2), told(100, false), Some(7), 0));
        assert!(!watch.is_silent(&place(2), told(100, false), Some(8), 1_000_000), "rows are taken from it");
    }

    #[test]
    fn ticks_are_due_at_their_moments_alone() {
        let daily = Schedule::parse("0 3 * * *").unwrap();
        let day = 86_400_000;
        assert_eq!(due(&[], None, 5), None);
        assert_eq!(due(std::slice::from_ref(&daily), None, 5), Some(5), "the first one starts the intervals");
        assert_eq!(due(std::slice::from_ref(&daily), Some(day), day + 10), None);
        assert_eq!(due(&[daily], Some(day), day + 4 * 3_600_000), Some(day + 3 * 3_600_000));
    }
}
