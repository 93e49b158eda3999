use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;
use crate::{Partitioner, Start, check_co_partitioned, check_retention};

const CLICKS: &str = r#"{"type": "record", "name": "Click", "fields": [
    {"name": "id", "type": "string"},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    {"name": "user", "type": "string"},
    {"name": "price", "type": "double"}
]}"#;
const SOURCE: &str = "schema = \"clicks.avsc\"\nkey = \"user\"\ntime = \"at\"\nid = \"id\"\n";
const VIEW: &str = "id = \"id\"\ntime = \"at\"\n[features]\n";
const SQL: &str = "SELECT id, at, user FROM clicks";
pub(super) const PREDICTIONS: &str = "[predictions]\nfeatures = \"view\"\nunit = \"user\"\n";

/// A folder of applications that is gone with the test.
pub(super) struct Folder(tempfile::TempDir);

impl Folder {
    /// Files by their path under the folder that holds `topics/` and `schemas/`.
    pub(super) fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Self(folder)
    }

    /// The application `web` of a good schema, source and view, and what `files` add or replace in `topics/web/`.
    pub(super) fn web(files: &[(&str, &str)]) -> Self {
        let own: Vec<(String, &str)> = [("clicks.toml", SOURCE), ("view.toml", VIEW), ("view.sql", SQL)]
            .iter()
            .chain(files)
            .map(|(name, text)| (format!("topics/web/{name}"), *text))
            .collect();
        let mut all: Vec<(&str, &str)> = own.iter().map(|(path, text)| (path.as_str(), *text)).collect();
        all.push(("schemas/clicks.avsc", CLICKS));
        Self::new(&all)
    }

    fn topics(&self) -> PathBuf {
        self.0.path().join("topics")
    }

    /// The application `web`, or its problems as printed, the folder's own path taken out.
    pub(super) fn load(&self) -> Result<Application, String> {
        load(&self.topics(), "web").map_err(|problems| self.print(&problems))
    }

    pub(super) fn print(&self, problems: &[Problem]) -> String {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        lines.join("\n").replace(&format!("{}/", self.0.path().display()), "")
    }
}

/// What is printed of `web` with these files in place of the good ones.
pub(super) fn problems(files: &[(&str, &str)]) -> String {
    Folder::web(files).load().expect_err("there should be problems")
}

#[test]
fn an_application_of_one_source_and_one_view_is_complete() {
    let folder = Folder::web(&[]);
    let web = folder.load().unwrap();
    let stems: Vec<&str> = web.topics.iter().map(|topic| topic.stem.as_str()).collect();
    assert_eq!(stems, ["clicks", "dead-letters", "view"]);

    let clicks = web.topic("clicks").unwrap();
    assert_eq!(clicks.kafka.name, "web.clicks");
    assert_eq!(clicks.title, "clicks");
    assert_eq!(clicks.kafka.partitions, 1);
    assert_eq!(clicks.kafka.partitioner, Partitioner::Murmur2);
    assert_eq!(clicks.kafka.retention_ms, Some(604_800_000));
    assert_eq!(clicks.max_ahead_ms, 86_400_000);
    assert_eq!(clicks.kafka.schema.as_ref().unwrap().avro(), CLICKS);

    let Role::Features(view) = &web.topic("view").unwrap().role else { panic!("a view") };
    assert_eq!(view.sql, SQL);
    assert_eq!(view.start, Start::Now);
    assert_eq!((view.max_skew_ms, view.max_wait_ms), (3_600_000, 600_000));
    assert_eq!((view.lateness_ms, view.horizon_ms), (172_800_000, None));
    assert_eq!(web.dead_letters().unwrap().kafka.retention_ms, Some(2_592_000_000));
    assert!(web.deployments().is_none(), "nothing predicts");
}

#[test]
fn an_application_that_predicts_has_deployments_for_good() {
    let web = Folder::web(&[("scores.toml", PREDICTIONS)]).load().unwrap();
    let deployments = &web.deployments().unwrap().kafka;
    assert_eq!((deployments.partitions, deployments.retention_ms), (1, None));
    assert_eq!(deployments.settings["cleanup.policy"], "delete");
    let scores = web.topic("scores").unwrap();
    assert_eq!(scores.kafka.key.as_deref(), Some("unit"));
    assert_eq!((scores.id.as_deref(), scores.time.as_deref()), (Some("id"), Some("time")));
}

#[test]
fn every_key_is_read() {
    let clicks = "title = \"Clicks\"\nschema = \"clicks.avsc\"\nformat = \"json\"\nkey = \"user\"\npartitioner = \"crc32\"\n\
                  time = \"at\"\nid = \"id\"\npartitions = 12\nretention = \"forever\"\nmax_ahead = \"1h\"\n";
    let view = "id = \"id\"\ntime = \"at\"\nkey = \"user\"\n[features]\nstart = \"2018-04-01T00:00:00Z\"\nmax_skew = \"12h\"\n\
                max_wait = \"90s\"\nlateness = \"0s\"\nhorizon = \"1 week\"\n";
    let scores = "[predictions]\nfeatures = \"view\"\nunit = \"user\"\ncontext = [\"user\", \"at\"]\n";
    let deployments = "[deployments]\nfirst = { scores = \"m/2\" }\n";
    let files = [
        ("clicks.toml", clicks),
        ("view.toml", view),
        ("scores.toml", scores),
        ("deployments.toml", deployments),
        ("dead-letters.toml", "partitions = 3\n[dead-letters]\n"),
    ];
    let web = Folder::web(&files).load().unwrap();
    let clicks = web.topic("clicks").unwrap();
    assert_eq!((clicks.title.as_str(), clicks.max_ahead_ms), ("Clicks", 3_600_000));
    assert_eq!((clicks.kafka.partitioner, clicks.kafka.partitions), (Partitioner::Crc32, 12));
    assert_eq!((clicks.kafka.format, clicks.kafka.retention_ms), (millrace_schemas::Format::Json, None));
    let Role::Features(view) = &web.topic("view").unwrap().role else { panic!("a view") };
    assert_eq!(view.start, Start::Time(1_522_540_800_000));
    assert_eq!((view.max_skew_ms, view.max_wait_ms), (43_200_000, 90_000));
    assert_eq!((view.lateness_ms, view.horizon_ms), (0, Some(604_800_000)));
    let Role::Predictions(scores) = &web.topic("scores").unwrap().role else { panic!("predictions") };
    assert_eq!((scores.unit.as_str(), scores.context.len()), ("user", 2));
    let Role::Deployments(deployments) = &web.deployments().unwrap().role else { panic!("deployments") };
    assert_eq!(deployments.first["scores"].to_string(), "m/2");
    assert_eq!(web.dead_letters().unwrap().kafka.partitions, 3);
}

#[test]
fn all_problems_of_all_files_are_printed_at_once() {
    let clicks = "title = 3\nschema = \"clicks.avsc\"\nformt = \"avro\"\nkey = \"usr\"\ntime = \"price\"\npartitions = 0\n";
    let view = "id = \"id\"\ntime = \"at\"\nkey = \"user\"\n\n[features]\nmax_skew = \"12x\"\nstart = \"never\"\nlatenes = \"2d\"\n";
    assert_eq!(
        problems(&[("clicks.toml", clicks), ("view.toml", view)]),
        "web/clicks.toml:1: title: is a whole number, and must be a string, for example title = \"Card payments\"\n\
         web/clicks.toml:3: formt: unknown key; did you mean `format`?\n\
         web/clicks.toml:4: key: there is no column `usr`; did you mean `user`?\n\
         web/clicks.toml:5: time: column `price` is a double; name one that is a timestamp (in Avro: long, logicalType \
         timestamp-millis)\n\
         web/clicks.toml:6: partitions: 0 is out of range; write a number from 1 to 100000\n\
         web/view.toml:6: features.max_skew: \"12x\" is no duration: there is no unit `x`; write for example \"12h\"\n\
         web/view.toml:7: features.start: is no place to start; write \"earliest\", \"now\" or a time such as \
         2018-04-01T00:00:00Z\n\
         web/view.toml:8: features.latenes: unknown key; did you mean `lateness`?"
    );
}

#[test]
fn a_source_without_schema_and_time_is_told_both() {
    assert_eq!(
        problems(&[("clicks.toml", "")]),
        "web/clicks.toml: schema: is missing; name the Avro schema of the rows, for example schema = \
         \"transactions.avsc\"\n\
         web/clicks.toml: time: is missing; name the column that is the record time, for example time = \"created_at\""
    );
}

#[test]
fn a_missing_schema_lists_the_places_searched() {
    let clicks = SOURCE.replace("clicks.avsc", "click.avsc");
    assert_eq!(
        problems(&[("clicks.toml", &clicks)]),
        "web/clicks.toml:1: schema: there is no schema `click.avsc`; looked for topics/web/click.avsc, \
         schemas/click.avsc, topics/schemas/click.avsc, and among the schemas that Millrace brings (alerts.avsc, \
         click-feedback.avsc, dead-letters.avsc, deployments.avsc, drift-commands.avsc, drift.avsc, \
         experiment-commands.avsc, experiment-results.avsc, predictions.avsc, rankings.avsc, retrain-requests.avsc, \
         scorer-stats.avsc)"
    );
}

#[test]
fn schemas_are_found_beside_the_topics_before_others() {
    let other = CLICKS.replace("Click", "Other");
    let files =
        [("web/clicks.avsc", "Own"), ("../schemas/clicks.avsc", "Beside"), ("schemas/clicks.avsc", "Under")];
    for skipped in 0..files.len() {
        let folder = Folder::web(&[]);
        std::fs::remove_file(folder.0.path().join("schemas/clicks.avsc")).unwrap();
        for (path, name) in &files[skipped..] {
            let path = folder.topics().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, other.replace("Other", name)).unwrap();
        }
        let web = folder.load().unwrap();
        let found = web.topic("clicks").unwrap().kafka.schema.as_ref().unwrap().avro().to_owned();
        assert!(found.contains(files[skipped].1), "{found}");
    }
}

#[test]
fn a_schema_that_cannot_read_its_past_is_a_problem() {
    let with = |field: &str| CLICKS.replace("\n]}", &format!(",\n    {field}\n]}}"));
    let now = with(r#"{"name": "place", "type": "string"}"#);
    let defaulted = with(r#"{"name": "place", "type": "string", "default": ""}"#);
    assert!(Folder::web(&[("clicks.avsc", &defaulted), ("clicks.v1.avsc", CLICKS)]).load().is_ok());
    let printed = problems(&[("clicks.avsc", &now), ("clicks.v1.avsc", CLICKS), ("clicks.v2.avsc", &now)]);
    assert_eq!(
        printed,
        "web/clicks.toml:1: schema: topics/web/clicks.avsc: field `place` does not read data of version 1: records before \
         it lack the field: give it a default, or for a rename the old name as an alias"
    );
}

#[test]
fn invalid_toml_names_the_line_and_hides_no_other_file() {
    let printed = problems(&[
        ("view.toml", "title = \"a\"\nkey = \n"),
        ("scores.toml", PREDICTIONS),
        ("clicks.toml", ""),
    ]);
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines.len(), 3, "{printed}");
    assert!(lines[0].starts_with("web/clicks.toml: schema: is missing"), "{printed}");
    assert!(lines[2].starts_with("web/view.toml:2: no valid TOML: "), "{printed}");
}

#[test]
fn a_view_without_its_sql_is_a_problem() {
    let folder = Folder::web(&[]);
    std::fs::rename(folder.topics().join("web/view.sql"), folder.topics().join("web/views.sql")).unwrap();
    assert_eq!(
        folder.load().unwrap_err(),
        "web/view.toml:3: features: needs a view in view.sql, and there is only views.sql beside it; write its SELECT there"
    );
    assert_eq!(
        problems(&[("view.sql", " \n")]),
        "web/view.toml:3: features: needs a view, and view.sql is empty; write its SELECT there"
    );
}

#[test]
fn an_explored_slice_has_a_share_and_a_decision() {
    let explore =
        |text: &str| format!("[predictions]\nfeatures = \"view\"\nunit = \"user\"\nexplore = {text}\n");
    let right = explore("{ share = 0.005, decision = \"approve\" }");
    let web = Folder::web(&[("scores.toml", &right)]).load().unwrap();
    let Role::Predictions(scores) = &web.topic("scores").unwrap().role else { panic!("predictions") };
    let table = scores.explore.as_ref().unwrap();
    assert_eq!((table.share, table.decision.as_str()), (0.005, "approve"));
    for (text, part) in [
        ("{ share = 0.005 }", "decision: is missing"),
        ("{ share = 0.00015, decision = \"a\" }", "0.00015 is no whole number of ten-thousandths"),
        ("{ share = 0.9, decision = \"a\" }", "share: is out of range"),
        ("{ shore = 0.1, decision = \"a\" }", "shore: unknown key"),
    ] {
        let found = problems(&[("scores.toml", &explore(text))]);
        assert!(found.contains(part), "{text}: {found}");
    }
}

#[test]
fn predictions_and_deployments_name_what_exists() {
    let scores = "[predictions]\nfeatures = \"veiw\"\nuint = \"user\"\ncontext = [\"a\", \"a\"]\n";
    let deployments =
        "partitions = 2\nretention = \"7d\"\n[deployments]\nfirst = { score = \"m/1\", scores = \"m\" }\n";
    assert_eq!(
        problems(&[("scores.toml", scores), ("deployments.toml", deployments)]),
        "web/deployments.toml:1: partitions: 2 is out of range; write a number from 1 to 1\n\
         web/deployments.toml:2: retention: must be \"forever\": the last deployment of a topic is in force, however old it is\n\
         web/deployments.toml:4: deployments.first.scores: \"m\" names no model version; write <model>/<version>, for \
         example \"fraud-gbdt/1\"\n\
         web/deployments.toml:4: deployments.first.score: there is no topic with [predictions] or [rankings] `score`, only `scores`; \
         did you mean `scores`?\n\
         web/scores.toml: predictions.unit: is missing; write for example unit = \"customer_id\"\n\
         web/scores.toml:2: predictions.features: there is no topic with [features] `veiw`, only `view`; did you mean \
         `view`?\n\
         web/scores.toml:3: predictions.uint: unknown key; did you mean `unit`?\n\
         web/scores.toml:4: predictions.context: names `a` twice; name it once"
    );
}

#[test]
fn a_scored_view_names_its_id_and_time() {
    assert_eq!(
        problems(&[("view.toml", "[features]\n"), ("scores.toml", PREDICTIONS)]),
        "web/view.toml: id: is missing; scores.toml takes the id of its predictions from it, so name that column\n\
         web/view.toml: time: is missing; scores.toml takes the time of its predictions from it, so name that column"
    );
}

#[test]
fn columns_of_a_view_are_checked_where_they_are_known() {
    let scores = "[predictions]\nfeatures = \"view\"\nunit = \"usr\"\ncontext = [\"user\", \"place\"]\n";
    let folder = Folder::web(&[("scores.toml", scores), ("view.toml", &format!("key = \"price\"\n{VIEW}"))]);
    let web = folder.load().unwrap();
    let rows = web.topic("clicks").unwrap().kafka.schema.as_ref().unwrap().arrow().clone();
    let mut problems = crate::check_columns(web.topic("view").unwrap(), &rows);
    problems.extend(check_predictions(web.topic("scores").unwrap(), &rows));
    assert_eq!(
        folder.print(&problems),
        "web/view.toml:1: key: column `price` is a double; name one that is a string or an integer\n\
         web/scores.toml:3: predictions.unit: there is no column `usr`; did you mean `user`?\n\
         web/scores.toml:4: predictions.context: there is no column `place`; there are `id`, `at`, `user` and `price`"
    );
}

#[test]
fn a_topic_has_one_role_in_its_own_place() {
    let two = format!("{VIEW}{PREDICTIONS}");
    let dead_letters = "[features]\n";
    assert_eq!(
        problems(&[
            ("view.toml", &two),
            ("dead-letters.toml", dead_letters),
            ("other.toml", "[deployments]\n[scores]\n")
        ]),
        "web/dead-letters.toml:1: features: is a second role, and a topic has one writer; move this table to a topic file \
         of its own\n\
         web/other.toml:1: deployments: belongs in deployments.toml: services look for it there; move it\n\
         web/other.toml:2: scores: unknown table; known are `features`, `predictions`, `deployments`, `drift`, `retrain`, \
         `drift-commands`, `rankings`, `click_feedback`, `experiments`, `experiment-commands`, `alerts`, \
         `scorer-stats`, `dead-letters`, `title`, `schema`, `format`, `key`, `partitioner`, `time`, `id`, `partitions`, \
         `retention` and `max_ahead`\n\
         web/view.toml:4: predictions: is a second role, and a topic has one writer; move this table to a topic file of its own"
    );
}

#[test]
fn names_that_kafka_or_services_cannot_take_are_refused() {
    let long = "x".repeat(160);
    let files = [("a b.toml", SOURCE), ("progress.toml", SOURCE), (&format!("{long}.toml"), SOURCE)];
    assert_eq!(
        problems(&files),
        format!(
            "web/a b.toml: `a b` cannot be part of a Kafka topic's name; use letters, digits, - and _ only, for example `a-b`\n\
             web/progress.toml: `progress` is the name of a topic that services keep for themselves; choose another\n\
             web/{long}.toml: the Kafka name has 164 characters; shorten it to 150 at most"
        )
    );
}

#[test]
fn an_unknown_application_lists_those_that_there_are() {
    let folder =
        Folder::new(&[("topics/fraud/a.toml", ""), ("topics/ranking/a.toml", ""), ("topics/src/a.rs", "")]);
    assert_eq!(list(&folder.topics()), ["fraud", "ranking"]);
    let print = |name| folder.print(&load(&folder.topics(), name).unwrap_err()).replace("topics: ", "");
    let printed = print("fruad");
    assert!(
        printed.ends_with("no application `fruad`; there are: fraud, ranking; did you mean `fraud`?"),
        "{printed}"
    );
    let printed = print("../topics/fraud");
    assert!(printed.ends_with("no application `../topics/fraud`; there are: fraud, ranking"), "{printed}");
    let printed = folder.print(&load(&folder.0.path().join("none"), "x").unwrap_err());
    assert_eq!(printed, "none: no application `x`; and no other either");
}

#[test]
fn sources_read_together_must_agree() {
    let views =
        "schema = \"clicks.avsc\"\nkey = \"id\"\ntime = \"at\"\npartitions = 4\npartitioner = \"crc32\"\n";
    let folder = Folder::web(&[("views.toml", views)]);
    let web = folder.load().unwrap();
    let (clicks, views) = (web.topic("clicks").unwrap(), web.topic("views").unwrap());
    assert!(check_co_partitioned(&[clicks, clicks]).is_empty());
    let together = "in clicks.toml; a view reads the two together, so their rows must meet in equal partitions: make them equal";
    assert_eq!(
        folder.print(&check_co_partitioned(&[clicks, views])),
        format!(
            "web/views.toml:2: key: is `id`, and `user` {together}\n\
             web/views.toml:5: partitioner: is crc32, and murmur2 {together}\n\
             web/views.toml:4: partitions: is 4, and 1 {together}"
        )
    );
}

#[test]
fn retention_covers_what_state_is_rebuilt_from() {
    let folder = Folder::web(&[("clicks.toml", &format!("{SOURCE}retention = \"36h\"\n"))]);
    let web = folder.load().unwrap();
    let clicks = web.topic("clicks").unwrap();
    assert_eq!(check_retention(clicks, Some(129_600_000), "view"), None);
    let printed =
        |needed| folder.print(&check_retention(clicks, needed, "view").into_iter().collect::<Vec<_>>());
    assert_eq!(
        printed(Some(172_800_000)),
        "web/clicks.toml:5: retention: is 36h, and the state of the view `view` is rebuilt from records of the last 2d (its \
         longest frame with delay, and its lateness); write at least retention = \"2d\""
    );
    assert!(printed(None).ends_with("write at least retention = \"forever\""));
}

#[test]
fn the_fraud_application_is_as_published() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fraud = load(folder, "fraud").map_err(|problems| Folder::new(&[]).print(&problems)).unwrap();
    let topics: Vec<_> = fraud
        .topics
        .iter()
        .map(|topic| {
            (topic.kafka.name.as_str(), topic.kafka.partitions, topic.kafka.key.as_deref().unwrap_or("-"))
        })
        .collect();
    assert_eq!(
        topics,
        [
            ("fraud.alerts", 1, "-"),
            ("fraud.dead-letters", 1, "-"),
            ("fraud.deployments", 1, "topic"),
            ("fraud.drift", 1, "-"),
            ("fraud.drift-commands", 1, "-"),
            ("fraud.experiment-commands", 1, "experiment"),
            ("fraud.experiment-results", 1, "experiment"),
            ("fraud.features", 4, "terminal_id"),
            ("fraud.labels", 4, "customer_id"),
            ("fraud.predictions", 4, "unit"),
            ("fraud.retrain-requests", 1, "-"),
            ("fraud.scorer-stats", 1, "-"),
            ("fraud.transactions", 4, "customer_id"),
        ]
    );
    let sources = [fraud.topic("transactions").unwrap(), fraud.topic("labels").unwrap()];
    assert!(check_co_partitioned(&sources).is_empty());
    let columns = |topic: &Topic| {
        let schema = topic.kafka.schema.as_ref().unwrap().arrow().clone();
        schema.fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(columns(sources[0]), "tx_id tx_time customer_id terminal_id amount country");
    assert_eq!(columns(sources[1]), "tx_id label_time tx_time customer_id terminal_id fraud");
    let Role::Features(view) = &fraud.topic("features").unwrap().role else { panic!("a view") };
    assert_eq!((view.start, view.max_skew_ms, view.lateness_ms), (Start::Earliest, 43_200_000, 172_800_000));
    let state_ms = Some((37 + 2) * 86_400_000);
    assert!(sources.iter().all(|source| check_retention(source, state_ms, "features").is_none()));
}

proptest! {
    #[test]
    fn no_text_makes_the_loader_panic(
        file in prop::sample::select(vec!["clicks.toml", "view.toml", "deployments.toml", "dead-letters.toml", "drift.toml", "requests.toml"]),
        lines in prop::collection::vec(line(), 0..12),
        noise in "\\PC{0,20}",
        at in 0usize..400,
    ) {
        let mut text = lines.join("\n");
        let at = (0..=text.len().min(at)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.insert_str(at, &noise);
        if let Err(printed) = Folder::web(&[(file, &text)]).load() {
            let lines = text.lines().count() + 1;
            for problem in printed.lines() {
                let line = problem.split(':').nth(1).and_then(|line| line.parse::<usize>().ok());
                prop_assert!(problem.starts_with("web/"), "{problem}");
                prop_assert!(line.is_none_or(|line| line <= lines), "{problem}");
            }
        }
    }
}

/// A line as topic files have them, right or wrong.
fn line() -> impl Strategy<Value = String> {
    let keys = "title schema format key partitioner time id partitions retention max_ahead start max_skew lateness horizon \
                features unit context first features.start deployments.first.x columns predictions labels task window slide \
                rows reference range season horizon coverage ks labels.topic on severity cron"
        .split_whitespace()
        .map(str::to_owned)
        .collect::<Vec<_>>();
    let tables = [
        "features",
        "predictions",
        "deployments",
        "deployments.first",
        "dead-letters",
        "drift",
        "retrain",
        "retrain.triggers.t",
        "x",
    ];
    let value = prop_oneof![
        Just("\"clicks.avsc\"".to_owned()),
        Just("\"user\"".to_owned()),
        Just("\"at\"".to_owned()),
        Just("\"12h\"".to_owned()),
        Just("2018-04-01T00:00:00Z".to_owned()),
        Just("{ a = \"m/1\" }".to_owned()),
        Just("[\"user\"]".to_owned()),
        Just("0xffffffffffffffffffff".to_owned()),
        "-?[0-9]{1,20}(\\.[0-9]+)?",
        "\"[^\"\\\\]{0,6}\"",
    ];
    prop_oneof![
        4 => (prop::sample::select(keys), value).prop_map(|(key, value)| format!("{key} = {value}")),
        1 => prop::sample::select(tables.to_vec()).prop_map(|table| format!("[{table}]")),
        1 => "\\PC{0,10}",
    ]
}
