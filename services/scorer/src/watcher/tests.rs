//! Against librdkafka's own cluster in this process.

use std::time::Instant;

use millrace_schemas::envelope::Record as _;
use millrace_schemas::{Encoder, Format, InProcessRegistry, TopicSchema};
use millrace_topics::Partitioner;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer};

use super::*;
use crate::testing::{application, feature_columns, models};

const TOPIC: &str = "fraud.deployments";

struct Cluster {
    mock: MockCluster<'static, DefaultProducerContext>,
    registry: Arc<InProcessRegistry>,
    root: tempfile::TempDir,
}

impl Cluster {
    /// Its model repository has `logistic/1` and `trees/1`.
    fn start() -> Self {
        let mock = MockCluster::new(1).unwrap();
        mock.create_topic(TOPIC, 1, 1).unwrap();
        mock.create_topic("fraud.alerts", 1, 1).unwrap();
        let cluster = Self { mock, registry: Arc::default(), root: tempfile::tempdir().unwrap() };
        for model in ["logistic", "trees"] {
            cluster.bring(model, "1");
        }
        cluster
    }

    /// Copies a test model into the repository, under a version.
    fn bring(&self, model: &str, version: &str) {
        let to = self.root.path().join(model).join(version);
        std::fs::create_dir_all(&to).unwrap();
        for file in ["model.onnx", "model.toml"] {
            std::fs::copy(models().join(model).join("1").join(file), to.join(file)).unwrap();
        }
    }

    fn kafka(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", self.mock.bootstrap_servers());
        config
    }

    fn schema() -> Arc<TopicSchema> {
        Arc::new(TopicSchema::parse(Deployment::AVRO).unwrap())
    }

    fn watch(&self, serving: &Serving) -> Watcher {
        let topic = KafkaTopic {
            name: TOPIC.into(),
            format: Format::Avro,
            schema: Some(Self::schema()),
            key: None,
            partitioner: Partitioner::Murmur2,
            partitions: 1,
            retention_ms: None,
            settings: Default::default(),
        };
        let watch = Watch {
            kafka: self.kafka(),
            registry: self.registry.clone(),
            topic,
            predictions: "predictions".into(),
            models: self.root.path().to_owned(),
            features: feature_columns(),
            interleaves: false,
            alerts: self.alerts(),
            advice: "run `millrace topics apply fraud`".into(),
        };
        Watcher::start(watch, serving.clone()).unwrap()
    }

    fn alerts(&self) -> Alerts {
        Alerts::new(&self.kafka(), self.registry.clone(), &application(&[]), false).unwrap()
    }

    /// Waits until there are as many alerts; their deployments.
    fn alerted(&self, count: usize) -> Vec<Option<i64>> {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let alerts = self.alerts().read().unwrap();
            if alerts.len() >= count || Instant::now() > deadline {
                return alerts.into_iter().map(|alert| alert.deployment).collect();
            }
        }
    }

    fn send(&self, payload: &[u8]) {
        let producer: BaseProducer = self.kafka().create().unwrap();
        producer.send(BaseRecord::<(), [u8]>::to(TOPIC).payload(payload)).unwrap();
        producer.flush(Duration::from_secs(10)).unwrap();
    }

    fn deploy(&self, topic: &str, mode: &str, model: &str, version: &str) {
        let id = self.registry.register(&format!("{TOPIC}-value"), Deployment::AVRO).unwrap();
        let deployment = Deployment { mode: mode.into(), ..Deployment::champion(topic, model, version, 0) };
        let mut encoder = Encoder::new(Format::Avro, Self::schema(), id).unwrap();
        let encoded = encoder.encode(&Deployment::to_batch(&[deployment]).unwrap()).unwrap();
        self.send(encoded.get(0).unwrap());
    }
}

fn wait<T>(serving: &Serving, mut seen: impl FnMut(Result<Arc<Deployed>, String>) -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let now = serving.deployed();
        let text =
            now.as_ref().map_or_else(Clone::clone, |deployed| deployed.champion().reference().to_string());
        if let Some(found) = seen(now) {
            return found;
        }
        assert!(Instant::now() < deadline, "still {text}");
        std::thread::yield_now();
    }
}

/// Waits until what serves is `<model>/<version>@<offset>`.
fn serves(serving: &Serving, expected: &str) {
    wait(serving, |now| {
        let deployed = now.ok()?;
        (format!("{}@{}", deployed.champion().reference(), deployed.offset) == expected).then_some(())
    });
}

/// Waits until nothing serves because of a text with `part`.
fn waits(serving: &Serving, part: &str) {
    wait(serving, |now| now.err()?.contains(part).then_some(()));
}

#[test]
fn the_scorer_says_what_to_run_until_there_is_a_deployment_and_then_follows_every_change() {
    let cluster = Cluster::start();
    let serving = Serving::new("not read yet");
    let _watcher = cluster.watch(&serving);
    waits(&serving, "millrace topics apply fraud");
    cluster.deploy("rankings", "champion", "trees", "1");
    cluster.deploy("predictions", "champion", "logistic", "1");
    serves(&serving, "logistic/1@1");
    cluster.deploy("predictions", "champion", "trees", "1");
    serves(&serving, "trees/1@2");
}

#[test]
fn a_deployment_that_cannot_serve_leaves_the_old_one() {
    let cluster = Cluster::start();
    cluster.bring("doubles", "1");
    let serving = Serving::new("not read yet");
    let _watcher = cluster.watch(&serving);
    cluster.deploy("predictions", "champion", "logistic", "1");
    serves(&serving, "logistic/1@0");
    cluster.deploy("predictions", "champion", "nothing", "1");
    cluster.deploy("predictions", "champion", "doubles", "1");
    cluster.deploy("predictions", "interleave", "trees", "1");
    cluster.send(b"no record at all");
    // What comes after all of these is taken; nothing in between was.
    cluster.bring("logistic", "2");
    let mut seen = vec![];
    cluster.deploy("predictions", "champion", "logistic", "2");
    wait(&serving, |now| {
        let champion = now.unwrap().champion().reference().to_string();
        if seen.last() != Some(&champion) {
            seen.push(champion.clone());
        }
        (champion == "logistic/2").then_some(())
    });
    assert_eq!(seen, ["logistic/1", "logistic/2"]);
    serves(&serving, "logistic/2@5");
    // Those that were the last ones when they were looked at are told.
    let told = cluster.alerted(1);
    assert!(told.iter().all(|offset| [Some(1), Some(2), Some(3)].contains(offset)), "{told:?}");
}

#[test]
fn a_scorer_that_starts_goes_back_to_what_can_serve_and_tells_what_cannot_once() {
    let cluster = Cluster::start();
    cluster.deploy("predictions", "champion", "logistic", "1");
    cluster.deploy("predictions", "champion", "trees", "1");
    cluster.deploy("predictions", "champion", "nothing", "1");
    cluster.deploy("predictions", "roulette", "logistic", "1");
    for _ in 0..2 {
        let serving = Serving::new("not read yet");
        let _watcher = cluster.watch(&serving);
        serves(&serving, "trees/1@1");
        let mut told = cluster.alerted(2);
        told.sort_unstable();
        assert_eq!(told, [Some(2), Some(3)]);
    }
}

#[test]
fn a_scorer_that_starts_later_takes_the_last_deployment_alone() {
    let cluster = Cluster::start();
    cluster.deploy("predictions", "champion", "nothing", "1");
    cluster.deploy("predictions", "champion", "trees", "1");
    let serving = Serving::new("not read yet");
    let _watcher = cluster.watch(&serving);
    wait(&serving, |now| match now {
        Ok(deployed) => {
            assert_eq!(deployed.champion().reference().to_string(), "trees/1");
            Some(())
        }
        Err(why) => {
            assert!(!why.contains("nothing"), "an outdated deployment was tried: {why}");
            None
        }
    });
}

#[test]
fn a_first_deployment_whose_model_is_missing_serves_once_it_is_there() {
    let cluster = Cluster::start();
    cluster.deploy("predictions", "champion", "linear", "1");
    let serving = Serving::new("not read yet");
    let _watcher = cluster.watch(&serving);
    waits(&serving, "linear/1/model.toml");
    cluster.bring("linear", "1");
    serves(&serving, "linear/1@0");
}

#[test]
fn a_panic_of_the_watch_stops_the_tasks() {
    let serving = Serving::new("not read yet");
    serving.set(crate::testing::deployed("logistic", 0));
    let told = serving.clone();
    let thread = std::thread::spawn(move || {
        let _alarm = Alarm { serving: told, armed: true };
        panic!("as a bug would");
    });
    assert!(thread.join().is_err());
    assert!(serving.deployed().err().unwrap().contains("has failed"));
}
