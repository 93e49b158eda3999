//! Plans as text, and refusals with their places.

use arrow::datatypes::DataType;

use super::{Plan, View};
use crate::sql::Source;
use crate::testing::{fraud_sources, source, time_type};

fn events() -> Vec<Source> {
    vec![source(
        "events",
        "user",
        "at",
        &[
            ("at", time_type(), false),
            ("user", DataType::Utf8, false),
            ("item", DataType::Utf8, true),
            ("value", DataType::Float64, true),
            ("n", DataType::Int32, false),
        ],
    )]
}

fn plan_of(sql: &str, sources: &[Source], horizon_ms: Option<i64>) -> Result<Plan, Vec<String>> {
    let view = View { sql, sources, key: Some("user"), lateness_ms: 60_000, horizon_ms };
    Plan::new(&view).map_err(|refusals| refusals.iter().map(ToString::to_string).collect())
}

fn shown(sql: &str) -> String {
    plan_of(sql, &events(), Some(3_600_000)).unwrap().to_string()
}

fn refused(sql: &str) -> Vec<String> {
    plan_of(sql, &events(), None).unwrap_err()
}

#[test]
fn the_fraud_view_needs_one_hop_and_drops_labels_of_good_payments_at_once() {
    let sql = include_str!("../../../../topics/fraud/features.sql");
    let view = View {
        sql,
        sources: &fraud_sources(),
        key: Some("terminal_id"),
        lateness_ms: 172_800_000,
        horizon_ms: None,
    };
    let plan = Plan::new(&view).unwrap();
    let text = plan.to_string();
    let expected = include_str!("fraud.plan.txt");
    assert_eq!(text, expected, "\n{text}");
    let names: Vec<&str> = plan.output_schema.fields().iter().map(|f| f.name().as_str()).collect();
    let model: Vec<&str> = crate::testing::FEATURES.to_vec();
    assert_eq!(names[..6], ["tx_id", "tx_time", "customer_id", "terminal_id", "country", "amount"]);
    assert_eq!(names[6..], model);
    assert!(!plan.output_schema.field(5).is_nullable(), "amounts of payments are never NULL");
}

#[test]
fn filters_beneath_windows_drop_rows_and_filters_above_let_them_count() {
    let text = shown(
        "SELECT * FROM (SELECT user, item, COUNT(*) OVER (PARTITION BY user ORDER BY at
             RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW) AS c FROM events WHERE value > 1)
         WHERE item = 'x' AND c > 2",
    );
    assert_eq!(
        text,
        "\
source events by user, time at
  where value > Float64(1)
  at = at
  user = user
  item = item
stage 0 by source key
  windows by user, order by at
    wanted item = Utf8(\"x\")
    c = count(*) range 1 h to 0
  where item = Utf8(\"x\")
  where c > Int64(2)
output
  user: Utf8 = user
  item: Utf8 or null = item
  c: Int64 = c
store user in stage 0: c
keep 61 min
"
    );
}

#[test]
fn a_key_that_is_not_the_sources_is_a_stage_of_its_own() {
    let text = shown(
        "SELECT user, upper(item) AS item, SUM(n) OVER (PARTITION BY upper(item) ORDER BY at
             ROWS BETWEEN 9 PRECEDING AND 1 PRECEDING) AS s, MIN(n) OVER (PARTITION BY user, upper(item) ORDER BY at) AS low
         FROM events",
    );
    assert_eq!(
        text,
        "\
source events by user, time at
  at = at
  user = user
  item = item
  n = n
  upper_events_item_ = upper(item)
stage 0 by source key
  windows by user, upper_events_item_, order by at
    _w0 = min(CAST(n AS Int64)) range unbounded to 0
stage 1 by upper_events_item_: at, user, item, n, upper_events_item_, _w0
  windows by upper_events_item_, order by at
    s = sum(CAST(n AS Int64)) rows 9 to 1
output
  user: Utf8 = user
  item: Utf8 or null = upper(item)
  s: Int64 or null = s
  low: Int32 or null = CAST(_w0 AS Int32)
store user+upper_events_item_ in stage 0: low
store upper_events_item_ in stage 1: s
keep forever
"
    );
}

#[test]
fn windows_over_windows_run_as_later_layers_whose_results_are_asked_for_every_row_they_take() {
    let text = shown(
        "WITH a AS (SELECT *, COUNT(*) OVER w AS c FROM events WINDOW w AS (PARTITION BY user ORDER BY at
             RANGE BETWEEN INTERVAL '1' MINUTE PRECEDING AND CURRENT ROW))
         SELECT user, item FROM (SELECT user, item, MAX(c) OVER (PARTITION BY user ORDER BY at
             RANGE BETWEEN INTERVAL '1' DAY PRECEDING AND CURRENT ROW) AS peak FROM a WHERE c < 100)
         WHERE item IS NOT NULL AND peak > 3",
    );
    assert_eq!(
        text,
        "\
source events by user, time at
  at = at
  user = user
  item = item
stage 0 by source key
  windows by user, order by at
    c = count(*) range 1 min to 0
  where c < Int64(100)
  windows by user, order by at
    wanted item IS NOT NULL
    peak = max(c) range 1 d to 0
  where item IS NOT NULL
  where peak > Int64(3)
output
  user: Utf8 = user
  item: Utf8 or null = item
keep 1441 min
"
        .replace("    c = ", "    _w0 = ")
        .replace("where c <", "where _w0 <")
        .replace("max(c)", "max(_w0)")
        .replace("peak", "_w1")
    );
}

#[test]
fn the_fingerprint_is_of_what_is_computed_and_not_of_how_it_is_written() {
    let of = |sql: &str| plan_of(sql, &events(), None).unwrap().fingerprint();
    let one = of("SELECT user, COUNT(*) OVER w AS c FROM events
        WINDOW w AS (PARTITION BY user ORDER BY at RANGE BETWEEN INTERVAL '60' MINUTE PRECEDING AND CURRENT ROW)");
    let same = of("-- Clicks.\nSELECT e.user, COUNT(*) OVER (PARTITION BY user ORDER BY at ASC
        RANGE INTERVAL '1' HOUR PRECEDING) AS c FROM events AS e");
    let other = of("SELECT user, COUNT(*) OVER (PARTITION BY user ORDER BY at
        RANGE INTERVAL '2' HOUR PRECEDING) AS c FROM events");
    assert_eq!(one, same);
    assert_ne!(one, other);
    assert_eq!(one.len(), 8);
}

#[test]
fn every_refusal_of_a_text_is_told_at_once_with_its_place() {
    let found = refused(
        "SELECT DISTINCT user,
       COUNT(*) OVER (PARTITION BY user ORDER BY at DESC RANGE INTERVAL '1' MONTH PRECEDING) AS a,
       SUM(value) OVER (ORDER BY at ROWS 3 PRECEDING) AS b,
       lag(value) OVER (PARTITION BY user ORDER BY at) AS c,
       AVG(value) OVER (PARTITION BY user ORDER BY at
           RANGE BETWEEN CURRENT ROW AND INTERVAL '1' DAY FOLLOWING) AS d,
       COUNT(DISTINCT item) OVER (PARTITION BY user ORDER BY at) AS e,
       MAX(value) OVER (PARTITION BY user ORDER BY at GROUPS 2 PRECEDING) AS f,
       random() AS g,
       (SELECT 1) AS h
FROM events JOIN events AS other ON events.user = other.user
WHERE at > now()
GROUP BY user
ORDER BY user
LIMIT 10",
    );
    let expected = "\
line 1, column 1: SELECT DISTINCT needs all rows at once; leave DISTINCT out
line 2, column 50: windows run forward in time; leave DESC out
line 2, column 73: months and years have no fixed length; write the interval in days, hours, minutes or seconds
line 3, column 8: PARTITION BY is missing: the window would span the whole topic; write PARTITION BY <column>
line 3, column 8: a ROWS frame has no bound in time; set `horizon` in [features] of the topic file, or write RANGE
line 4, column 8: the window function lag is not supported yet; there are count, sum, avg, min and max, with FILTER (WHERE ...)
line 5, column 8: the frame looks ahead; it can end at CURRENT ROW, or at <interval> PRECEDING for a delay
line 7, column 8: count(DISTINCT ...) is not supported yet; leave DISTINCT out
line 8, column 8: GROUPS frames are not supported; write RANGE BETWEEN <interval> PRECEDING AND CURRENT ROW
line 9, column 8: random() differs from call to call, so that the same rows would not give the same features; use the columns of the event
line 10, column 9: subqueries in expressions are not supported; put sources together by UNION ALL and aggregate with FILTER (WHERE ...)
line 10, column 9: FROM is missing; a view reads a source topic
line 11, column 18: joins are not supported; put sources together by UNION ALL in a CTE and aggregate with FILTER (WHERE ...)
line 12, column 12: now() differs from call to call, so that the same rows would not give the same features; use the columns of the event
line 13, column 10: GROUP BY gives no row per event; write <aggregate> OVER (PARTITION BY ... ORDER BY ...)
line 14, column 10: rows leave in the order in which they come; leave the outer ORDER BY out
line 15, column 7: LIMIT and OFFSET have no meaning in an endless stream; leave them out";
    assert_eq!(found.join("\n"), expected);
}

#[test]
fn faults_that_only_the_plan_shows_have_places_too() {
    let cases = [
        (
            "SELECT user, valeu FROM events",
            "line 1, column 14: Schema error: No field named valeu. Did you mean 'events.value'?\nValid fields are events.at, events.user, events.item, events.value, events.n.",
        ),
        (
            "SELECT user FROM clicks",
            "line 1, column 18: Error during planning: no source topic is called clicks; the application has: events",
        ),
        (
            "SELECT user, frobnicate(n) OVER (PARTITION BY user ORDER BY at) FROM events",
            "line 1, column 14: the window function frobnicate is not supported yet; there are count, sum, avg, min and max, with FILTER (WHERE ...)",
        ),
        (
            "SELECT user,\n  SUM(value) OVER (PARTITION BY user ORDER BY n) AS s FROM events",
            "line 2, column 47: ORDER BY n is of type Int32; windows are ordered by a timestamp",
        ),
        ("SELECT n FROM events", "line 1, column 1: the output lacks the topic's key column user; select it"),
        (
            "SELECT user,\n  COUNT(*) FROM events",
            "line 2, column 3: count without OVER aggregates a whole topic; write count(...) OVER (PARTITION BY ... ORDER BY ...)",
        ),
        (
            "SELECT user FROM events UNION SELECT item FROM events",
            "line 1, column 31: UNION needs all rows at once; streams are put together by UNION ALL",
        ),
        (
            "SELECT user FROM events UNION ALL SELECT item FROM events",
            "line 1, column 52: events is read twice; read each source once, and tell its rows apart by CASE or FILTER",
        ),
        ("SELECT user FROM events; SELECT 1", "the file holds more than one statement; a view is one SELECT"),
        ("SELECT user FRM events WHERE", "line 1, column 17: Expected: end of statement, found: events"),
        ("DELETE FROM events", "line 1, column 1: a view is one SELECT; this is another statement"),
        (
            "SELECT user, COUNT(*) OVER (w) FROM events WINDOW w AS (PARTITION BY user ORDER BY at)",
            "line 1, column 29: OVER (w) derives a new window; write OVER w without parentheses",
        ),
        (
            "SELECT user, MAX(CAST(value AS DECIMAL(10, 2))) OVER (PARTITION BY user ORDER BY at) FROM events",
            "line 1, column 14: max over Decimal128(10, 2) is not supported; CAST the argument to DOUBLE or BIGINT",
        ),
        (
            "SELECT user, COUNT(*) OVER (PARTITION BY c ORDER BY at) FROM
               (SELECT user, at, COUNT(*) OVER (PARTITION BY user ORDER BY at) AS c FROM events)",
            "line 1, column 42: PARTITION BY c needs a window's result; partition by columns of the sources",
        ),
    ];
    for (sql, expected) in cases {
        let found = refused(sql).join("\n");
        assert_eq!(found, expected, "{sql}");
    }
}
