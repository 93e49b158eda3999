//! Against a real Kafka, whose address `KAFKA_BOOTSTRAP` names: `cargo test -p millrace-topics -- --ignored`.

use millrace_schemas::InProcessRegistry;

use super::*;
use crate::cluster::{Target, apply};

/// An application of its own name that predicts, with its topics applied.
struct Applied {
    client: ClientConfig,
    registry: Arc<dyn SchemaRegistry>,
    application: Application,
}

impl Applied {
    fn new(first: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().file_name().unwrap().to_string_lossy().replace('.', "");
        let own = folder.path().join(&name);
        std::fs::create_dir(&own).unwrap();
        let files = [
            ("view.toml", "id = \"id\"\ntime = \"at\"\n[features]\n"),
            ("view.sql", "SELECT id, at, user FROM clicks"),
            ("scores.toml", "[predictions]\nfeatures = \"view\"\nunit = \"user\"\n"),
            ("deployments.toml", first),
        ];
        for (file, text) in files {
            std::fs::write(own.join(file), text).unwrap();
        }
        let application = crate::load(folder.path(), &name).unwrap();
        let mut client = ClientConfig::new();
        client.set(
            "bootstrap.servers",
            std::env::var("KAFKA_BOOTSTRAP").expect("KAFKA_BOOTSTRAP names a Kafka"),
        );
        Self { client, registry: Arc::new(InProcessRegistry::default()), application }
    }

    fn apply(&self) {
        let topics: Vec<_> = self.application.topics.iter().map(|topic| topic.kafka.clone()).collect();
        let target = Target { client: &self.client, registry: &*self.registry, replication: Some(1) };
        apply(target, &topics).unwrap();
    }

    fn deployments(&self, transactional: bool) -> Deployments<'_> {
        Deployments::new(&self.client, self.registry.clone(), &self.application, transactional).unwrap()
    }
}

const FIRST: &str = "[deployments]\nfirst = { scores = \"m/1\" }\n";

fn version(deployment: &Deployment, version: &str) -> Deployment {
    Deployment { version: version.into(), ..deployment.clone() }
}

#[test]
#[ignore = "needs KAFKA_BOOTSTRAP"]
fn the_first_deployment_is_written_once_and_a_later_one_only_over_the_one_seen() {
    for transactional in [true, false] {
        let applied = Applied::new(FIRST);
        applied.apply();
        let deployments = applied.deployments(transactional);
        assert_eq!(deployments.read().unwrap(), []);
        let first = deployments.write_first().unwrap();
        assert_eq!(first.len(), 1);
        let (offset, champion) = first[0].clone();
        assert_eq!(
            (champion.topic.as_str(), champion.model.as_str(), champion.version.as_str()),
            ("scores", "m", "1")
        );
        assert_eq!(deployments.write_first().unwrap(), []);
        assert_eq!(deployments.read().unwrap(), first);

        let second = deployments.write(version(&champion, "2"), Some(offset)).unwrap();
        let stale = deployments.write(version(&champion, "3"), Some(offset)).unwrap_err();
        assert!(matches!(stale, Error::Changed { last: Some(last), .. } if last == second), "{stale}");
        let blind = deployments.write(version(&champion, "3"), None).unwrap_err();
        assert!(blind.to_string().contains(&format!("the last is at offset {second}")), "{blind}");
        let other = Deployment { topic: "others".into(), ..champion.clone() };
        let third = deployments.write(other.clone(), None).unwrap();
        let all = vec![(offset, champion.clone()), (second, version(&champion, "2")), (third, other)];
        assert_eq!(deployments.read().unwrap(), all);
    }
}

#[test]
#[ignore = "needs KAFKA_BOOTSTRAP"]
fn of_two_writers_that_saw_the_same_one_writes() {
    let applied = Applied::new(FIRST);
    applied.apply();
    let deployments = applied.deployments(true);
    let (offset, champion) = deployments.write_first().unwrap().remove(0);

    // The first writer has read and is about to write when the second comes.
    let slow = deployments.writer().unwrap();
    let second = deployments.write(version(&champion, "2"), Some(offset)).unwrap();
    let error = deployments.append(&slow, &[version(&champion, "3")]).unwrap_err();
    assert!(matches!(error, Error::Overtaken(_)), "{error}");
    let versions: Vec<_> =
        deployments.read().unwrap().into_iter().map(|(at, one)| (at, one.version)).collect();
    assert_eq!(versions, [(offset, "1".to_owned()), (second, "2".to_owned())]);
}

#[test]
#[ignore = "needs KAFKA_BOOTSTRAP"]
fn a_topic_that_is_not_applied_yet_says_which_command_to_run() {
    let applied = Applied::new(FIRST);
    let error = applied.deployments(true).write_first().unwrap_err().to_string();
    let name = &applied.application.name;
    assert_eq!(error, format!("topic {name}.deployments does not exist; run `millrace topics apply {name}`"));
}
