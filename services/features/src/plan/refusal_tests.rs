//! Refusals with their places.

use super::tests::{events, plan_of};

fn refused(sql: &str) -> Vec<String> {
    plan_of(sql, &events(), None).err().unwrap_or_default()
}

fn check(cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .map(|(sql, expected)| (sql, expected, refused(sql).join("\n")))
        .filter(|(_, expected, found)| **expected != found)
        .map(|(sql, expected, found)| format!("{sql}\n  expected {expected}\n  found    {found}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
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
    check(&cases);
}

#[test]
fn conditions_are_conditions() {
    check(&[
        ("SELECT user FROM events WHERE value", ""),
        ("SELECT user FROM events WHERE value > 'abc'", ""),
        ("SELECT * FROM (SELECT user, value FROM events) WHERE value + 1", ""),
        ("SELECT user, COUNT(*) FILTER (WHERE value) OVER w AS c FROM events WINDOW w AS (PARTITION BY user ORDER BY at)", ""),
        ("SELECT user, COUNT(*) OVER w AS c FROM events WINDOW w AS (PARTITION BY user ORDER BY at) QUALIFY value", ""),
        ("SELECT user, COUNT(*) OVER w AS c FROM events WINDOW w AS (PARTITION BY user ORDER BY at) QUALIFY valeu > 1", ""),
        ("SELECT user FROM events QUALIFY value > 1", ""),
    ]);
}

#[test]
fn constants_that_cannot_be_computed_are_refused() {
    check(&[
        ("SELECT user, 1/0 AS x FROM events", ""),
        ("SELECT user, CAST('abc' AS INT) AS x FROM events", ""),
        ("SELECT user, n + CAST('abc' AS INT) AS x,\n  n / (2 - 2) AS y FROM events", ""),
        ("SELECT user, at + INTERVAL 'many' DAY AS x FROM events", ""),
        ("SELECT user, COUNT(*) FILTER (WHERE n > 1 / 0) OVER (PARTITION BY user ORDER BY at) AS c FROM events", ""),
        ("SELECT user, TRY_CAST('abc' AS INT) AS x, NULLIF(1, 1) AS y FROM events", ""),
    ]);
}

#[test]
fn windows_say_what_they_need() {
    check(&[
        ("SELECT user, COUNT(*) OVER missing AS c FROM events WINDOW w AS (PARTITION BY user ORDER BY at)", ""),
        ("SELECT user, COUNT(*) OVER missing AS c FROM events", ""),
        ("SELECT user, SUM(item) OVER w AS s,\n  AVG(at) OVER w AS a,\n  SUM(value > 1) OVER w AS b FROM events WINDOW w AS (PARTITION BY user ORDER BY at)", ""),
        ("SELECT user, MAX(value) OVER w AS s,\n  MAX(CAST(n AS DECIMAL(9, 2))) OVER w AS a FROM events WINDOW w AS (PARTITION BY user ORDER BY at)", ""),
        ("SELECT user, COUNT(*) OVER (PARTITION BY user ORDER BY at RANGE BETWEEN INTERVAL '-1' DAY PRECEDING AND CURRENT ROW) AS c FROM events", ""),
        ("SELECT user, COUNT(*) OVER (PARTITION BY user ORDER BY at RANGE BETWEEN 600 PRECEDING AND CURRENT ROW) AS c FROM events", ""),
        ("SELECT user, COUNT(*) OVER (PARTITION BY user ORDER BY at RANGE BETWEEN INTERVAL '1' DAY PRECEDING AND INTERVAL '2' DAY PRECEDING) AS c FROM events", ""),
        ("SELECT user, COUNT(*) OVER (PARTITION BY user ORDER BY at RANGE BETWEEN INTERVAL 'x' DAY PRECEDING AND CURRENT ROW) AS c FROM events", ""),
        ("SELECT user, COUNT(*) OVER (PARTITION BY usr ORDER BY at) AS c,\n COUNT(*) OVER w AS d, SUM(valeu) OVER w AS e FROM events WINDOW w AS (PARTITION BY user ORDER BY att)", ""),
    ]);
}

#[test]
fn every_unknown_column_is_told() {
    check(&[
        ("SELECT usr, valeu,\n  upper(itm) || frob AS x FROM events WHERE nn > 1", ""),
        ("WITH a AS (SELECT usr FROM events), b AS (SELECT * FROM a) SELECT user, zz FROM b", ""),
        ("SELECT user, itm FROM (SELECT user, valeu FROM events)", ""),
        ("SELECT user, frob(value) AS f, upper(n, n) AS g FROM events", ""),
        ("SELECT user, item + 1 AS x, user AND n AS y FROM events", ""),
        ("SELECT events.user, e.item FROM events", ""),
    ]);
}

#[test]
fn output_columns_have_one_name_each_and_a_type_that_topics_have() {
    check(&[
        ("SELECT user, item AS user FROM events", ""),
        ("SELECT user, user FROM events", ""),
        ("SELECT *, item FROM events", ""),
        ("SELECT *, upper(item) AS item FROM events", ""),
        ("SELECT user, c FROM (SELECT user, item AS c,\n n AS c FROM events)", ""),
        ("SELECT * RENAME (item AS thing) FROM events", ""),
        ("SELECT * ILIKE '%e%' FROM events", ""),
        ("SELECT user, CAST(n AS DECIMAL(9, 2)) AS d,\n  NULL AS z,\n  COUNT(*) OVER (PARTITION BY user ORDER BY at),\n  n AS Größe,\n $1 AS x FROM events", ""),
        ("SELECT user, CAST(n AS DECIMAL(9, 2)) AS d,\n  NULL AS z,\n  COUNT(*) OVER (PARTITION BY user ORDER BY at),\n  n AS Größe, n AS _time FROM events", ""),
        ("SELECT * FROM (SELECT user, n AS Größe FROM events)", ""),
        ("SELECT user FROM events;\n\n-- another\nSELECT item FROM events", ""),
    ]);
}
