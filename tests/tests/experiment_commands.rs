//! What people say to experiments, through real Kafka: refused before it is written, or what comes of it.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use millrace_schemas::envelope::{
    Alert, Arm, ArmRole, Decided, Deployment, ExperimentCommand, ExperimentResult, ExperimentState,
};
use millrace_schemas::{ConfluentRegistry, SchemaRegistry};
use millrace_tests::application::Application;
use millrace_tests::millrace::Millrace;
use millrace_tests::reader;
use millrace_tests::stack::Stack;
use millrace_tests::wait;
use millrace_topics::events::Events;

const SHORT: Duration = Duration::from_secs(60);
const LONG: Duration = Duration::from_secs(120);

fn refused(millrace: &Millrace<'_>, words: &[&str], part: &str) {
    let run = millrace.run(words, SHORT).unwrap();
    assert!(!run.status.success() && run.output.contains(part), "{words:?}: {}", run.output);
}

#[test]
fn a_draft_with_a_problem_is_in_the_way_of_its_own_start_alone() {
    let (stack, app) = (Stack::shared().unwrap(), Application::copy("ranking").unwrap());
    app.write("experiments/slip.toml", "topic = \"rankings\"\nkind = \"interleaved\"\n").unwrap();
    let millrace = Millrace::new(stack, &app);
    let problem = "experiments/slip.toml:2: kind: there is no kind `interleaved`";
    refused(&millrace, &["check", "{app}"], problem);
    millrace.succeed(&["topics", "apply", "{app}"], SHORT).unwrap();
    millrace.succeed(&["deployments", "{app}"], SHORT).unwrap();
    refused(&millrace, &["experiment", "start", "{app}", "slip"], problem);
    refused(&millrace, &["experiment", "status", "{app}", "slip"], problem);
    let list = millrace.succeed(&["experiment", "status", "{app}"], SHORT).unwrap();
    assert!(list.contains("taste"), "{list}");
    let other = &["experiment", "start", "{app}", "taste"];
    millrace.succeed(other, SHORT).unwrap();
    // No service runs: what was said stands in the log, and counts.
    refused(&millrace, other, "no service has taken it yet");
    refused(&millrace, &["experiment", "start", "{app}", "clicks"], "taste runs on rankings already");
    refused(
        &millrace,
        &["experiment", "decide", "{app}", "taste", "--arm", "x"],
        "no arm `x`, only `plain` and `personal`",
    );
    refused(&millrace, &["experiment", "pause", "{app}", "clicks"], "no experiment `clicks` was started");
    refused(&millrace, &["experiment", "resume", "{app}", "taste"], "taste is not paused");
    let said: Vec<ExperimentCommand> = reader::events(stack, &app.topic("experiment-commands")).unwrap();
    assert_eq!(said.len(), 1, "what is refused is not written");
}

#[test]
fn the_canary_that_comes_along_starts_where_its_control_serves() {
    let (stack, app) = (Stack::shared().unwrap(), Application::copy("fraud").unwrap());
    let millrace = Millrace::new(stack, &app);
    millrace.succeed(&["check", "{app}"], SHORT).unwrap();
    millrace.succeed(&["topics", "apply", "{app}"], SHORT).unwrap();
    let champion = |version| {
        millrace.succeed(&["deploy", "{app}", "predictions", "--champion", version], SHORT).unwrap();
    };
    let start = &["experiment", "start", "{app}", "second-model"];
    champion("2");
    refused(&millrace, start, "its control is fraud-gbdt/1, and fraud-gbdt/2 is the champion");
    champion("1");
    let draft = "experiments/second-model.toml";
    app.replace(draft, "required = 200,", "required = 20,").unwrap();
    for words in [&["check", "{app}"][..], start] {
        refused(&millrace, words, "canary.criteria.auc: its 4 looks end with 80, and");
    }
    app.replace(draft, "required = 20,", "required = 200,").unwrap();
    millrace.succeed(start, SHORT).unwrap();
}

#[test]
fn a_decision_whose_deployment_would_be_refused_is_an_alert_and_nothing_is_written() {
    let (stack, app) = (Stack::shared().unwrap(), Application::copy("ranking").unwrap());
    let millrace = Millrace::new(stack, &app);
    millrace.succeed(&["topics", "apply", "{app}"], SHORT).unwrap();
    let arm = || Arm {
        arm: "twice".into(),
        model: "relevance".into(),
        version: "1".into(),
        role: ArmRole::Serving,
        buckets: Vec::new(),
    };
    let deploys = Deployment {
        mode: Deployment::AB.into(),
        salt: "s".into(),
        arms: vec![arm(), arm()],
        ..Deployment::champion("rankings", "relevance", "1", 0)
    };
    let decision = ExperimentResult {
        id: "decided".into(),
        experiment: "x".into(),
        topic: "rankings".into(),
        state: ExperimentState::Running,
        decision: Some(Decided::Start),
        deploys: Some(serde_json::to_string(&deploys).unwrap()),
        ..Default::default()
    };
    let loaded = millrace_topics::load(app.topics(), app.name()).unwrap();
    let registry: Arc<dyn SchemaRegistry> = Arc::new(ConfluentRegistry::new(stack.registry.url()).unwrap());
    let client = stack.kafka.client_config();
    let results = Events::new(&client, registry, &loaded, &loaded.experiments().unwrap().kafka).unwrap();
    let writer = results.writer(None).unwrap();
    results.append(&writer, &[decision], |event: &ExperimentResult| &event.experiment).unwrap();
    let service = millrace.start(&["experiments", "{app}"]).unwrap();
    let alert = wait::until("the alert", LONG, || {
        Ok(reader::events::<Alert>(stack, &app.topic("alerts"))?.into_iter().next())
    })
    .unwrap();
    assert_eq!((alert.kind.as_str(), alert.subject.as_str()), ("refused_decision", "x"));
    assert!(alert.detail.contains("`twice` cannot name an arm: there are two of it"), "{}", alert.detail);
    let deployments: Vec<Deployment> = reader::events(stack, &app.topic("deployments")).unwrap();
    assert_eq!(deployments.len(), 1);
    service.stop().unwrap();
}
