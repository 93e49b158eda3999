//! A/B tests of versions by what their users order.

use millrace_schemas::envelope::{Decided, ExperimentState, ResultKind};

use super::course::{Course, SHORT};
use super::world::World;

#[test]
fn an_ab_test_finds_the_better_arm_and_its_result_is_shown() {
    let course = Course::new(World { effect: 0.25, ..World::AB }).unwrap();
    let ended = course.run(Some(1)).unwrap();
    ended.is(Decided::Promote, "2");
    let evidence = &ended.decision.evidence[0];
    let rests_on = ended.results.iter().find(|event| event.id == *evidence).unwrap();
    assert!(rests_on.kind == ResultKind::Comparison && rests_on.low.unwrap() > 0.0, "{rests_on:?}");
    let millrace = course.millrace();
    let shown = millrace.succeed(&["experiment", "status", "{app}", "x"], SHORT).unwrap();
    assert!(shown.contains("x (ab on scores): decided") && shown.contains("orders"), "{shown}");
    let page = course.app.folder().join("x.html");
    let page = page.to_string_lossy();
    millrace.succeed(&["experiment", "status", "{app}", "x", "--html", &page], SHORT).unwrap();
    let html = std::fs::read_to_string(&*page).unwrap();
    assert!(html.contains("<svg") && html.contains("Experiment x"), "{html}");
    let again = millrace.run(&["experiment", "stop", "{app}", "x"], SHORT).unwrap();
    assert!(
        !again.status.success() && again.output.contains("x does not run: it is decided"),
        "{}",
        again.output
    );
}

#[test]
fn an_a_a_test_by_unit_sees_nothing_and_is_decided_by_a_person() {
    let course = Course::new(World::AB).unwrap();
    let service = course.start().unwrap();
    for day in 0..4 {
        course.serve(day).unwrap();
        course.close(day).unwrap();
    }
    let decided: Vec<_> = course.results().unwrap().iter().filter_map(|event| event.decision).collect();
    assert_eq!(decided, [Decided::Start]);
    let millrace = course.millrace();
    let words =
        ["experiment", "decide", "{app}", "x", "--arm", "b", "--by", "somebody", "--reason", "cheaper"];
    millrace.succeed(&words, SHORT).unwrap();
    let ended = course.ended(4).unwrap();
    ended.is(Decided::Promote, "2");
    assert_eq!((ended.decision.by.as_str(), ended.decision.state), ("somebody", ExperimentState::Decided));
    service.stop().unwrap();
}
