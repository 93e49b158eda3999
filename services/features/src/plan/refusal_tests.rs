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
            "line 1, column 14: there is no column valeu; did you mean `value`?",
        ),
        (
            "SELECT user FROM clicks",
            "line 1, column 18: no source topic is called clicks; the application has: events",
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
        (
            "SELECT user FROM events WHERE value",
            "line 1, column 31: WHERE takes a condition, and value is a double; write a comparison, for example value = ...",
        ),
        (
            "SELECT user FROM events WHERE value > 'abc'",
            "line 1, column 31: value > 'abc' fails for every row: Cannot cast string 'abc' to value of Float64 type",
        ),
        (
            "SELECT * FROM (SELECT user, value FROM events) WHERE value + 1",
            "line 1, column 54: WHERE takes a condition, and value + 1 is a double; write a comparison, for example value + 1 = ...",
        ),
        (
            "SELECT user, COUNT(*) FILTER (WHERE value) OVER w AS c FROM events WINDOW w AS (PARTITION BY user ORDER BY at)",
            "line 1, column 14: FILTER (WHERE ...) takes a condition, and value is a double; write a comparison, for example value = ...",
        ),
        (
            "SELECT user, COUNT(*) OVER w AS c FROM events WINDOW w AS (PARTITION BY user ORDER BY at) QUALIFY value",
            "line 1, column 99: QUALIFY filters by the result of a window, and this condition has none; filter in WHERE or in an outer SELECT",
        ),
        (
            "SELECT user, COUNT(*) OVER w AS c FROM events WINDOW w AS (PARTITION BY user ORDER BY at) QUALIFY valeu > 1",
            "line 1, column 99: there is no column valeu; did you mean `value`?",
        ),
        (
            "SELECT user FROM events QUALIFY COUNT(*) OVER (PARTITION BY user ORDER BY at)",
            "line 1, column 33: a filter takes a condition; write a comparison, for example ... > 1",
        ),
        (
            "SELECT user FROM events QUALIFY value > 1",
            "line 1, column 33: QUALIFY filters by windows, and this SELECT has none; write WHERE, or filter in an outer SELECT",
        ),
    ]);
}

#[test]
fn constants_that_cannot_be_computed_are_refused() {
    check(&[
        (
            "SELECT user, 1/0 AS x FROM events",
            "line 1, column 14: 1 / 0 fails for every row: Divide by zero error",
        ),
        (
            "SELECT user, CAST('abc' AS INT) AS x FROM events",
            "line 1, column 19: CAST('abc' AS INT) fails for every row: Cannot cast string 'abc' to value of Int32 type",
        ),
        (
            "SELECT user, n + CAST('abc' AS INT) AS x,\n  n / (2 - 2) AS y FROM events",
            "line 1, column 23: CAST('abc' AS INT) fails for every row: Cannot cast string 'abc' to value of Int32 type",
        ),
        (
            "SELECT user, at + INTERVAL 'many' DAY AS x FROM events",
            "line 1, column 28: Invalid input syntax for type interval: \"many DAY\"",
        ),
        (
            "SELECT user, COUNT(*) FILTER (WHERE n > 1 / 0) OVER (PARTITION BY user ORDER BY at) AS c FROM events",
            "line 1, column 41: 1 / 0 fails for every row: Divide by zero error",
        ),
        ("SELECT user, TRY_CAST('abc' AS INT) AS x, NULLIF(1, 1) AS y FROM events", ""),
        (
            "WITH a AS (SELECT user, 0 AS n FROM events) SELECT user, CASE WHEN n = 0 THEN 0 ELSE 6 / n END AS x FROM a",
            "",
        ),
    ]);
}

#[test]
fn windows_say_what_they_need() {
    check(&[
        (
            "SELECT user, COUNT(*) OVER missing AS c FROM events WINDOW w AS (PARTITION BY user ORDER BY at)",
            "line 1, column 28: no window is called missing, there are w; write WINDOW missing AS (PARTITION BY ... ORDER BY ...)",
        ),
        (
            "SELECT user, COUNT(*) OVER missing AS c FROM events",
            "line 1, column 28: no window is called missing, there is no WINDOW clause; write WINDOW missing AS (PARTITION BY ... ORDER BY ...)",
        ),
        (
            "SELECT user, SUM(item) OVER w AS s,\n  AVG(at) OVER w AS a,\n  SUM(value > 1) OVER w AS b FROM events WINDOW w AS (PARTITION BY user ORDER BY at)",
            "line 1, column 14: sum takes numbers, and item is a string; write sum(CAST(item AS DOUBLE)) if it holds numbers, or use count, min or max\nline 2, column 3: avg takes numbers, and at is a timestamp; write avg(EXTRACT(EPOCH FROM at)) for seconds since 1970, or use count, min or max\nline 3, column 3: sum takes numbers, and value > 1 is a boolean; write sum(CAST(value > 1 AS DOUBLE)), or COUNT(*) FILTER (WHERE value > 1)",
        ),
        (
            "SELECT user, MAX(value) OVER w AS s,\n  MAX(CAST(n AS DECIMAL(9, 2))) OVER w AS a FROM events WINDOW w AS (PARTITION BY user ORDER BY at)",
            "line 2, column 3: max over Decimal128(9, 2) is not supported; CAST the argument to DOUBLE or BIGINT",
        ),
        (
            "SELECT user, COUNT(*) OVER (PARTITION BY user ORDER BY at RANGE BETWEEN INTERVAL '-1' DAY PRECEDING AND CURRENT ROW) AS c FROM events",
            "line 1, column 82: PRECEDING already counts back from the row; leave the minus out",
        ),
        (
            "SELECT user, COUNT(*) OVER (PARTITION BY user ORDER BY at RANGE BETWEEN 600 PRECEDING AND CURRENT ROW) AS c FROM events",
            "line 1, column 73: a RANGE frame is over time, and 600 is none; write an interval, for example INTERVAL '600' SECOND PRECEDING",
        ),
        (
            "SELECT user, COUNT(*) OVER (PARTITION BY user ORDER BY at RANGE BETWEEN INTERVAL '1' DAY PRECEDING AND INTERVAL '2' DAY PRECEDING) AS c FROM events",
            "line 1, column 14: the frame ends before it begins",
        ),
        (
            "SELECT user, COUNT(*) OVER (PARTITION BY user ORDER BY at RANGE BETWEEN INTERVAL 'x' DAY PRECEDING AND CURRENT ROW) AS c FROM events",
            "line 1, column 82: Invalid input syntax for type interval: \"x DAY\"",
        ),
        (
            "SELECT user, COUNT(*) OVER (PARTITION BY usr ORDER BY at) AS c,\n COUNT(*) OVER w AS d, SUM(valeu) OVER w AS e FROM events WINDOW w AS (PARTITION BY user ORDER BY att)",
            "line 1, column 42: there is no column usr; did you mean `user`?\nline 2, column 28: there is no column valeu; did you mean `value`?\nline 2, column 99: there is no column att; did you mean `at`?",
        ),
    ]);
}

#[test]
fn every_unknown_column_is_told() {
    check(&[
        (
            "SELECT usr, valeu,\n  upper(itm) || frob AS x FROM events WHERE nn > 1",
            "line 1, column 8: there is no column usr; did you mean `user`?\nline 1, column 13: there is no column valeu; did you mean `value`?\nline 2, column 9: there is no column itm; did you mean `item`?\nline 2, column 17: there is no column frob; there are at, user, item, value, n\nline 2, column 45: there is no column nn; did you mean `n`?",
        ),
        (
            "WITH a AS (SELECT usr FROM events), b AS (SELECT * FROM a) SELECT user, zz FROM b",
            "line 1, column 19: there is no column usr; did you mean `user`?",
        ),
        (
            "SELECT user, itm FROM (SELECT user, valeu FROM events)",
            "line 1, column 37: there is no column valeu; did you mean `value`?",
        ),
        (
            "SELECT user, frob(value) AS f, upper(n, n) AS g FROM events",
            "line 1, column 14: Invalid function 'frob'. Did you mean 'row'?\nline 1, column 32: Function 'upper' expects 1 arguments but received 2.",
        ),
        (
            "SELECT user, item + 1 AS x, user AND n AS y FROM events",
            "line 1, column 14: Cannot coerce arithmetic expression Utf8 + Int64 to valid types\nline 1, column 29: Cannot infer common argument type for logical boolean operation Utf8 AND Int32",
        ),
        (
            "SELECT events.user, e.item FROM events",
            "line 1, column 21: there is no column e.item; did you mean `item`?",
        ),
    ]);
}

#[test]
fn output_columns_have_one_name_each_and_a_type_that_topics_have() {
    check(&[
        (
            "SELECT user, item AS user FROM events",
            "line 1, column 14: user is the name of several columns; rename one with AS",
        ),
        (
            "SELECT user, user FROM events",
            "line 1, column 14: this column is listed twice; leave one out, or rename it with AS",
        ),
        (
            "SELECT *, item FROM events",
            "line 1, column 11: this column is listed twice; leave one out, or rename it with AS",
        ),
        (
            "SELECT *, upper(item) AS item FROM events",
            "line 1, column 11: item is the name of several columns; rename one with AS",
        ),
        (
            "SELECT user, c FROM (SELECT user, item AS c,\n n AS c FROM events)",
            "line 2, column 7: two columns are called c; rename one with AS",
        ),
        (
            "SELECT * RENAME (item AS thing) FROM events",
            "line 1, column 8: * RENAME is not supported; list the columns, and rename them with AS",
        ),
        ("SELECT * ILIKE '%e%' FROM events", "line 1, column 8: * ILIKE is not supported; list the columns"),
        (
            "SELECT user, CAST(n AS DECIMAL(9, 2)) AS d,\n  NULL AS z,\n  COUNT(*) OVER (PARTITION BY user ORDER BY at),\n  n AS Größe,\n $1 AS x FROM events",
            "line 5, column 2: a view has no parameters, such as $1; write the value itself",
        ),
        (
            "SELECT user, CAST(n AS DECIMAL(9, 2)) AS d,\n  NULL AS z,\n  COUNT(*) OVER (PARTITION BY user ORDER BY at),\n  n AS Größe, n AS _time FROM events",
            "line 1, column 42: column `d` is Decimal128(9, 2), which a topic cannot have: CAST(d AS ...) to DOUBLE\nline 2, column 11: column `z` is Null, which a topic cannot have: CAST(z AS ...) to the type it is to have\nline 3, column 3: the column has no name; give it one with AS\nline 4, column 8: `größe` is no name that an Avro field can have: name the column with AS\nline 4, column 20: _time is a name that Millrace keeps for itself; rename the column with AS",
        ),
        (
            "SELECT * FROM (SELECT user, n AS Größe FROM events)",
            "line 1, column 34: `größe` is no name that an Avro field can have: name the column with AS",
        ),
        (
            "SELECT user FROM events;\n\n-- another\nSELECT item FROM events",
            "line 4, column 1: the file holds more than one statement; a view is one SELECT",
        ),
    ]);
}
