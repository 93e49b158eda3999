//! The options of librdkafka's clients: what suits the shell, what an operator sets, what must hold.

use rdkafka::ClientConfig;

use crate::config::Configuration;

/// How long a broker keeps a silent worker's open transaction, and its membership, in ms: a killed worker stalls every
/// reader of what it wrote for that long.
pub const SILENCE_MS: u64 = 10_000;

/// Options that Millrace sets itself: its guarantees rest on them.
pub const OWN: [&str; 8] = [
    "auto.offset.reset",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.idempotence",
    "enable.partition.eof",
    "group.id",
    "isolation.level",
    "transactional.id",
];

/// The options of any client that `configuration` describes.
pub fn client(configuration: &Configuration, defaults: &[(&str, &str)]) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &configuration.kafka_bootstrap).set("client.id", "millrace");
    for (option, value) in defaults {
        config.set(*option, *value);
    }
    for (option, value) in &configuration.kafka {
        config.set(option, value);
    }
    config
}

/// The options of a worker's consumer. `embedded`: of the cluster in memory, which answers a fetch that finds nothing only
/// when its wait is over.
pub fn consumer(configuration: &Configuration, group: &str, embedded: bool) -> ClientConfig {
    let wait = if embedded { "5" } else { "100" };
    let mut config = client(
        configuration,
        &[
            ("session.timeout.ms", "10000"),
            ("heartbeat.interval.ms", "2000"),
            ("fetch.wait.max.ms", wait),
            ("fetch.queue.backoff.ms", "10"),
            ("fetch.error.backoff.ms", "100"),
            ("statistics.interval.ms", "5000"),
            ("queued.min.messages", "20000"),
            ("queued.max.messages.kbytes", "16384"),
            ("reconnect.backoff.max.ms", "1000"),
        ],
    );
    config
        .set("group.id", group)
        .set("partition.assignment.strategy", "range")
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "error")
        .set("enable.partition.eof", "true")
        .set("isolation.level", "read_committed");
    config
}

/// The options of a worker's producer.
pub fn producer(configuration: &Configuration, transactional_id: Option<&str>) -> ClientConfig {
    let mut config = client(
        configuration,
        &[
            ("compression.type", "lz4"),
            ("linger.ms", "1"),
            ("queue.buffering.max.messages", "200000"),
            ("reconnect.backoff.max.ms", "1000"),
            ("transaction.timeout.ms", "10000"),
        ],
    );
    config.set("enable.idempotence", "true");
    if let Some(id) = transactional_id {
        config.set("transactional.id", id);
    }
    config
}
