//! Plans as text.

use arrow::datatypes::DataType;

use super::{Plan, View};
use crate::sql::Source;
use crate::testing::{fraud_sources, source, time_type};

pub(super) fn events() -> Vec<Source> {
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

pub(super) fn plan_of(sql: &str, sources: &[Source], horizon_ms: Option<i64>) -> Result<Plan, Vec<String>> {
    let view = View { sql, sources, key: Some("user"), lateness_ms: 60_000, horizon_ms };
    Plan::new(&view).map_err(|refusals| refusals.iter().map(ToString::to_string).collect())
}

fn shown(sql: &str) -> String {
    plan_of(sql, &events(), Some(3_600_000)).unwrap().to_string()
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
