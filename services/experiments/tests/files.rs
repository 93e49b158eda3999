//! The same analyses on files.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use millrace_experiments::analysis::Metric;
use millrace_experiments::files::interleave::InterleaveOptions;
use millrace_experiments::files::report::Conclusion;
use millrace_experiments::files::{Error, Options, Row, analyze, interleave_lines};
use millrace_experiments::interleave::Method;
use millrace_experiments::random::Random;

fn row(unit: impl ToString, arm: &str, value: f64, beside: Option<f64>) -> Result<Row, Error> {
    Ok(Row { unit: unit.to_string(), arm: arm.to_owned(), value, beside })
}

/// 600 units an arm; `b` is 0.3 above, `c` is like the control.
fn rows(seed: u64) -> Vec<Result<Row, Error>> {
    let mut random = Random::of(seed);
    (0..1800)
        .map(|unit| {
            let arm = ["b", "control", "c"][unit % 3];
            let habit = random.normal();
            let value = habit + 0.4 * random.normal() + if arm == "b" { 1.3 } else { 1.0 };
            row(unit, arm, value, Some(habit))
        })
        .collect()
}

#[test]
fn arms_are_compared_with_the_control_raw_and_adjusted() {
    let options = Options { expected_relative_effect: Some(0.1), ..Options::new("amount", Metric::Mean) };
    let report = analyze(rows(1), &options).unwrap();
    let arms: Vec<&str> = report.arms.iter().map(|arm| arm.arm.as_str()).collect();
    assert_eq!((report.control.as_str(), arms), ("control", vec!["control", "b", "c"]));
    assert!(report.stopped.is_empty() && report.sample_ratio.p_value == 1.0);
    let [b, c] = &report.comparisons[..] else { panic!("two comparisons") };
    assert_eq!((b.conclusion, c.conclusion), (Conclusion::Higher, Conclusion::NotSeen));
    let (raw, adjusted) = (b.raw.known().unwrap(), b.adjusted.as_ref().unwrap().known().unwrap());
    assert!(adjusted.variance_reduction > 0.8 && (adjusted.theta - 1.0).abs() < 0.1);
    assert!(adjusted.differences.absolute.welch.standard_error < 0.5 * raw.absolute.welch.standard_error);
    let relative = raw.relative.known().unwrap();
    assert!(relative.confidence_sequence.low < relative.welch.low && relative.msprt.is_some());
    let (own, corrected) = (adjusted.differences.absolute.welch.p_value, b.corrected_p_value.unwrap());
    assert!((corrected - 2.0 * own).abs() <= 1e-12 * own);
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["comparisons"][0]["conclusion"], "higher");
    assert!(json["comparisons"][0]["adjusted"]["absolute"]["welch"]["p_value"].is_number());
}

#[test]
fn rows_of_a_unit_are_one_unit_and_their_order_does_not_matter() {
    for kind in [Metric::Mean, Metric::Ratio, Metric::Conversion] {
        let mut random = Random::of(3);
        let make = |at: usize, random: &mut Random| {
            let unit = at % 200;
            let value = if kind == Metric::Conversion {
                f64::from(u8::from(random.chance(0.1)))
            } else {
                random.below(8) as f64
            };
            row(
                unit,
                if unit.is_multiple_of(2) { "control" } else { "b" },
                value,
                (kind == Metric::Ratio).then_some(1.0),
            )
            .unwrap()
        };
        let mut rows: Vec<Row> = (0..1000).map(|at| make(at, &mut random)).collect();
        let report = |rows: &[Row]| {
            analyze(
                rows.iter().cloned().map(Ok),
                &Options { control: Some("control".into()), ..Options::new("x", kind) },
            )
            .unwrap()
        };
        let first = report(&rows);
        assert_eq!(first.arms[0].units, 100);
        (1..rows.len()).for_each(|at| rows.swap(at, random.below(at + 1)));
        assert_eq!(report(&rows), first);
        assert_eq!(first.comparisons[0].two_proportions.is_some(), kind == Metric::Conversion);
    }
}

#[test]
fn looks_on_the_way_take_units_in_their_order_and_count_after_the_burn_in() {
    let options = Options { looks: 30, burn_in_units: 300, ..Options::new("amount", Metric::Mean) };
    let report = analyze(rows(1), &options).unwrap();
    let b = &report.comparisons[0];
    assert_eq!((b.looks.len(), b.looks.iter().filter(|look| look.counts).count()), (30, 23));
    let (first, last) = (b.looks[8], b.looks[29]);
    let end = &b.primary().unwrap().confidence_sequence;
    assert_eq!((last.units, last.low, last.high), (1200, end.low, end.high));
    assert!(last.high - last.low < 0.6 * (first.high - first.low) && b.looks[3].p_value == 1.0);
    assert!(b.looks.windows(2).all(|pair| pair[1].p_value <= pair[0].p_value));
    assert!(
        b.reason.starts_with("p = ") && b.reason.ends_with("is at most 0.05, and the difference is above 0")
    );
    assert!(report.sample_ratio.always_valid_p_value.unwrap() > 0.5);
    assert!(analyze(rows(1), &Options { looks: 100_000, ..options }).is_err());
}

#[test]
fn a_mismatch_and_units_of_two_arms_stop_the_conclusion() {
    let rows: Vec<_> =
        rows(1).into_iter().filter(|row| row.as_ref().is_ok_and(|row| row.arm != "c")).collect();
    let options = Options { max_mixed_share: 0.05, ..Options::new("amount", Metric::Mean) };
    let uneven = Options { shares: vec![("control".into(), 0.6), ("b".into(), 0.4)], ..options.clone() };
    let half = Options { shares: vec![("control".into(), 0.5)], ..options.clone() };
    let refused = analyze(self::rows(1), &half).unwrap_err().to_string();
    assert!(refused.contains("has rows and no share"), "{refused}");
    let report = analyze(rows, &uneven).unwrap();
    assert!(
        report.stopped[0].starts_with("the arms do not have their shares of units"),
        "{:?}",
        report.stopped
    );
    assert_eq!(report.comparisons[0].conclusion, Conclusion::None);
    assert!(report.comparisons[0].corrected_p_value.is_some());
    let mixed = (0..200).flat_map(|unit| {
        let arm = if unit % 2 == 0 { "control" } else { "b" };
        let other = (unit < 12).then(|| row(unit, "control", 1.0, None)).filter(|_| arm == "b");
        [Some(row(unit, arm, f64::from(unit), None)), other].into_iter().flatten()
    });
    let report = analyze(mixed.collect::<Vec<_>>(), &Options { max_mixed_share: 0.02, ..options }).unwrap();
    assert_eq!((report.mixed_units, report.arms[1].units), (6, 94));
    assert!(report.stopped[0].starts_with("6 of 200 units are in two arms"), "{:?}", report.stopped);
}

#[test]
fn a_bad_value_is_named_with_its_row_and_column() {
    let refused = |kind, rows: Vec<Result<Row, Error>>| {
        analyze(rows, &Options::new("x", kind)).unwrap_err().to_string()
    };
    let good = || row("u", "a", 1.0, Some(1.0));
    assert_eq!(
        refused(Metric::Conversion, vec![good(), row("v", "b", 0.5, None)]),
        "row 2, value: 0.5 is no conversion: 0 or 1"
    );
    assert_eq!(
        refused(Metric::Mean, vec![row("v", "b", f64::INFINITY, None)]),
        "row 1, value: inf is no number"
    );
    assert_eq!(
        refused(Metric::Ratio, vec![good(), row("v", "b", 0.5, None)]),
        "row 2, denominator: a ratio needs one"
    );
    let changed = vec![good(), row("u", "a", 1.0, Some(2.0))];
    assert_eq!(refused(Metric::Mean, changed), "row 2, covariate: 2, but 1 in an earlier row of unit `u`");
    assert_eq!(refused(Metric::Mean, vec![good()]), "1 arm found: two are needed");
    let options = Options { control: Some("z".into()), ..Options::new("x", Metric::Mean) };
    assert_eq!(
        analyze(vec![good(), row("v", "b", 1.0, Some(1.0))], &options).unwrap_err().to_string(),
        "no row has the arm `z`"
    );
    // Too few units is an answer, not an error.
    let report =
        analyze(vec![good(), row("v", "b", 1.0, Some(1.0))], &Options::new("x", Metric::Mean)).unwrap();
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["comparisons"][0]["raw"]["undefined"], "the control has 1 units: two are needed");
}

fn interleaved(text: &str, method: Method) -> Result<String, Error> {
    let options = InterleaveOptions { method, salt: "s".into(), length: None, skip_common_prefix: false };
    let mut out = Vec::new();
    interleave_lines(text.as_bytes(), &mut out, &options)?;
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn rankings_come_as_json_lines_and_leave_as_lists_with_credit() {
    let text = r#"{"key":"q1","rankings":[["a","b","c"],["b","c","a"]],"rankers":["v1","v2"],"clicks":["a","a","z"]}

{"key":"q2","rankings":[[1,2],[2,1]]}
"#;
    for method in Method::ALL {
        let out = interleaved(text, method).unwrap();
        assert_eq!(out, interleaved(text, method).unwrap());
        let lines: Vec<serde_json::Value> =
            out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((lines.len(), &lines[1]["key"]), (2, &"q2".into()));
        let items = lines[0]["items"].as_array().unwrap();
        assert_eq!(items.len(), 3);
        let clicked = items.iter().find(|item| item["item"] == "a").unwrap();
        assert_eq!(lines[0]["credit"], clicked["credit"]);
        assert_eq!((&lines[0]["not_in_list"], lines[1].get("not_in_list")), (&1.into(), None));
        assert!(lines[1].get("credit").is_none());
        if method == Method::TeamDraft {
            assert!(items.iter().all(|item| item["team"] == "v1" || item["team"] == "v2"), "{items:?}");
        }
    }
}

#[test]
fn clicks_on_nothing_of_the_list_are_counted_with_their_first_line() {
    let line = |clicks: &str| {
        format!("{{\"key\":\"q\",\"rankings\":[[\"a\",\"b\"],[\"b\",\"a\"]],\"clicks\":[{clicks}]}}\n")
    };
    let options = InterleaveOptions {
        method: Method::TeamDraft,
        salt: "s".into(),
        length: Some(2),
        skip_common_prefix: false,
    };
    let text = line("\"a\"") + &line("\"a\",\"z\"") + &line("7,\"y\"");
    let written = interleave_lines(text.as_bytes(), Vec::new(), &options).unwrap();
    assert_eq!((written.lists, written.not_in_list, written.first_stray), (3, 3, Some(2)));
}

#[test]
fn a_bad_line_is_named() {
    let good = r#"{"key":"q","rankings":[["a"],["a"]]}"#;
    let refused =
        |line: &str| interleaved(&format!("{good}\n{line}\n"), Method::TeamDraft).unwrap_err().to_string();
    assert_eq!(
        refused(r#"{"key":"q","rankings":[["a"]]}"#),
        "line 2: 1 ranking given: interleaving needs two"
    );
    assert!(refused("{").starts_with("line 2: EOF while parsing"));
    assert!(refused(r#"{"key":"q","ranking":[]}"#).starts_with("line 2: unknown field `ranking`"));
    assert!(
        refused(r#"{"key":"q","rankings":[["a"],["a"]],"rankers":["v"]}"#)
            .ends_with("1 rankers are named, 2 rankings given")
    );
}
