//! Experiments on files, by the real binary.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use millrace_experiments::random::Random;
use millrace_tests::application::Application;
use millrace_tests::millrace::{Finished, Millrace};
use serde_json::Value;

const BOUND: Duration = Duration::from_secs(60);

struct Files {
    folder: tempfile::TempDir,
    app: Application,
}

impl Files {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), app: Application::copy("fraud").unwrap() }
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, words: &[&str]) -> Finished {
        let words: Vec<&str> = ["experiment"].iter().chain(words).copied().collect();
        Millrace::offline(&self.app).run(&words, BOUND).unwrap()
    }

    fn succeed(&self, words: &[&str]) -> String {
        let finished = self.run(words);
        assert!(finished.status.success(), "{words:?}: {}", finished.output);
        finished.output
    }

    fn json(&self, words: &[&str]) -> Value {
        let output = self.succeed(words);
        serde_json::from_str(output.trim()).unwrap_or_else(|error| panic!("{error}: {output}"))
    }

    fn refused(&self, words: &[&str]) -> String {
        let finished = self.run(words);
        assert!(!finished.status.success(), "{words:?}: {}", finished.output);
        finished.output
    }

    /// 3,000 units, two rows each; `b` earns a tenth more and converts twice as often.
    fn experiment(&self) -> String {
        let (mut draws, mut text) = (Random::of(1), String::from("who,variant,amount,bought,rows,before\n"));
        for unit in 0..3000 {
            let arm = ["control", "b"][unit % 2];
            let (habit, raised) = (draws.uniform(), if unit % 2 == 1 { 0.1 } else { 0.0 });
            for _ in 0..2 {
                let amount = habit + 0.3 * draws.uniform() + raised;
                let bought = u8::from(draws.uniform() < 0.05 * (1.0 + 10.0 * raised));
                writeln!(text, "user-{unit},{arm},{amount},{bought},1,{habit}").unwrap();
            }
        }
        self.write("rows.csv", &text)
    }
}

const COLUMNS: [&str; 4] = ["--unit", "who", "--arm", "variant"];

#[test]
fn arms_of_a_file_are_compared_in_a_table_as_json_and_as_a_page() {
    let files = Files::new();
    let rows = files.experiment();
    let analyze = |metric: &str, more: &[&str]| -> Vec<String> {
        let words = ["analyze", "--input", &rows, "--metric", metric];
        words.iter().chain(&COLUMNS).chain(more).map(|word| (*word).to_owned()).collect()
    };
    let text = files.succeed(&borrowed(&analyze("amount:mean", &["--covariate", "before", "--looks", "20"])));
    for said in [
        "amount (mean): 6,000 rows of 3,000 units; 0 units in two arms, excluded",
        "b less control, level 95 %",
        "Welch, looked at once",
        "confidence sequence, at any time",
        "CUPED (variance -",
        "raw, relative",
        "higher than the control: p = ",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let json = files.json(&borrowed(&analyze(
        "bought:conversion",
        &["--json", "--share", "control=0.5", "--share", "b=0.5"],
    )));
    assert_eq!(
        (&json["metric"], &json["kind"], &json["control"]),
        (&"bought".into(), &"conversion".into(), &"control".into())
    );
    assert_eq!(json["comparisons"][0]["conclusion"], "higher");
    assert!(json["comparisons"][0]["two_proportions"]["p_value"].as_f64().unwrap() < 0.01);
    let ratio = files.json(&borrowed(&analyze(
        "per_row:ratio",
        &["--value", "amount", "--denominator", "rows", "--json"],
    )));
    assert!(
        (ratio["comparisons"][0]["raw"]["absolute"]["welch"]["difference"].as_f64().unwrap() - 0.1).abs()
            < 0.03
    );
    let uneven =
        files.succeed(&borrowed(&analyze("amount:mean", &["--share", "control=0.7", "--share", "b=0.3"])));
    assert!(uneven.contains("nothing may be concluded: the arms do not have their shares"), "{uneven}");
    let page = files.path("page.html").display().to_string();
    let said = files.succeed(&borrowed(&analyze("amount:mean", &["--looks", "20", "--html", &page])));
    assert!(said.contains("page.html: b is higher than the control, +"), "{said}");
    assert!(fs::read_to_string(&page).unwrap().starts_with("<!doctype html>"));
}

fn borrowed(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

#[test]
fn what_is_wrong_with_rows_is_said_with_file_row_and_column() {
    let files = Files::new();
    let rows = files.write("bad.csv", "unit,arm,spent\nu1,a,0\nu2,b,0.5\nu3,,1\n");
    let of = |metric: &str, more: &[&str]| {
        let words = ["analyze", "--input", &rows, "--metric", metric];
        files.refused(&words.iter().chain(more).copied().collect::<Vec<_>>())
    };
    let said = of("spent:conversion", &[]);
    assert!(said.contains("bad.csv: row 3, column `arm`: is empty"), "{said}");
    let rows = files.write("bad.csv", "unit,arm,spent\nu1,a,0\nu2,b,0.5\n");
    let of = |metric: &str, more: &[&str]| {
        let words = ["analyze", "--input", &rows, "--metric", metric];
        files.refused(&words.iter().chain(more).copied().collect::<Vec<_>>())
    };
    let said = of("spent:conversion", &[]);
    assert!(said.contains("bad.csv: row 2, column `spent`: 0.5 is no conversion: 0 or 1"), "{said}");
    assert!(of("amount:mean", &[]).contains("bad.csv: has no column `amount`; it has unit, arm, spent"));
    assert!(of("spent:mean", &["--control", "z"]).contains("bad.csv: no row has the arm `z`"));
    assert!(of("spent:ratio", &[]).contains("a ratio needs --denominator COLUMN"));
    assert!(of("spent:median", &[]).contains("no kind of metric is named `median`: mean, conversion, ratio"));
    assert!(of("spent", &[]).contains("write NAME:mean, NAME:conversion or NAME:ratio"));
}

#[test]
fn rankings_are_interleaved_line_by_line() {
    let files = Files::new();
    let lines = files.write(
        "rankings.jsonl",
        "{\"key\":\"q1\",\"rankings\":[[1,2,3,4],[2,1,4,3]],\"rankers\":[\"v1\",\"v2\"],\"clicks\":[2]}\n",
    );
    for method in ["team_draft", "balanced", "debiased_balanced", "probabilistic", "optimized"] {
        let list = files.json(&["interleave", "--method", method, "--salt", "s", "--input", &lines]);
        assert_eq!((&list["key"], list["items"].as_array().unwrap().len()), (&"q1".into(), 4), "{method}");
        assert_eq!(list["credit"].as_array().unwrap().len(), 2);
    }
    let broken = files.write("broken.jsonl", "{\"key\":\"q1\"}\n");
    let said = files.refused(&["interleave", "--method", "balanced", "--input", &broken]);
    assert!(said.contains("broken.jsonl: line 1: missing field `rankings`"), "{said}");
    let said = files.refused(&["interleave", "--method", "random", "--input", &lines]);
    assert!(said.contains("no interleaving method is named `random`: team_draft"), "{said}");
}

#[test]
fn plans_say_units_and_days_and_refuse_steps_that_see_too_little() {
    let files = Files::new();
    let ask = [
        "plan",
        "arms",
        "--metric",
        "bought:conversion",
        "--baseline",
        "0.1",
        "--effect",
        "20%",
        "--per-day",
        "1000",
    ];
    let json = files.json(&[&ask[..], &["--label-horizon", "7 days", "--json"]].concat());
    // The textbook figure for 10 % against 12 % at power 0.8: some 3,840 units an arm.
    let units = json["plan"]["units"][0].as_u64().unwrap();
    assert!(units.abs_diff(3840) < 60, "{units}");
    assert!((json["plan"]["days"].as_f64().unwrap() - units as f64 / 500.0 - 7.0).abs() < 0.1);
    assert!(files.succeed(&ask).contains("units come in for"));
    let rows = files.experiment();
    let learnt = files.json(&[
        "plan",
        "arms",
        "--metric",
        "amount:mean",
        "--input",
        &rows,
        "--unit",
        "who",
        "--effect",
        "5%",
        "--per-day",
        "500",
        "--json",
    ]);
    assert!((learnt["baseline"]["value"].as_f64().unwrap() - 1.4).abs() < 0.1, "{learnt}");
    assert!(
        files
            .refused(&[
                "plan",
                "arms",
                "--metric",
                "x:mean",
                "--baseline",
                "3",
                "--effect",
                "1",
                "--per-day",
                "9"
            ])
            .contains("--deviation")
    );
    let canary = [
        "plan",
        "canary",
        "--judge",
        "auc",
        "--auc",
        "0.85",
        "--positive-rate",
        "0.008",
        "--correlation",
        "0.8",
        "--bound",
        "0.05",
        "--per-day",
        "10000",
        "--label-horizon",
        "7 days",
    ];
    let text = files.succeed(&[&canary[..], &["--step", "0.05=60 days", "--step", "0.5=60 days"]].concat());
    assert!(text.contains("labelled positives") && text.contains("same rows"), "{text}");
    let refused = files.refused(&[&canary[..], &["--step", "0.05=60 days", "--step", "0.5=8 days"]].concat());
    assert!(refused.contains("step 2 (share 0.5) cannot see a difference of 0.05: it needs"), "{refused}");
}

/// The served arm is a coin's; `b` earns 0.5 more than `a`, both what the context says.
#[test]
fn an_arm_that_was_served_seldom_is_judged_from_logs() {
    let files = Files::new();
    let (mut draws, mut text) = (Random::of(5), String::from("who,arm,p,earned,context,best\n"));
    for row in 0..6000 {
        let context = draws.uniform();
        let b = draws.uniform() < 0.2;
        let earned = context + if b { 0.5 } else { 0.0 } + 0.2 * (draws.uniform() - 0.5);
        let (arm, p) = if b { ("b", 0.2) } else { ("a", 0.8) };
        let best = if context > 0.5 { "b" } else { "a" };
        writeln!(text, "{},{arm},{p},{earned},{context},{best}", row / 2).unwrap();
    }
    let log = files.write("log.csv", &text);
    let evaluate =
        ["evaluate", "--input", &log, "--propensity", "p", "--reward", "earned", "--covariate", "context"];
    let json = files.json(&[&evaluate[..], &["--target", "b", "--json"]].concat());
    for name in ["ips", "self_normalised", "doubly_robust"] {
        let (low, high) = (json[name]["low"].as_f64().unwrap(), json[name]["high"].as_f64().unwrap());
        assert!(low < 1.01 && 0.99 < high, "{name}: {low} to {high}");
    }
    let error = |name: &str| json[name]["standard_error"].as_f64().unwrap();
    assert!(error("doubly_robust") < 0.6 * error("self_normalised"), "{json}");
    assert!(json["gain"]["low"].as_f64().unwrap() > 0.3 && json["effective_rows"].as_f64().unwrap() < 1500.0);
    let column =
        files.json(&[&evaluate[..], &["--unit", "who", "--target-column", "best", "--json"]].concat());
    assert_eq!((&column["units"], &column["rows"]), (&3000.into(), &6000.into()));
    assert!((column["doubly_robust"]["mean"].as_f64().unwrap() - 0.75).abs() < 0.03, "{column}");
    let text = files.succeed(&[&evaluate[..], &["--target", "b", "--clip", "3"]].concat());
    assert!(text.contains("weights above 3 were cut: ") && text.contains("effective sample size"), "{text}");
    let refused = files.refused(&[&evaluate[..], &["--target", "c"]].concat());
    assert!(refused.contains("log.csv: the judged policy takes none of the logged decisions"), "{refused}");
    assert!(files.refused(&evaluate).contains("--target"));
}

#[test]
fn calibration_is_one_command_also_on_own_rows() {
    let files = Files::new();
    let text = files.succeed(&["simulate", "--replications", "3", "--looks", "5", "--impressions", "50"]);
    for said in ["Type I errors", "welch, amounts", "naively", "Power", "team_draft", "navigational"] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let rows = files.experiment();
    let words = [
        "simulate",
        "--input",
        &rows,
        "--unit",
        "who",
        "--value",
        "amount",
        "--replications",
        "100",
        "--json",
    ];
    let found = files.json(&words);
    assert_eq!(
        (&found["units"], &found["rows"], &found["replications"]),
        (&3000.into(), &6000.into(), &100.into())
    );
    // Two rows of a unit say nearly the same: by row the variance of the mean is thought half of what it is.
    let count = |name: &str| found[name].as_u64().unwrap();
    assert!(count("by_unit") <= 15 && count("by_row") > count("by_unit"), "{found}");
}
