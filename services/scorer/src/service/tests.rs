use std::path::PathBuf;

use millrace_runtime::task::Progress;
use millrace_schemas::InProcessRegistry;

use super::*;
use crate::testing::{application, feature_schema};

fn messages(app: &Application) -> Vec<String> {
    check(app, &app.topics[3], &feature_schema()).into_iter().map(|problem| problem.message).collect()
}

#[test]
fn a_first_model_that_fits_is_no_problem_and_none_is_none() {
    assert_eq!(messages(&application(&[("predictions", "logistic/1")])), Vec::<String>::new());
    assert_eq!(messages(&application(&[])), Vec::<String>::new());
    assert_eq!(messages(&application(&[("rankings", "nothing/1")])), Vec::<String>::new());
}

#[test]
fn what_is_wrong_with_the_first_model_is_told_at_its_key() {
    let app = application(&[("predictions", "nothing/1")]);
    let [problem] = check(&app, &app.topics[3], &feature_schema()).try_into().unwrap();
    assert_eq!(problem.key.as_deref(), Some("deployments.first.predictions"));
    assert_eq!((problem.file, problem.line), (PathBuf::from("fraud/deployments.toml"), Some(12)));
    assert!(problem.message.starts_with("testdata/models/nothing/1/model.toml: "), "{}", problem.message);
    let [message] = messages(&application(&[("predictions", "doubles/1")])).try_into().unwrap();
    assert!(message.contains("not a tensor of 32-bit floats"), "{message}");
}

#[test]
fn every_input_that_the_features_lack_is_a_problem_of_its_own() {
    let app = application(&[("predictions", "logistic/1")]);
    let features: SchemaRef = Arc::new(feature_schema().project(&[0, 1, 2, 3, 5]).unwrap());
    let problems = check(&app, &app.topics[3], &features);
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].message.starts_with("model logistic/1: input 1 `amount`"), "{}", problems[0].message);
}

fn start(app: &Application, topic: usize) -> Result<Service, Error> {
    let mut kafka = ClientConfig::new();
    kafka.set("bootstrap.servers", "127.0.0.1:1").set("log_level", "0");
    service(app, &app.topics[topic], &kafka, Arc::new(InProcessRegistry::default()), false)
}

#[test]
fn the_service_reads_the_features_writes_the_predictions_and_is_not_ready_without_a_deployment() {
    let app = application(&[("predictions", "logistic/1")]);
    let service = start(&app, 3).unwrap();
    assert_eq!((service.name.as_str(), service.group.as_str()), ("scorer", "fraud.predictions"));
    assert_eq!(service.dead_letters.name, "fraud.dead-letters");
    let [stage] = service.stages.as_slice() else { panic!("{} stages", service.stages.len()) };
    assert_eq!(
        (stage.inputs[0].topic.name.as_str(), stage.inputs[0].time.as_str()),
        ("fraud.features", "tx_time")
    );
    assert_eq!(stage.outputs[0].name, "fraud.predictions");
    assert!(stage.alignment.is_none() && !stage.stateful && stage.inputs[0].source.is_none());
    let why = (service.ready)().unwrap_err();
    assert!(why.contains("fraud.deployments"), "{why}");
    let task = (stage.task)(0).unwrap();
    assert_eq!(task.progress(), Progress { task_time_ms: None, rebuild_from: vec![None] });
}

#[test]
fn an_application_that_lacks_something_is_refused_with_the_file() {
    let refused = |change: fn(&mut Application), part: &str| {
        let mut app = application(&[]);
        change(&mut app);
        let at = app.topics.iter().position(|topic| topic.stem == "predictions").unwrap();
        let error = start(&app, at).err().unwrap_or_else(|| panic!("taken in spite of: {part}")).to_string();
        assert!(error.contains(part), "{error}");
    };
    refused(|app| drop(app.topics.remove(2)), "fraud/predictions.toml: predictions.features");
    refused(|app| drop(app.topics.remove(1)), "deployments.toml is missing");
    refused(|app| drop(app.topics.remove(0)), "dead-letters.toml is missing");
    refused(|app| app.topics[2].id = None, "fraud/features.toml: id is missing");
    refused(|app| app.topics[2].time = None, "fraud/features.toml: time is missing");
    refused(|app| app.topics[2].kafka.schema = None, "not derived yet");
    refused(|app| app.topics[3].kafka.schema = app.topics[2].kafka.schema.clone(), "lacks the column `id`");
    refused(
        |app| {
            let Role::Predictions(table) = &mut app.topics[3].role else { unreachable!() };
            table.unit = "costumer_id".into();
            table.context.push("region".into());
        },
        "unit `costumer_id`: there is no such column among the features; did you mean `customer_id`?\ncontext `region`",
    );
}

#[test]
fn the_advice_names_the_command_and_the_key_that_is_missing() {
    let app = application(&[("predictions", "logistic/1")]);
    let text = advice(&app, &app.topics[3], &app.topics[1]);
    assert_eq!(text, "no model is deployed on fraud.predictions: run `millrace topics apply fraud`");
    let app = application(&[]);
    let text = advice(&app, &app.topics[3], &app.topics[1]);
    assert!(
        text.contains(
            "first = { predictions = \"<model>/<version>\" }` under [deployments] in fraud/deployments.toml"
        ),
        "{text}"
    );
}

#[test]
fn an_explored_decision_that_no_model_takes_is_told() {
    let mut app = application(&[("predictions", "logistic/1")]);
    let Role::Predictions(table) = &mut app.topics[3].role else { panic!("no predictions") };
    table.explore = Some(millrace_topics::ExploreTable { share: 0.01, decision: "aproove".into() });
    let [message] = messages(&app).try_into().unwrap();
    assert!(message.contains("\"accept\" or \"review\""), "{message}");
}
