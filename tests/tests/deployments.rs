//! Deployments are written by one writer at a time, and only over what that writer saw: against a real broker.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use millrace_schemas::envelope::Deployment;
use millrace_schemas::{InProcessRegistry, RegistryError, SchemaRegistry};
use millrace_tests::application::Application as Folder;
use millrace_tests::stack::Stack;
use millrace_topics::Application;
use millrace_topics::cluster::{Target, apply};
use millrace_topics::deployments::{Deployments, Error};
use millrace_topics::events;
use rdkafka::ClientConfig;

/// An application of its own name that predicts.
struct Predicting {
    client: ClientConfig,
    registry: Arc<dyn SchemaRegistry>,
    application: Application,
}

impl Predicting {
    fn new() -> Self {
        let folder = Folder::empty("deployments").unwrap();
        for (file, text) in [
            ("view.toml", "id = \"id\"\ntime = \"at\"\n[features]\n"),
            ("view.sql", "SELECT id, at, user FROM clicks"),
            ("scores.toml", "[predictions]\nfeatures = \"view\"\nunit = \"user\"\n"),
            ("deployments.toml", "[deployments]\nfirst = { scores = \"m/1\" }\n"),
        ] {
            folder.write(file, text).unwrap();
        }
        let application = millrace_topics::load(folder.topics(), folder.name()).unwrap();
        let client = Stack::shared().unwrap().kafka.client_config();
        Self { client, registry: Arc::new(InProcessRegistry::default()), application }
    }

    fn applied() -> Self {
        let predicting = Self::new();
        let topics: Vec<_> = predicting.application.topics.iter().map(|topic| topic.kafka.clone()).collect();
        let target =
            Target { client: &predicting.client, registry: &*predicting.registry, replication: Some(1) };
        apply(target, &topics).unwrap();
        predicting
    }

    fn deployments(&self, transactional: bool) -> Deployments<'_> {
        self.deployments_with(self.registry.clone(), transactional)
    }

    fn deployments_with(&self, registry: Arc<dyn SchemaRegistry>, transactional: bool) -> Deployments<'_> {
        Deployments::new(&self.client, registry, &self.application, transactional).unwrap()
    }
}

fn version(deployment: &Deployment, version: &str) -> Deployment {
    Deployment { version: version.into(), ..deployment.clone() }
}

#[test]
fn the_first_deployment_is_written_once_and_a_later_one_only_over_the_one_seen() {
    for transactional in [true, false] {
        let applied = Predicting::applied();
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

/// A registry that lets another writer come in between: asked for the schema's id when a writer has read what is in
/// force and is about to write.
struct Interrupted {
    other: Arc<Predicting>,
    over: (i64, Deployment),
    came: AtomicBool,
}

impl SchemaRegistry for Interrupted {
    fn schema(&self, id: u32) -> Result<Option<String>, RegistryError> {
        self.other.registry.schema(id)
    }

    fn register(&self, subject: &str, avro: &str) -> Result<u32, RegistryError> {
        if !self.came.swap(true, Ordering::Relaxed) {
            let (seen, champion) = &self.over;
            self.other.deployments(true).write(version(champion, "2"), Some(*seen)).unwrap();
        }
        self.other.registry.register(subject, avro)
    }

    fn latest(&self, subject: &str) -> Result<Option<(u32, String)>, RegistryError> {
        self.other.registry.latest(subject)
    }
}

#[test]
fn of_two_writers_that_saw_the_same_one_writes() {
    let applied = Arc::new(Predicting::applied());
    let (offset, champion) = applied.deployments(true).write_first().unwrap().remove(0);
    let interrupted = Interrupted {
        other: applied.clone(),
        over: (offset, champion.clone()),
        came: AtomicBool::new(false),
    };
    let slow = applied.deployments_with(Arc::new(interrupted), true);
    let error = slow.write(version(&champion, "3"), Some(offset)).unwrap_err();
    assert!(matches!(error, Error::Events(events::Error::Overtaken(_))), "{error}");
    let versions: Vec<_> =
        applied.deployments(true).read().unwrap().into_iter().map(|(_, one)| one.version).collect();
    assert_eq!(versions, ["1", "2"]);
}

#[test]
fn a_topic_that_is_not_applied_yet_says_which_command_to_run() {
    let missing = Predicting::new();
    let error = missing.deployments(true).write_first().unwrap_err().to_string();
    let name = &missing.application.name;
    assert_eq!(error, format!("topic {name}.deployments does not exist; run `millrace topics apply {name}`"));
}
