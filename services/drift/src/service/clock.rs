//! The clock: writes the moments at which triggers of time are due, and goes on without partitions that are silent.
//!
//! What it decides stands in the log before anybody acts on it, so that a replay reads the decision. One process has the
//! word, the one that runs the judge; should two believe so for a moment, they write the same twice, which changes
//! nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use millrace_runtime::clock::now_ms;
use millrace_runtime::wall::{Clients, Running};
use millrace_schemas::SchemaRegistry;
use millrace_topics::KafkaTopic;
use rdkafka::ClientConfig;
use serde::Serialize;

use super::Error;
use super::by_id::Router;
use super::message::{Message, encode};
use super::notes::{Entry, JoinNote, Place, RowNote};
use super::shared::{Clocks, Told};
use super::skew::SkewNote;
use crate::retrain::Schedule;

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

impl Wall {
    /// Starts the clock's thread.
    pub fn start(self) -> Result<Running, Error> {
        let mut watch = Watch::default();
        let mut clients = Clients::new(self.kafka.clone(), self.registry.clone(), TIMEOUT);
        let running = Running::start("drift clock", move |_| {
            let looked = self.look(&mut watch, &mut clients);
            if looked.is_err() {
                clients.close();
            }
            looked
        });
        Ok(running?)
    }

    fn look(&self, watch: &mut Watch, clients: &mut Clients) -> Result<(), Error> {
        if !self.clocks.owned() {
            *watch = Watch::default();
            return Ok(());
        }
        let (told, ticked_ms) = self.clocks.read();
        let now_ms = now_ms();
        if let Some(due_ms) = due(&self.schedules, ticked_ms.max(watch.ticked_ms), now_ms) {
            write(clients, &self.journal, &[entry(due_ms)])?;
            watch.ticked_ms = Some(due_ms);
        }
        let behind = behind(&told, self.step_ms);
        watch.retain(&behind);
        for (place, told, to_ms) in behind {
            let position = self.position(clients, &place);
            if watch.is_silent(&place, told, position, self.max_wait_ms) {
                tracing::warn!(
                    topic = place.topic,
                    partition = place.partition,
                    to_ms,
                    "no rows for too long: windows no longer wait for this partition"
                );
                self.tell(clients, &place, to_ms)?;
            }
        }
        Ok(())
    }

    /// Tells the time that the others have reached in the name of a silent partition.
    fn tell(&self, clients: &mut Clients, place: &Place, time_ms: i64) -> Result<(), Error> {
        let head = RowNote::Progress { place: place.clone(), time_ms, silent: true };
        write(clients, &self.rows, &[Message { key: None, time_ms, head, body: Vec::new() }])?;
        if let Some(skew) = &self.skew {
            let head = SkewNote::Progress { place: place.clone(), time_ms, silent: true };
            write(clients, skew, &[Message { key: None, time_ms, head, body: Vec::new() }])?;
        }
        let Some((topic, router)) = &self.by_id else { return Ok(()) };
        let to_all = router.keys().iter().map(|key| Message {
            key: Some(key.clone()),
            time_ms,
            head: JoinNote::Progress { place: place.clone(), time_ms },
            body: Vec::new(),
        });
        write(clients, topic, &to_all.collect::<Vec<_>>())
    }

    /// The group's committed offset of a partition; none where that is not known.
    fn position(&self, clients: &mut Clients, place: &Place) -> Option<i64> {
        let (group, topic) = self.groups.get(&place.topic)?;
        clients.position(group, topic, place.partition).flatten()
    }
}

fn write<H: Serialize>(
    clients: &mut Clients,
    topic: &KafkaTopic,
    messages: &[Message<H>],
) -> Result<(), Error> {
    let (rows, of) = encode(messages)?;
    let to = |row: usize| {
        let key = messages[of[row]].key.as_deref();
        let partition = topic.partitioner.partition(key.map(str::as_bytes), topic.partitions);
        (i32::try_from(partition).unwrap_or(0), key)
    };
    Ok(clients.write(topic, &rows, to)?)
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

/// Since when partitions that lie behind have not moved.
#[derive(Default)]
struct Watch {
    still: BTreeMap<Place, (Told, Option<i64>, Instant)>,
    ticked_ms: Option<i64>,
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
