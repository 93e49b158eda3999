use super::tests::{Folder, PREDICTIONS, problems};
use crate::{
    DetectorTable, ReferenceTable, Role, SkewTable, TaskKind, TriggerOn, Watches, WindowTable, check_drift,
    watched_columns,
};

const LABELS: &str = "schema = \"clicks.avsc\"\nkey = \"user\"\ntime = \"at\"\nid = \"id\"\n";
const SCORES: &str = "[predictions]\nfeatures = \"view\"\nunit = \"user\"\ncontext = [\"user\"]\n";

fn web(drift: &str, retrain: &str) -> Folder {
    Folder::web(&[
        ("scores.toml", SCORES),
        ("labels.toml", LABELS),
        ("drift.toml", drift),
        ("retrain-requests.toml", retrain),
    ])
}

#[test]
fn what_is_watched_is_read_with_sensible_defaults() {
    let web =
        web("[drift]\nfeatures = \"clicks\"\n", "[retrain.triggers.t]\non = \"drift\"\n").load().unwrap();
    let drift = web.drift().unwrap();
    let Role::Drift(table) = &drift.role else { panic!("drift") };
    assert_eq!(table.window, WindowTable::Time { length_ms: 86_400_000, slide_ms: 86_400_000 });
    assert_eq!((table.task, table.reference), (TaskKind::Binary, ReferenceTable::Model));
    assert_eq!(
        (drift.kafka.partitions, drift.time.as_deref(), drift.id.as_deref()),
        (1, Some("time"), Some("id"))
    );
    let commands = &web.drift_commands().unwrap().kafka;
    assert_eq!(
        (commands.name.as_str(), commands.partitions, commands.retention_ms),
        ("web.drift-commands", 1, None)
    );
    let clicks = web.topic("clicks").unwrap();
    let rows = clicks.kafka.schema.as_ref().unwrap().arrow();
    assert_eq!(watched_columns(table, clicks, rows), ["user", "price"]);
}

#[test]
fn every_key_of_drift_and_of_retrain_is_read() {
    let drift = "[drift]\nfeatures = \"view\"\ncolumns = [\"user\"]\nignore = [\"id\"]\npredictions = \"scores\"\n\
        labels = { topic = \"labels\", id = \"id\", outcome = \"price\" }\ntask = \"regression\"\nwindow = \"1 day\"\n\
        slide = \"1h\"\nlateness = \"0s\"\nmax_wait = \"1 min\"\nsegments = [\"user\"]\ngroups = [\"user\"]\n\
        reference = \"range\"\nrange = { from = 2018-04-01T00:00:00Z, to = \"2018-05-01T00:00:00Z\" }\nseason = \"1 week\"\n\
        horizon = \"20 days\"\ncoverage = 1\nmaturity = \"2 days\"\nexpected_time_between_alarms = \"30 days\"\nks = [5, 50]\n";
    let retrain = "[retrain.triggers.a]\non = \"drift\"\nseverity = 2.5\nwindows = 3\ncool_down = \"1d\"\nmode = \"stateful\"\n\
        training = \"9 days\"\n[retrain.triggers.b]\non = \"performance\"\nmetric = \"rmse\"\nbound = 3\n\
        [retrain.triggers.c]\non = \"volume\"\nlabels = 100\n[retrain.triggers.d]\non = \"time\"\ncron = \"0 3 * * 1\"\n";
    let web = web(drift, retrain).load().unwrap();
    let Role::Drift(table) = &web.drift().unwrap().role else { panic!("drift") };
    assert_eq!(table.window, WindowTable::Time { length_ms: 86_400_000, slide_ms: 3_600_000 });
    assert_eq!(
        table.reference,
        ReferenceTable::Range { from_ms: 1_522_540_800_000, to_ms: 1_525_132_800_000 }
    );
    assert_eq!((table.coverage, table.lateness_ms, table.max_wait_ms), (1.0, 0, 60_000));
    assert_eq!(table.ks, [5, 50]);
    let Role::Retrain(table) = &web.retrain().unwrap().role else { panic!("retrain") };
    let names: Vec<_> = table.triggers.iter().map(|trigger| trigger.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c", "d"]);
    assert_eq!(table.triggers[0].on, TriggerOn::Drift { severity: 2.5, windows: 3 });
    assert!(table.triggers[0].stateful && !table.triggers[1].stateful);
    let TriggerOn::Time { cron: Some(cron), every_ms: None } = &table.triggers[3].on else {
        panic!("a cron")
    };
    assert_eq!(cron.to_string(), "0 3 * * 1");
}

#[test]
fn what_is_wrong_in_drift_names_file_line_and_key() {
    let drift = "[drift]\nfeatures = \"veiw\"\npredictions = \"score\"\nlabels = { topic = \"label\", otcome = \"price\" }\n\
        task = \"binry\"\nwindow = \"1 day\"\nslide = \"7h\"\ncoverage = 1.5\nks = [0]\nseasons = \"1 week\"\n\
        negative_after = \"40 days\"\nrange = { from = 2018-05-01T00:00:00Z, to = 2018-04-01T00:00:00Z }\n";
    let retrain = "[retrain]\n[retrain.triggers.a]\non = \"drifts\"\n[retrain.triggers.b]\non = \"time\"\nevery = \"1d\"\ncron = \"0\"\n\
        [retrain.triggers.c]\non = \"volume\"\nsevrity = 2.0\n";
    let folder = web(drift, retrain);
    let printed = folder.load().unwrap_err();
    for expected in [
        "web/drift.toml:2: drift.features: there is no source or feature topic `veiw`, only `clicks`, `labels` and `view`; did you mean `view`?",
        "web/drift.toml:3: drift.predictions: there is no topic with [predictions] `score`, only `scores`; did you mean `scores`?",
        "web/drift.toml:4: drift.labels.otcome: unknown key; did you mean `outcome`?",
        "drift.labels.outcome: is missing; write for example outcome = \"fraud\"",
        "web/drift.toml:5: drift.task: there is no task `binry`, only `binary`, `multiclass`, `regression` and `ranking`; did you mean `binary`?",
        "web/drift.toml:7: drift.slide: must go into `window` a whole number of times",
        "web/drift.toml:8: drift.coverage: is out of range; write a number from 0 to 1",
        "web/drift.toml:9: drift.ks: is a list, and must be a list of whole numbers above zero",
        "web/drift.toml:10: drift.seasons: unknown key; did you mean `season`?",
        "web/drift.toml:11: drift.negative_after: must not be longer than `horizon`",
        "web/drift.toml:12: drift.range.to: must lie after `from`",
        "web/retrain-requests.toml:3: retrain.triggers.a.on: there is no on `drifts`, only `drift`",
        "web/retrain-requests.toml:7: retrain.triggers.b.cron: \"0\" has 1 fields, and cron has 5",
        "web/retrain-requests.toml:7: retrain.triggers.b.cron: and `every` are two ways to say when",
        "web/retrain-requests.toml:10: retrain.triggers.c.sevrity: unknown key; known are",
        "retrain.triggers.c.labels: is missing; write for example labels = 500000",
    ] {
        assert!(printed.contains(expected), "{expected}\nis not in\n{printed}");
    }
}

#[test]
fn what_drift_names_must_be_there() {
    assert_eq!(
        problems(&[("retrain-requests.toml", "[retrain.triggers.t]\non = \"drift\"\n")]),
        "web/retrain-requests.toml:1: retrain: is written by the service that watches, and no topic file has a table [drift]; \
         add drift.toml"
    );
    assert_eq!(
        problems(&[
            ("a.toml", "[drift]\nfeatures = \"clicks\"\n"),
            ("b.toml", "[drift]\nfeatures = \"clicks\"\n")
        ]),
        "web/b.toml:1: drift: is in a.toml too; an application has one, so move all of it there"
    );
    assert_eq!(
        problems(&[("drift.toml", "[drift]\nwindow = \"1d\"\n")]),
        "web/drift.toml: drift.features: is missing, and `predictions` too: nothing is watched; write for example features = \
         \"features\""
    );
    let drift = "[drift]\nfeatures = \"view\"\npredictions = \"scores\"\nsegments = [\"user\"]\n";
    assert_eq!(
        problems(&[("scores.toml", PREDICTIONS), ("drift.toml", drift)]),
        "web/drift.toml:4: drift.segments: predictions do not pass `user` on, only none; add it to `context` of their topic file"
    );
}

#[test]
fn columns_that_drift_names_are_checked_where_they_are_known() {
    let drift = "[drift]\nfeatures = \"clicks\"\ncolumns = [\"prise\"]\nsegments = [\"user\"]\npredictions = \"scores\"\n\
        labels = { topic = \"labels\", outcome = \"user\" }\n";
    let folder = web(drift, "[retrain.triggers.t]\non = \"drift\"\n");
    let web = folder.load().unwrap();
    assert_eq!(
        folder.print(&check_drift(&web, web.drift().unwrap())),
        "web/drift.toml:3: drift.columns: there is no column `prise`; did you mean `price`?\n\
         web/drift.toml:3: drift.columns: leave nothing to watch; name some columns\n\
         web/drift.toml:6: drift.labels.outcome: column `user` is a string; name one that is a boolean, or a number: 0 is \
         negative"
    );
}

#[test]
fn what_is_computed_again_and_detected_is_read() {
    let drift = "[drift]\nfeatures = \"view\"\npredictions = \"scores\"\ngroups = [\"user\"]\nfairness = 0.1\n\
        labels = { topic = \"labels\", outcome = \"price\" }\nskew = { sample = 0.1, tolerated = 0.02 }\n\
        [drift.detectors.b]\nmethod = \"adwin\"\ncolumn = \"price\"\nparameters = { delta = 0.001, scale = \"none\" }\nmemory = \"1 day\"\n\
        [drift.detectors.a]\nmethod = \"cusum\"\nmetric = \"precision\"\n\
        [drift.detectors.c]\nmethod = \"kswin\"\ncolumn = \"score\"\n\
        [drift.detectors.d]\nmethod = \"adwin\"\ncolumn = \"price\"\nof = \"windows\"\n\
        [drift.detectors.e]\nmethod = \"ddm\"\nof = \"errors\"\n";
    let web = web(drift, "[retrain.triggers.t]\non = \"drift\"\n").load().unwrap();
    let Role::Drift(table) = &web.drift().unwrap().role else { panic!("drift") };
    assert_eq!(table.skew, Some(SkewTable { sample: 0.1, tolerated: 0.02 }));
    assert_eq!(table.fairness, Some(0.1));
    let watched: Vec<_> =
        table.detectors.iter().map(|one| (one.name.as_str(), one.watches.clone())).collect();
    let price = || "price".to_owned();
    assert_eq!(
        watched,
        [
            ("a", Watches::Metric("precision".into())),
            ("b", Watches::Rows(price())),
            ("c", Watches::Scores),
            ("d", Watches::Mean(price())),
            ("e", Watches::Errors)
        ]
    );
    let DetectorTable { method, parameters, memory_ms, .. } = &table.detectors[1];
    assert_eq!((method.as_str(), *memory_ms), ("adwin", 86_400_000));
    assert_eq!(
        *parameters,
        [("delta".to_owned(), "0.001".to_owned()), ("scale".to_owned(), "none".to_owned())]
    );
}

#[test]
fn what_is_wrong_with_skew_detectors_and_rankings_names_file_line_and_key() {
    let drift = "[drift]\nfeatures = \"view\"\npredictions = \"scores\"\nlabels = { topic = \"labels\", outcome = \"price\" }\n\
        task = \"ranking\"\nfairness = 0.1\nskew = { sample = 0, tolerate = 0.1 }\n\
        [drift.detectors.a]\ncolumn = \"price\"\n\
        [drift.detectors.b]\nmethod = \"adwin\"\ncolumn = \"price\"\nmetric = \"mae\"\n\
        [drift.detectors.c]\nmethod = \"adwin\"\nmetric = \"mae\"\nof = \"rows\"\n\
        [drift.detectors.d]\nmethod = \"adwin\"\nparameters = { delta = [1] }\n";
    let printed = web(drift, "[retrain.triggers.t]\non = \"drift\"\n").load().unwrap_err();
    for expected in [
        "drift.list: is missing: the column of predictions' `context` that says which list an item is of",
        "web/drift.toml:6: drift.fairness: is of groups; name their columns",
        "web/drift.toml:6: drift.fairness: is for task = \"binary\"; leave it out",
        "web/drift.toml:7: drift.skew.sample: is 0: no row would ever be computed again",
        "web/drift.toml:7: drift.skew.tolerate: unknown key; did you mean `tolerated`?",
        "drift.detectors.a.method: is missing; write for example method = \"adwin\"",
        "web/drift.toml:13: drift.detectors.b.metric: and `column` are two things to watch",
        "web/drift.toml:17: drift.detectors.c.of: must be \"windows\" for a metric",
        "drift.detectors.d.column: is missing, and `metric` too",
        "web/drift.toml:20: drift.detectors.d.parameters.delta: is a list, and must be a number, a string or true or false",
    ] {
        assert!(printed.contains(expected), "{expected}\nis not in\n{printed}");
    }
    let rows = "[drift]\nfeatures = \"view\"\nrows = 500\nskew = { sample = 0.1 }\n";
    assert_eq!(
        problems(&[("drift.toml", rows)]),
        "web/drift.toml:4: drift.skew: needs windows of time; write window = \"1 day\" instead of `rows`"
    );
}
