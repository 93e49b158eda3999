use std::path::Path;

use millrace_schemas::envelope::Decided;

use super::*;

fn definition(name: &str, file: &str) -> ExperimentDefinition {
    let topics = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../topics");
    let app = millrace_topics::load(&topics, "fraud").unwrap();
    let draft = app.definitions.into_iter().find(|one| one.name == file).unwrap();
    ExperimentDefinition { name: name.into(), salt: name.into(), ..draft }
}

fn log() -> Log {
    let serving = Deployment::champion("predictions", "fraud-gbdt", "1", 0);
    Log { deployments: vec![(0, serving)], ..Log::default() }
}

fn said(name: &str, command: CommandKind) -> ExperimentCommand {
    let argument = match command {
        CommandKind::Start => serde_json::to_string(&definition(name, "second-model")).unwrap(),
        _ => String::new(),
    };
    ExperimentCommand {
        id: format!("{name}-{command:?}"),
        time_ms: 0,
        experiment: name.into(),
        command,
        argument,
        by: "ada".into(),
        reason: String::new(),
    }
}

fn told(name: &str, state: ExperimentState) -> ExperimentResult {
    ExperimentResult {
        experiment: name.into(),
        topic: "predictions".into(),
        state,
        decision: Some(Decided::Stop),
        detail: "stopped by ada".into(),
        ..Default::default()
    }
}

/// The experiment `name` was started, and is in a state.
fn in_state(name: &str, state: ExperimentState) -> Log {
    let mut log = log();
    let start = said(name, CommandKind::Start);
    let id = ExperimentResult::id_of(&["refused", &start.id]);
    log.results.push(ExperimentResult { id, ..told(name, state) });
    log.commands.push(start);
    log
}

fn not_started(log: &Log, part: &str) {
    let error = log.may_start("fraud", &definition("x", "second-model")).unwrap_err().to_string();
    assert!(error.contains(part), "{error}");
}

#[test]
fn an_experiment_starts_where_its_control_serves_and_no_other_runs() {
    let (x, mut log) = (definition("x", "second-model"), log());
    assert_eq!(log.may_start("fraud", &x).unwrap(), None);
    not_started(&Log::default(), "nothing serves predictions yet: run `millrace topics apply fraud`");
    log.deployments.push((7, Deployment::champion("predictions", "fraud-gbdt", "2", 0)));
    not_started(
        &log,
        "its control is fraud-gbdt/1, and fraud-gbdt/2 is the champion of predictions (deployment 7)",
    );
    not_started(&log, "`millrace deploy fraud predictions --champion fraud-gbdt/1`");
    for open in [ExperimentState::Running, ExperimentState::Paused] {
        not_started(&in_state("y", open), "y runs on predictions already");
        not_started(&in_state("x", open), &format!("x is {} already", open));
    }
    for closed in [ExperimentState::Stopped, ExperimentState::Decided, ExperimentState::Draft] {
        in_state("y", closed).may_start("fraud", &x).unwrap();
        in_state("x", closed).may_start("fraud", &x).unwrap();
    }
}

#[test]
fn a_start_that_no_service_has_taken_yet_counts_until_it_is_taken_back() {
    let mut log = log();
    log.commands.push(said("y", CommandKind::Start));
    not_started(&log, "y runs on predictions already");
    log.commands.push(said("x", CommandKind::Start));
    not_started(&log, "no service has taken it yet: `millrace experiments fraud`");
    log.may_say("fraud", "x", CommandKind::Stop, "").unwrap();
    log.commands.extend(["x", "y"].map(|name| said(name, CommandKind::Stop)));
    log.may_start("fraud", &definition("x", "second-model")).unwrap();
}

#[test]
fn a_part_of_a_namespace_or_a_salt_of_another_is_refused_before_anything_is_written() {
    let mut log = log();
    let other = Deployment {
        mode: Deployment::AB.into(),
        experiment: "checkout".into(),
        salt: "x".into(),
        ..Deployment::champion("others", "m", "1", 0)
    };
    log.deployments.push((1, other.clone()));
    not_started(&log, "the salt `x` is that of experiment `checkout` on `others` (deployment 1)");
    let held = Deployment {
        salt: "s".into(),
        namespace: "n".into(),
        namespace_from: 0,
        namespace_to: 5_000,
        ..other
    };
    log.deployments = vec![log.deployments[0].clone(), (1, held)];
    let namespace = Some(millrace_topics::NamespacePart { name: "n".into(), from: 4_000, to: 6_000 });
    let x = ExperimentDefinition { namespace, ..definition("x", "second-model") };
    let error = log.may_start("fraud", &x).unwrap_err().to_string();
    assert!(error.contains("4000 to 6000 overlaps the part of experiment `checkout`"), "{error}");
}

#[test]
fn what_is_said_to_nobody_is_refused() {
    let refused = |log: &Log, command, argument: &str, part: &str| {
        let error = log.may_say("fraud", "x", command, argument).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    };
    for command in
        [CommandKind::Pause, CommandKind::Resume, CommandKind::Stop, CommandKind::Abort, CommandKind::Decide]
    {
        refused(&log(), command, "second", "no experiment `x` was started");
        let ended = in_state("x", ExperimentState::Stopped);
        refused(&ended, command, "second", "x does not run: it is stopped (stopped by ada)");
    }
    let (running, paused) = (in_state("x", ExperimentState::Running), in_state("x", ExperimentState::Paused));
    refused(&running, CommandKind::Resume, "", "x is not paused");
    refused(&paused, CommandKind::Pause, "", "x is paused already");
    refused(
        &running,
        CommandKind::Decide,
        "secnd",
        "x has no arm `secnd`, only `champion` and `second`; did you mean `second`",
    );
    running.may_say("fraud", "x", CommandKind::Decide, "second").unwrap();
    running.may_say("fraud", "x", CommandKind::Pause, "").unwrap();
    paused.may_say("fraud", "x", CommandKind::Abort, "").unwrap();
}
