//! Writes into the journal which partitions windows no longer wait for. The one process that judges has the word.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use millrace_runtime::wall::{Clients, Running};
use millrace_schemas::SchemaRegistry;
use millrace_topics::KafkaTopic;
use rdkafka::ClientConfig;

use super::Error;
use super::note::{Message, Note, Teller, encode};
use super::silence::{Waited, Watch};
use super::tasks::Tasks;

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
        let mut watch = Watch::default();
        let mut clients = Clients::new(self.kafka.clone(), self.registry.clone(), TIMEOUT);
        let running = Running::start("experiments clock", move |now_ms| {
            let looked = self.look(&mut watch, &mut clients, now_ms);
            if looked.is_err() {
                clients.close();
            }
            looked
        });
        Ok(running?)
    }

    fn look(&self, watch: &mut Watch, clients: &mut Clients, now_ms: i64) -> Result<(), Error> {
        let waited: Waited = self.tasks.told().into_values().flatten().collect();
        let due = watch.due(&waited, self.max_wait_ms, now_ms, |teller| self.position(clients, teller));
        for (teller, end_ms) in due {
            tracing::warn!(
                topic = teller.place.topic,
                partition = teller.place.partition,
                outcomes = teller.outcomes,
                end_ms,
                "no rows for too long: windows of experiments no longer wait for this partition"
            );
            let note = Note::Silent { teller: teller.clone(), end_ms };
            clients.write(&self.journal, &encode(&[Message::of(end_ms, note)])?.0, |_| (0, None))?;
            watch.written(&teller, end_ms);
        }
        Ok(())
    }

    /// Up to where a partition was read, if it ever was; none where Kafka does not answer.
    fn position(&self, clients: &mut Clients, teller: &Teller) -> Option<Option<i64>> {
        let (group, topic) = self.read.get(&(teller.place.topic.clone(), teller.outcomes))?;
        clients.position(group, topic, teller.place.partition)
    }
}
