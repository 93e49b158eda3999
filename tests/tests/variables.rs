//! The environment, as the real binary reads it.

use std::time::Duration;

use millrace_tests::application::Application;
use millrace_tests::millrace::Millrace;

#[test]
fn a_misspelt_environment_variable_ends_any_command_and_a_right_one_is_in_force() {
    let app = Application::copy("fraud").unwrap();
    let run = |name: &str, value: &str| {
        Millrace::offline(&app).env(name, value).run(&["config"], Duration::from_secs(30)).unwrap()
    };
    let finished = run("MILLRACE_DELIVRY", "at-least-once");
    assert_eq!(finished.status.code(), Some(1), "{}", finished.output);
    assert!(
        finished.output.contains("MILLRACE_DELIVRY; did you mean `MILLRACE_DELIVERY`?"),
        "{}",
        finished.output
    );
    let finished = run("MILLRACE_DELIVERY", "at-least-once");
    assert!(
        finished.status.success() && finished.output.contains("delivery = \"at-least-once\""),
        "{}",
        finished.output
    );
}
