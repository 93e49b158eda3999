//! The admin requests, blocking: this runs in a command, not in a worker.

use std::collections::{BTreeMap, HashMap};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, ConfigResource, ConfigSource, NewPartitions, NewTopic,
    OwnedResourceSpecifier, ResourceSpecifier, TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::types::RDKafkaErrorCode;

use crate::KafkaTopic;
use crate::cluster::{Error, TIMEOUT};

pub(crate) struct Admin {
    client: AdminClient<DefaultClientContext>,
    options: AdminOptions,
}

impl Admin {
    pub(crate) fn new(config: &ClientConfig) -> Result<Self, Error> {
        Self::within(config, TIMEOUT)
    }

    /// A client whose requests may each take `bound`.
    pub(crate) fn within(config: &ClientConfig, bound: Duration) -> Result<Self, Error> {
        let client = config.create().map_err(failed(|| "make an admin client".into()))?;
        let options = AdminOptions::new().request_timeout(Some(bound)).operation_timeout(Some(bound));
        Ok(Self { client, options })
    }

    /// How many partitions each topic of the cluster has.
    pub(crate) fn partitions(&self) -> Result<BTreeMap<String, u32>, Error> {
        // All topics are asked for: naming one that is missing may create it.
        let metadata = self.client.inner().fetch_metadata(None, TIMEOUT);
        let metadata = metadata.map_err(failed(|| "list the topics".into()))?;
        let count = |topic: &rdkafka::metadata::MetadataTopic| {
            u32::try_from(topic.partitions().len()).unwrap_or(u32::MAX)
        };
        Ok(metadata.topics().iter().map(|topic| (topic.name().to_owned(), count(topic))).collect())
    }

    /// Every setting in force of each topic.
    pub(crate) fn settings(
        &self,
        topics: &[&str],
    ) -> Result<HashMap<String, BTreeMap<String, String>>, Error> {
        let all = self.describe(topics)?.into_iter().filter_map(|resource| {
            let OwnedResourceSpecifier::Topic(name) = resource.specifier else { return None };
            let entries = resource.entries.into_iter();
            Some((name, entries.filter_map(|entry| Some((entry.name, entry.value?))).collect()))
        });
        Ok(all.collect())
    }

    pub(crate) fn create(
        &self,
        topic: &str,
        partitions: u32,
        replication: i32,
        settings: &BTreeMap<String, String>,
    ) -> Result<(), Error> {
        let partitions = i32::try_from(partitions).unwrap_or(i32::MAX);
        let new = NewTopic::new(topic, partitions, TopicReplication::Fixed(replication));
        let new = settings.iter().fold(new, |new, (name, value)| new.set(name, value));
        let result = block_on(self.client.create_topics([&new], &self.options));
        checked(result, || format!("create topic {topic}"))
    }

    pub(crate) fn grow(&self, topic: &str, partitions: u32) -> Result<(), Error> {
        let new = NewPartitions::new(topic, usize::try_from(partitions).unwrap_or(usize::MAX));
        let result = block_on(self.client.create_partitions([&new], &self.options));
        checked(result, || format!("grow topic {topic}"))
    }

    /// Changes settings. The request resets what it does not list, so every setting that the topic has of its own is
    /// sent back with ours.
    pub(crate) fn alter(
        &self,
        topic: &str,
        changed: &BTreeMap<String, (Option<String>, String)>,
    ) -> Result<(), Error> {
        let resources = self.describe(&[topic])?;
        let own = resources.iter().flat_map(|resource| &resource.entries);
        let own = own.filter(|entry| entry.source == ConfigSource::DynamicTopic && !entry.is_read_only);
        let own = own.filter_map(|entry| Some((entry.name.as_str(), entry.value.as_deref()?)));
        let changed = changed.iter().map(|(name, (_, to))| (name.as_str(), to.as_str()));
        let entries: HashMap<&str, &str> = own.chain(changed).collect();
        let request = AlterConfig { specifier: ResourceSpecifier::Topic(topic), entries };
        let result = block_on(self.client.alter_configs([&request], &self.options));
        let result = result.map(|all| {
            all.into_iter().map(|one| one.map(drop).map_err(|(_, code)| code)).collect::<Vec<_>>()
        });
        let what = || format!("alter topic {topic}");
        for one in result.map_err(failed(what))? {
            one.map_err(|code| failed(what)(KafkaError::AdminOp(code)))?;
        }
        Ok(())
    }

    /// Waits until every topic has its partitions, each with a leader: what was created is not seen everywhere at once.
    pub(crate) fn wait_until_ready(&self, topics: &[KafkaTopic]) -> Result<(), Error> {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            let metadata = self.client.inner().fetch_metadata(None, TIMEOUT);
            let metadata = metadata.map_err(failed(|| "list the topics".into()))?;
            let ready = |topic: &KafkaTopic| {
                metadata.topics().iter().any(|found| {
                    let led = found.partitions().iter().filter(|partition| partition.leader() >= 0).count();
                    found.name() == topic.name && u32::try_from(led).is_ok_and(|led| led >= topic.partitions)
                })
            };
            let Some(missing) = topics.iter().find(|topic| !ready(topic)) else { return Ok(()) };
            if Instant::now() > deadline {
                let timeout = KafkaError::AdminOp(RDKafkaErrorCode::OperationTimedOut);
                return Err(failed(|| {
                    format!("show topic {} with a leader for each partition", missing.name)
                })(timeout));
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn describe(&self, topics: &[&str]) -> Result<Vec<ConfigResource>, Error> {
        if topics.is_empty() {
            return Ok(Vec::new());
        }
        let what = || format!("describe the settings of {}", topics.join(", "));
        let resources: Vec<_> = topics.iter().map(|topic| ResourceSpecifier::Topic(topic)).collect();
        let result =
            block_on(self.client.describe_configs(&resources, &self.options)).map_err(failed(what))?;
        result.into_iter().map(|one| one.map_err(|code| failed(what)(KafkaError::AdminOp(code)))).collect()
    }
}

fn checked(
    result: KafkaResult<Vec<rdkafka::admin::TopicResult>>,
    what: impl Fn() -> String,
) -> Result<(), Error> {
    for topic in result.map_err(failed(&what))? {
        topic.map_err(|(_, code)| failed(&what)(KafkaError::AdminOp(code)))?;
    }
    Ok(())
}

fn failed(what: impl FnOnce() -> String) -> impl FnOnce(KafkaError) -> Error {
    move |source| Error::Kafka { what: what(), source }
}

/// Waits for a future on this thread. The admin client completes its futures on a thread of its own.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}
