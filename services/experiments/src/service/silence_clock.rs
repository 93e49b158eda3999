//! Writes into the journal which partitions windows no longer wait for. The one process that judges has the word.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use millrace_schemas::SchemaRegistry;
use millrace_topics::KafkaTopic;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::Error;
use super::note::{Message, Note, Teller, encode};
use super::silence::{Waited, Watch};
use super::tasks::Tasks;
use super::wall::{Running, Writer};

/// How long Kafka may take to answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// What the clock does.
pub struct SilenceClock {
    /// How to reach the cluster.
    pub kafka: ClientConfig,
    /// Where schema ids come from.
    pub registry: Arc<dyn SchemaRegistry>,
    /// By the stem of a topic of predictions or rankings, and whether its feedback is meant: the group that reads the topic, and
    /// its Kafka name.
    pub read: BTreeMap<(String, bool), (String, String)>,
    /// Where it writes.
    pub journal: KafkaTopic,
    /// How long a partition must be silent, in ms.
    pub max_wait_ms: i64,
    /// The judge of this process, if it is here.
    pub tasks: Tasks<Waited>,
}

impl SilenceClock {
    /// Starts the clock's thread.
    pub fn start(self) -> Result<Running, Error> {
        let (mut watch, mut groups, mut writer) = (Watch::default(), Groups::new(), None);
        Running::start("experiments clock", move |now_ms| {
            let looked = self.look(&mut watch, &mut groups, &mut writer, now_ms);
            if looked.is_err() {
                (groups, writer) = (Groups::new(), None);
            }
            looked
        })
    }

    fn look(
        &self,
        watch: &mut Watch,
        groups: &mut Groups,
        writer: &mut Option<Writer>,
        now_ms: i64,
    ) -> Result<(), Error> {
        let waited: Waited = self.tasks.told().into_values().flatten().collect();
        let due = watch.due(&waited, self.max_wait_ms, now_ms, |teller| self.position(groups, teller));
        for (teller, end_ms) in due {
            let writer = match writer {
                Some(writer) => writer,
                None => writer.insert(Writer::open(&self.kafka, self.registry.clone())?),
            };
            tracing::warn!(
                topic = teller.place.topic,
                partition = teller.place.partition,
                outcomes = teller.outcomes,
                end_ms,
                "no rows for too long: windows of experiments no longer wait for this partition"
            );
            let note = Note::Silent { teller: teller.clone(), end_ms };
            writer.write(&self.journal, 0, &encode(&[Message::of(end_ms, note)])?.0)?;
            watch.written(&teller, end_ms);
        }
        Ok(())
    }

    /// Up to where a partition was read, if it ever was; none where Kafka does not answer.
    fn position(&self, groups: &mut Groups, teller: &Teller) -> Option<Option<i64>> {
        let (group, topic) = self.read.get(&(teller.place.topic.clone(), teller.outcomes))?;
        if !groups.contains_key(group) {
            groups.insert(group.clone(), self.kafka.clone().set("group.id", group).create().ok()?);
        }
        let mut list = TopicPartitionList::new();
        list.add_partition(topic, teller.place.partition);
        let committed = groups.get(group)?.committed_offsets(list, TIMEOUT).ok()?;
        match committed.find_partition(topic, teller.place.partition)?.offset() {
            Offset::Offset(offset) => Some(Some(offset)),
            _ => Some(None),
        }
    }
}

/// A client per group whose offsets are asked for.
type Groups = BTreeMap<String, BaseConsumer>;
