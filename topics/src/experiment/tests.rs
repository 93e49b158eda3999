use std::path::Path;

use super::*;

fn fraud() -> crate::Application {
    crate::load(Path::new(env!("CARGO_MANIFEST_DIR")), "fraud").unwrap()
}

#[test]
fn the_draft_of_the_fraud_application_is_read_and_survives_json() {
    let app = fraud();
    let draft = app.definitions.iter().find(|one| one.name == "second-model").unwrap();
    assert_eq!(
        (draft.kind, draft.topic.as_str(), draft.salt.as_str()),
        (ExperimentKind::Canary, "predictions", "second-model")
    );
    assert_eq!(draft.arms.iter().map(|arm| arm.name.as_str()).collect::<Vec<_>>(), ["champion", "second"]);
    assert_eq!(draft.topics(), ["labels", "transactions"]);
    let canary = draft.canary.as_ref().unwrap();
    assert_eq!((canary.steps.as_slice(), canary.looks), ([0.05, 0.2, 0.5].as_slice(), 4));
    assert_eq!(draft.longest_ms(), 77 * 86_400_000, "three steps of 21 days, a window and a label horizon");
    let text = serde_json::to_string(draft).unwrap();
    assert_eq!(serde_json::from_str::<ExperimentDefinition>(&text).unwrap(), *draft);
}

#[test]
fn a_draft_of_every_kind_comes_along_and_has_no_problem() {
    let mut kinds = Vec::new();
    for name in ["fraud", "ranking"] {
        let app = crate::load(Path::new(env!("CARGO_MANIFEST_DIR")), name).unwrap();
        assert_eq!(app.draft_problems(), []);
        let arms = app.definitions.iter().flat_map(|one| &one.arms);
        for arm in arms.map(ExperimentArm::model_ref) {
            let model = app.folder.join("models").join(&arm.model).join(&arm.version).join("model.toml");
            assert!(model.exists(), "{name} has no {arm}");
        }
        kinds.extend(app.definitions.iter().map(|one| one.kind.name()));
    }
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds, ["ab", "bandit", "canary", "interleave", "shadow"]);
}

/// What is said of a definition beside fraud's topic files.
fn problems(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let from = Path::new(env!("CARGO_MANIFEST_DIR"));
    let copy = |stem: &str| {
        std::fs::create_dir_all(folder.path().join("topics/fraud")).unwrap();
        std::fs::copy(from.join("fraud").join(stem), folder.path().join("topics/fraud").join(stem)).unwrap();
    };
    [
        "features.toml",
        "features.sql",
        "predictions.toml",
        "labels.toml",
        "transactions.toml",
        "experiment-results.toml",
    ]
    .into_iter()
    .for_each(copy);
    std::fs::create_dir_all(folder.path().join("schemas/fraud")).unwrap();
    for schema in ["labels.avsc", "transactions.avsc"] {
        let path = from.join("../schemas/fraud").join(schema);
        std::fs::copy(path, folder.path().join("schemas/fraud").join(schema)).unwrap();
    }
    std::fs::create_dir_all(folder.path().join("topics/fraud/experiments")).unwrap();
    std::fs::write(folder.path().join("topics/fraud/experiments/x.toml"), text).unwrap();
    // The application itself has no problem, whatever its drafts say.
    let app = crate::load(&folder.path().join("topics"), "fraud").unwrap();
    assert!(app.definitions.is_empty());
    assert_eq!(app.unsound.iter().map(|draft| draft.name.as_str()).collect::<Vec<_>>(), ["x"]);
    app.draft_problems().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

const AB: &str = r#"topic = "predictions"
kind = "ab"
control = "a"
[arms]
a = { model = "m/1", share = 0.5 }
b = { model = "m/2", share = 0.5 }
"#;

#[test]
fn what_is_wrong_is_told_with_file_line_and_key() {
    let said = problems(&format!(
        "{AB}[metrics.m]\nkind = \"mean\"\ntopic = \"labels\"\nvalue = \"amuont\"\nroll = \"primary\"\n"
    ));
    assert!(
        said.contains("experiments/x.toml:11: metrics.m.roll: unknown key; did you mean `role`"),
        "{said}"
    );
    assert!(
        said.contains("experiments/x.toml:10: metrics.m.value: topic `labels` has no column `amuont`"),
        "{said}"
    );
    assert!(said.contains("none is primary"), "{said}");
    let said = problems(&AB.replace("m/2", "m2").replace("0.5 }\nb", "0.9 }\nb"));
    assert!(
        said.contains("\"m2\" names no model version") && said.contains("the shares sum to more than 1"),
        "{said}"
    );
    let said =
        problems(&format!("{AB}[metrics.m]\nkind = \"mean\"\ntopic = \"features\"\nrole = \"primary\"\n"));
    assert!(said.contains("topic `features` is not read beside the predictions"), "{said}");
    let said = problems("kind = ");
    assert!(said.contains("experiments/x.toml:1: no valid TOML"), "{said}");
    let said = problems(&AB.replace("topic = \"predictions\"", "topic = \"prediction\""));
    assert!(said.contains("there is no topic of predictions `prediction`"), "{said}");
    let said =
        problems(&AB.replace("control = \"a\"", "control = \"champion\"").replace("a = {", "champion = {"));
    assert!(said.contains("experiments/x.toml:4: arms: names one `champion`"), "{said}");
}

#[test]
fn topics_are_kept_for_as_long_as_the_experiment_may_take() {
    let primary = "[metrics.m]\nkind = \"mean\"\ntopic = \"labels\"\nrole = \"primary\"\n";
    let long =
        AB.replace("control", "max_duration = \"85 days\"\nlabel_horizon = \"3 days\"\ncontrol") + primary;
    let said = problems(&long);
    // 85 days, a window of 7 and a label horizon of 3.
    for stem in ["predictions", "labels"] {
        let part = format!(
            "experiments/x.toml:3: max_duration: the experiment may take 95d, and what is counted is rebuilt from {stem}.toml, \
             which keeps 90d: write retention = \"96 days\" there"
        );
        assert!(said.contains(&part), "{said}");
    }
    let said =
        problems(&long.replace("85 days", "10 days").replace("topic = \"labels\"", "topic = \"features\""));
    assert!(
        said.contains("write topics = [\"labels\", \"transactions\", \"features\"] under [experiments] in experiment-results.toml"),
        "{said}"
    );
    assert!(!said.contains("rebuilt"), "{said}");
}
