//! The clock: looks every second for inputs that are silent, and writes ticks for them; the later of two ticks counts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use millrace_runtime::wall::{Clients, Running};
use millrace_schemas::SchemaRegistry;
use millrace_topics::KafkaTopic;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};

use super::Source;
use super::silence::{Told, Watch};
use super::ticks::encode;
use crate::service::Error;
use crate::service::tasks::Tasks;

/// How long Kafka may take to answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// What the clock does.
pub struct Clock {
    /// How to reach the cluster.
    pub kafka: ClientConfig,
    /// Where schema ids come from.
    pub registry: Arc<dyn SchemaRegistry>,
    /// The topics that may be silent.
    pub topics: BTreeMap<Source, String>,
    /// Where ticks go.
    pub ticks: KafkaTopic,
    /// How long an input must be silent, in ms.
    pub max_wait_ms: i64,
    /// The tasks of this process.
    pub tasks: Tasks<Told>,
}

impl Clock {
    /// Starts the clock's thread.
    pub fn start(self) -> Result<Running, Error> {
        let (mut watch, mut looks) = (Watch::default(), None);
        let mut clients = Clients::new(self.kafka.clone(), self.registry.clone(), TIMEOUT);
        let running = Running::start("clicks clock", move |now_ms| {
            let looked = self.look(&mut watch, &mut looks, &mut clients, now_ms);
            if looked.is_err() {
                looks = None;
                clients.close();
            }
            looked
        });
        Ok(running?)
    }

    /// `looks` asks where logs end.
    fn look(
        &self,
        watch: &mut Watch,
        looks: &mut Option<BaseConsumer>,
        clients: &mut Clients,
        now_ms: i64,
    ) -> Result<(), Error> {
        let told = self.tasks.told();
        if told.values().all(|told| told.wakes.iter().all(Option::is_none)) {
            *watch = Watch::default();
            return Ok(());
        }
        let looks = match looks {
            Some(looks) => looks,
            None => {
                let failed = |source| Error::Kafka { what: "reach Kafka for ticks".into(), source };
                looks.insert(self.kafka.create().map_err(failed)?)
            }
        };
        let due = watch.due(&told, self.max_wait_ms, now_ms, |partition, source| {
            let topic = self.topics.get(&source)?;
            looks.fetch_watermarks(topic, partition, TIMEOUT).ok().map(|(_, high)| high)
        });
        for (partition, tick) in &due {
            tracing::info!(
                topic = self.topics.get(&tick.source).map_or("", String::as_str),
                partition,
                to_ms = tick.time_ms,
                "no rows for a while: lists and clicks no longer wait for this partition"
            );
            clients.write(&self.ticks, &encode(&[*tick])?, |_| (*partition, None))?;
            watch.ticked(*partition, *tick);
        }
        Ok(())
    }
}
