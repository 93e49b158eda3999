use std::path::Path;

use super::tests::Folder;
use crate::{Role, load};

const REQUESTS: &str = r#"{"type": "record", "name": "Request", "fields": [
    {"name": "id", "type": "string"},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    {"name": "user", "type": "string"},
    {"name": "query", "type": "string"},
    {"name": "items", "type": {"type": "array", "items": "string"}},
    {"name": "price", "type": {"type": "array", "items": "double"}},
    {"name": "shown", "type": {"type": "array", "items": "int"}}
]}"#;
const SOURCE: &str = "schema = \"requests.avsc\"\nkey = \"user\"\ntime = \"at\"\nid = \"id\"\n";
const LISTS: &str = "[rankings]\nrequests = \"requests\"\nunit = \"user\"\nitems = \"items\"\nlist_key = [\"user\", \"query\"]\n\
                     context = [\"query\"]\n";
const FEEDBACK: &str = "[click_feedback]\nrankings = \"lists\"\nclicks = \"clicks\"\nrequest = \"id\"\nitem = \"query\"\n\
                        impressions = \"views\"\npositions = \"shown\"\nhorizon = \"2h\"\n";

/// The application `web` that ranks, some files replaced.
fn problems(files: &[(&str, &str)]) -> String {
    let good = [
        ("requests.toml", SOURCE),
        ("clicks.toml", SOURCE),
        ("views.toml", SOURCE),
        ("lists.toml", LISTS),
        ("feedback.toml", FEEDBACK),
        ("deployments.toml", "[deployments]\nfirst = { lists = \"m/1\" }\n"),
    ];
    let named: Vec<(String, &str)> =
        good.iter().chain(files).map(|(name, text)| (format!("topics/web/{name}"), *text)).collect();
    let mut all: Vec<(&str, &str)> = named.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    all.push(("schemas/requests.avsc", REQUESTS));
    Folder::new(&all).load().map_or_else(|problems| problems, |_| String::new())
}

#[test]
fn an_application_that_ranks_may_have_a_first_ranker() {
    assert_eq!(problems(&[]), "");
}

#[test]
fn the_ranking_application_has_no_problem() {
    let app = load(Path::new(env!("CARGO_MANIFEST_DIR")), "ranking").unwrap();
    let Role::Rankings(lists) = &app.topic("rankings").unwrap().role else { panic!("rankings") };
    assert_eq!(lists.list_key, ["user_id", "query", "session_id"]);
    let Role::ClickFeedback(feedback) = &app.topic("click-feedback").unwrap().role else {
        panic!("feedback")
    };
    assert_eq!((feedback.horizon_ms, feedback.impressions.as_deref()), (1_800_000, Some("impressions")));
    assert!(app.experiments().is_some() && app.experiment_commands().is_some());
    assert!(app.alerts().is_some() && app.scorer_stats().is_some());
}

#[test]
fn what_lists_name_must_be_there_and_fit() {
    let lists = "[rankings]\nrequests = \"requests\"\nunit = \"price\"\nitems = \"price\"\nlist_key = [\"quary\"]\n\
                 context = [\"items\"]\n";
    let found = problems(&[("lists.toml", lists)]);
    let of_lists: Vec<&str> = found.lines().filter(|line| line.starts_with("web/lists")).collect();
    assert_eq!(
        of_lists,
        [
            "web/lists.toml:3: rankings.unit: requests: column `price` is List(non-null Float64); name one that is a string or an integer",
            "web/lists.toml:4: rankings.items: requests: column `price` is List(non-null Float64); name one that is an array of strings",
            "web/lists.toml:5: rankings.list_key: requests: there is no column `quary`; did you mean `query`?",
            "web/lists.toml:6: rankings.context: requests: column `items` is List(non-null Utf8); name one that is no list or map",
        ]
    );
    assert_eq!(found.lines().count(), 4 + 2, "clicks and views are not keyed by the unit: {found}");
}

#[test]
fn what_click_feedback_names_must_be_there_and_fit() {
    let feedback = "[click_feedback]\nrankings = \"list\"\nclicks = \"lists\"\nrequest = \"at\"\nitem = \"itm\"\n\
                    impressions = \"views\"\npositions = \"price\"\n";
    assert_eq!(
        problems(&[("feedback.toml", feedback)]),
        "web/feedback.toml:2: click_feedback.rankings: there is no topic with [rankings] `list`, only `lists`; did you mean `lists`?\n\
         web/feedback.toml:3: click_feedback.clicks: there is no source topic `lists`, only `clicks`, `requests` and `views`\n\
         web/feedback.toml:4: click_feedback.request: views: column `at` is a timestamp; name one that is a string or an integer\n\
         web/feedback.toml:7: click_feedback.positions: views: column `price` is List(non-null Float64); name one that is an array of whole numbers"
    );
}

#[test]
fn clicks_must_meet_their_lists_and_be_kept_as_long_as_they_count() {
    let clicks = "schema = \"requests.avsc\"\nkey = \"query\"\npartitioner = \"crc32\"\npartitions = 3\ntime = \"at\"\n\
         retention = \"1h\"\n";
    assert_eq!(
        problems(&[("clicks.toml", clicks)]),
        "web/clicks.toml: id: is missing; feedback.toml reads it from these rows, so name that column\n\
         web/clicks.toml:2: key: is `query`, and lists are keyed by the unit, `user`; clicks and impressions are joined with lists of their partition: make them equal\n\
         web/clicks.toml:3: partitioner: is another than in lists.toml; clicks and impressions are joined with lists of their partition: make them equal\n\
         web/clicks.toml:4: partitions: is 3, and 1 in lists.toml; clicks and impressions are joined with lists of their partition: make them equal\n\
         web/clicks.toml:6: retention: is 1h, and feedback.toml joins clicks with the lists of the last 361m (three horizons and the lateness), from the log; write at least retention = \"361m\""
    );
}

#[test]
fn a_column_is_passed_on_once() {
    let lists = LISTS.replace("context = [\"query\"]", "context = [\"query\", \"query\"]");
    assert_eq!(
        problems(&[("lists.toml", &lists)]),
        "web/lists.toml:6: rankings.context: names `query` twice; name it once"
    );
}
