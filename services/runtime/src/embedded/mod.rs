//! The bus of embedded mode: librdkafka's cluster in memory, which needs nothing installed and keeps nothing.

mod flow;

pub use flow::{Amount, Flow};
use millrace_topics::KafkaTopic;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

use crate::error::Error;

/// What each partition keeps at most before it forgets its oldest records; keep what is in flight well below.
pub const KEPT: Amount = Amount { rows: 100_000, bytes: 5 << 20 };

/// A Kafka cluster of one broker in this process. It goes with the value.
pub struct EmbeddedCluster {
    cluster: MockCluster<'static, DefaultProducerContext>,
}

impl EmbeddedCluster {
    /// Starts it on a free port of the loopback address.
    pub fn start() -> Result<Self, Error> {
        let cluster = MockCluster::new(1).map_err(Error::kafka("cannot start the embedded cluster"))?;
        Ok(Self { cluster })
    }

    /// What clients take as `bootstrap.servers`.
    pub fn bootstrap(&self) -> String {
        self.cluster.bootstrap_servers()
    }

    /// Creates topics with their partitions.
    pub fn create<'a>(&self, topics: impl IntoIterator<Item = &'a KafkaTopic>) -> Result<(), Error> {
        for topic in topics {
            let partitions = i32::try_from(topic.partitions).unwrap_or(i32::MAX);
            self.cluster
                .create_topic(&topic.name, partitions, 1)
                .map_err(Error::kafka(format!("cannot create {}", topic.name)))?;
        }
        Ok(())
    }
}

/// The amount that callers of [`Flow::wait_below`] should stay under: what a partition keeps, with room for what a
/// stage adds to its rows.
pub fn bound() -> Amount {
    Amount { rows: KEPT.rows / 4, bytes: KEPT.bytes / 3 }
}
