//! Events in, lines and a page out.

use std::collections::BTreeMap;

use millrace_schemas::envelope::{Decided, ExperimentResult, ExperimentState, ResultKind};

use super::*;

const DAY: i64 = 86_400_000;

fn values(figures: &[(&str, f64)]) -> BTreeMap<String, Option<f64>> {
    figures.iter().map(|(name, value)| ((*name).to_owned(), Some(*value))).collect()
}

fn event(kind: ResultKind, phase: i32, end_ms: i64) -> ExperimentResult {
    ExperimentResult {
        kind,
        experiment: "x".into(),
        topic: "predictions".into(),
        mode: "ab".into(),
        state: ExperimentState::Running,
        phase,
        time_ms: end_ms,
        window_start_ms: end_ms - DAY,
        window_end_ms: end_ms,
        by: "experiments".into(),
        ..Default::default()
    }
}

fn status(phase: i32, end_ms: i64, ratio: f64) -> ExperimentResult {
    let figures = [
        ("mature_units", 900.0),
        ("immature_units", 100.0),
        ("mixed_units", 2.0),
        ("sample_ratio_p_value", ratio),
        ("sample_ratio_running_p_value", 1.0),
        ("rows", 5000.0),
        ("closed_rows", 4000.0),
        ("outcomes", 3000.0),
    ];
    ExperimentResult {
        detail: "no arm is seen to differ".into(),
        values: values(&figures),
        ..event(ResultKind::Status, phase, end_ms)
    }
}

fn comparison(metric: &str, end_ms: i64) -> ExperimentResult {
    ExperimentResult {
        metric: Some(metric.into()),
        arm: Some("b".into()),
        control: Some("a".into()),
        method: Some("confidence_sequence".into()),
        estimate: Some(0.25),
        low: Some(-0.1),
        high: Some(0.6),
        p_value: Some(1.0),
        units: 450,
        control_units: 1450,
        ..event(ResultKind::Comparison, 1, end_ms)
    }
}

fn events() -> Vec<ExperimentResult> {
    let start = ExperimentResult {
        decision: Some(Decided::Start),
        detail: "started by somebody".into(),
        by: "somebody".into(),
        ..event(ResultKind::Decision, 0, DAY)
    };
    let primary = ExperimentResult {
        role: Some("primary".into()),
        standing: Some("undecided".into()),
        values: values(&[
            ("control_mean", 10.0),
            ("arm_mean", 10.25),
            ("fixed_low", 0.05),
            ("fixed_high", 0.45),
            ("fixed_p_value", 0.0123),
            ("running_p_value", 1.0),
            ("running_low", -0.1),
            ("raw_estimate", 0.3),
            ("raw_low", -0.2),
            ("raw_high", 0.8),
            ("raw_p_value", 0.2),
            ("variance_reduction", 0.25),
        ]),
        ..comparison("spent", 3 * DAY)
    };
    let guardrail = ExperimentResult {
        role: Some("guardrail".into()),
        standing: Some("good".into()),
        p_value: Some(1e-9),
        values: values(&[("bound", 0.5), ("fixed_p_value", 1e-30), ("running_p_value", 1e-9)]),
        ..comparison("complaints <&>", 3 * DAY)
    };
    let refused = ExperimentResult {
        detail: "refused: start by Anna: it runs already".into(),
        ..event(ResultKind::Status, 1, 3 * DAY)
    };
    let nothing = ExperimentResult {
        estimate: None,
        low: None,
        high: None,
        p_value: None,
        detail: "clicks of b less a: no unit yet".into(),
        ..comparison("clicks", 3 * DAY)
    };
    vec![start, status(0, 2 * DAY, 0.5), primary, guardrail, nothing, status(1, 3 * DAY, 0.00001), refused]
}

#[test]
fn a_table_says_what_the_events_hold() {
    let events = events();
    let text = text(&Known::of(&events, "x").unwrap());
    let expected = "\
x (ab on predictions): running, phase 1
  1970-01-03 00:00 to 1970-01-04 00:00: no arm is seen to differ
    units concluded from         900 (90 %)
    units that may still change  100
    units in two arms, left out  2 (0.2 %)
    sample ratio                 p <0.0001 looked at once, 1 at any time
    rows                         5,000
    outcomes seen                3,000 (75 %) of rows whose horizon is over

  phase  from              until             concluded from  may change  in two arms  sample ratio
  0      1970-01-02 00:00  1970-01-03 00:00  900             100         2            p 0.5 looked at once, 1 at any time
  1      1970-01-03 00:00  1970-01-04 00:00  900             100         2            p <0.0001 looked at once, 1 at any time

  metric          arm  difference  interval      p        units  of the control
  spent           b    +0.25       -0.1 to +0.6  1        450    1,450
    primary: undecided; confidence sequence, valid at any time; 10.25 against 10
    looked at once +0.05 to +0.45, p 0.0123; without the covariate +0.3 (-0.2 to +0.8), p 0.2; it takes away 25 % of the variance
  complaints <&>  b    +0.25       -0.1 to +0.6  <0.0001  450    1,450
    guardrail, bound 0.5: good; confidence sequence, valid at any time
    looked at once p <0.0001; within the burn-in: it counts for nothing yet
  clicks          b    -           -             -        450    1,450
    clicks of b less a: no unit yet

  1970-01-02 00:00  start    started by somebody
  1970-01-04 00:00  refused  refused: start by Anna: it runs already
";
    assert_eq!(text, expected);
}

#[test]
fn a_page_is_one_small_file_with_the_same_figures() {
    let events = events();
    let html = html(&Known::of(&events, "x").unwrap());
    for outside in ["http:", "https:", "src=", "@import", "url(", "NaN", "inf"] {
        assert!(!html.contains(outside), "{outside}");
    }
    for said in
        ["no arm is seen to differ", "complaints &lt;&amp;&gt;", "&lt;0.0001", "75 %", "CUPED", "Anna"]
    {
        assert!(html.contains(said), "{said}");
    }
    // Two metrics have a value and are drawn by what draws all series.
    assert_eq!((html.matches("<svg class=series").count(), html.matches("class=dot").count()), (2, 2));
}

#[test]
fn segments_stand_in_a_column_of_their_own() {
    let whole = ExperimentResult { method: Some("delong".into()), ..comparison("auc", DAY) };
    let part = ExperimentResult { segment: Some("country=NE".into()), ..whole.clone() };
    let events = [whole, part];
    let text = text(&Known::of(&events, "x").unwrap());
    assert!(text.contains("  auc     b    country=NE  +0.25"), "{text}");
    assert_eq!(text.matches("labelled positives").count(), 1, "{text}");
}
