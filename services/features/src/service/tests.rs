//! The fraud application's service, and views that cannot run.

use millrace_topics::{Application, Role, Start};

use super::{check, kafka_topics, service};
use crate::testing::fraud;

fn features(app: &mut Application) -> &mut millrace_topics::Topic {
    app.topics.iter_mut().find(|topic| topic.stem == "features").unwrap()
}

fn set_sql(app: &mut Application, sql: &str) {
    if let Role::Features(table) = &mut features(app).role {
        table.sql = sql.into();
    }
}

fn problems(app: &Application) -> String {
    check(app).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_fraud_service_has_two_stages_linked_by_one_topic() {
    let app = fraud();
    assert_eq!(problems(&app), "");
    let view = app.topics.iter().find(|topic| topic.stem == "features").unwrap();
    let service = service(&app, view).unwrap();
    let fingerprint = service.group.strip_prefix("fraud.features.").unwrap();
    assert_eq!(fingerprint.len(), 8);
    assert_eq!(service.stages.len(), 2);
    let [first, second] = service.stages.as_slice() else { unreachable!() };
    assert_eq!((first.name.as_str(), second.name.as_str()), ("features/customer_id", "features/terminal_id"));
    let names = |stage: &millrace_runtime::service::Stage| {
        stage.inputs.iter().map(|i| i.topic.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(first), ["fraud.transactions", "fraud.labels"]);
    assert!(first.inputs.iter().all(|input| input.source.is_some()));
    let between = format!("fraud.features.by-terminal_id.{fingerprint}");
    assert_eq!(names(second), [between.as_str()]);
    assert!(second.inputs[0].source.is_none());
    let internal = &first.outputs[0];
    assert_eq!(
        (internal.name.as_str(), internal.partitions, internal.key.as_deref()),
        (between.as_str(), 4, Some("terminal_id"))
    );
    // 30 days delayed by 7, 2 days of lateness, a day of room.
    assert_eq!(internal.retention_ms, Some((40 * 86_400 - 1) * 1_000));
    assert_eq!(second.outputs[0].name, "fraud.features");
    assert!(second.outputs[0].schema.is_some());
    assert_eq!(first.alignment.unwrap().max_skew_ms, 43_200_000);
    assert!(second.alignment.is_none());
    assert_eq!((first.start, second.start), (Start::Earliest, Start::Earliest));
    for stage in &service.stages {
        assert!(stage.stateful);
        (stage.task)(3).unwrap();
    }
}

#[test]
fn the_topics_of_a_view_come_with_its_part_of_the_dataflow() {
    let topics = kafka_topics(&fraud()).unwrap();
    let [view] = topics.as_slice() else { panic!("{topics:?}") };
    assert_eq!(
        (view.view.as_str(), view.internal.len(), view.output.name.as_str()),
        ("features", 1, "fraud.features")
    );
    let columns = view.output.schema.as_ref().unwrap().arrow().fields().len();
    assert_eq!(columns, 20);
    let stores: Vec<&String> = view.steps.iter().flat_map(|step| &step.stores).collect();
    assert_eq!(stores, ["millrace:fraud:features:customer_id:*", "millrace:fraud:features:terminal_id:*"]);
    assert_eq!(view.steps[0].writes, view.steps[1].reads);
}

#[test]
fn problems_of_the_sql_name_its_file_line_and_column() {
    let mut app = fraud();
    set_sql(&mut app, "SELECT terminal_id,\n  now() AS n\nFROM transactions");
    let found = problems(&app);
    assert!(found.starts_with("fraud/features.sql:2: column 3: now() differs from call to call"), "{found}");
}

#[test]
fn a_retention_below_what_the_state_needs_is_refused() {
    let mut app = fraud();
    app.topics.iter_mut().find(|topic| topic.stem == "labels").unwrap().kafka.retention_ms =
        Some(38 * 86_400_000);
    let found = problems(&app);
    assert!(
        found.starts_with("fraud/labels.toml:")
            && found.contains("retention: is 38d")
            && found.contains("39d"),
        "{found}"
    );
    let view = app.topics.iter().find(|topic| topic.stem == "features").unwrap();
    assert!(service(&app, view).is_err());

    let mut app = fraud();
    set_sql(
        &mut app,
        "SELECT terminal_id, COUNT(*) OVER (PARTITION BY customer_id ORDER BY tx_time) AS n FROM transactions",
    );
    let found = problems(&app);
    assert!(found.contains("forever"), "{found}");
}

#[test]
fn sources_that_do_not_lie_alike_are_refused() {
    let mut app = fraud();
    app.topics.iter_mut().find(|topic| topic.stem == "labels").unwrap().kafka.partitions = 8;
    let found = problems(&app);
    assert!(found.contains("partitions"), "{found}");
}

#[test]
fn a_view_that_lacks_what_others_name_is_refused() {
    let mut app = fraud();
    set_sql(&mut app, "SELECT tx_id, tx_time, terminal_id FROM transactions");
    let found = problems(&app);
    assert!(found.contains("customer_id") && found.contains("fraud/predictions.toml"), "{found}");
}

#[test]
fn predictions_that_name_no_view_have_their_other_keys_checked_against_the_only_one() {
    let mut app = fraud();
    let topic = app.topics.iter_mut().find(|topic| topic.stem == "predictions").unwrap();
    let Role::Predictions(table) = &mut topic.role else { unreachable!() };
    table.features = "feature".into();
    table.unit = "customer".into();
    table.context = vec!["land".into(), "country".into(), "shop".into()];
    let found = problems(&app);
    for part in ["predictions.unit: there is no column `customer`", "`land`", "`shop`"] {
        assert!(found.contains(part), "{found}");
    }
    assert_eq!(found.lines().count(), 3, "{found}");
}
