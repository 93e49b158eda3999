//! The stream engine against DataFusion's own window executor: random schemas, keys and frames over rows in order of
//! distinct times. Doubles are multiples of 2^-10 below 2^20, so that DataFusion's sums, which round after each
//! addition, are exact too.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use millrace_tests::sql_case::{Case, Table, run};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngSeed, TestRunner};

use crate::oracle;

const CASES: u32 = 2_000;
const FUNCTIONS: [&str; 6] = ["COUNT(*)", "COUNT", "SUM", "AVG", "MIN", "MAX"];
const KEY_KINDS: [&str; 3] = ["string", "long", "boolean"];
const VALUE_KINDS: [&str; 5] = ["double", "long", "string", "boolean", "timestamp"];

/// A view over one topic `events`, and its rows.
#[derive(Debug, Clone)]
struct View {
    keys: Vec<usize>,
    values: Vec<usize>,
    windows: Vec<Window>,
    condition: Option<i32>,
    rows: Vec<Row>,
    partitions: usize,
    batch: usize,
    stop: bool,
}

#[derive(Debug, Clone)]
struct Window {
    function: usize,
    argument: usize,
    /// Which of the keys it is partitioned by, as bits.
    keys: usize,
    by_rows: bool,
    /// How far the frame goes back beyond its end; unbounded without.
    length: Option<u32>,
    /// Where it ends: 0 is the current row.
    end: u32,
    filter: Option<i32>,
}

#[derive(Debug, Clone)]
struct Row {
    step_ms: i64,
    keys: Vec<u8>,
    values: Vec<Option<i32>>,
}

fn views() -> impl Strategy<Value = View> {
    let shape = (vec(0..KEY_KINDS.len(), 0..3), vec(0..VALUE_KINDS.len(), 1..4));
    let windows = vec(windows(), 1..5);
    let run =
        (prop_oneof![Just(1usize), Just(3)], prop_oneof![Just(1usize), Just(7), Just(1000)], any::<bool>());
    (shape, windows, option::weighted(0.3, value()), vec(rows(), 0..40), run).prop_map(
        |((keys, values), windows, condition, rows, (partitions, batch, stop))| View {
            // The first key is the record's: a string, never NULL.
            keys: std::iter::once(0).chain(keys).collect(),
            values,
            windows,
            condition,
            rows,
            partitions,
            batch,
            stop,
        },
    )
}

fn windows() -> impl Strategy<Value = Window> {
    let aggregate = (0..FUNCTIONS.len(), 0..4usize, 1..8usize, option::weighted(0.3, value()));
    let frame = (any::<bool>(), option::weighted(0.8, 0..12u32), prop_oneof![2 => Just(0u32), 1 => 1..6u32]);
    (aggregate, frame).prop_map(|((function, argument, keys, filter), (by_rows, length, end))| Window {
        function,
        argument,
        keys,
        by_rows,
        length,
        end,
        filter,
    })
}

fn rows() -> impl Strategy<Value = Row> {
    let step_ms = prop_oneof![1..10i64, Just(1000), 1..4000i64];
    (step_ms, vec(0..4u8, 3), vec(option::weighted(0.85, value()), 4))
        .prop_map(|(step_ms, keys, values)| Row { step_ms, keys, values })
}

/// Doubles are made of it by dividing by 2^10.
fn value() -> impl Strategy<Value = i32> {
    prop_oneof![-3..4i32, -5000..5000i32, -(1 << 30) + 1..1 << 30]
}

impl View {
    fn sql(&self) -> String {
        let windows = self.windows.iter().enumerate().map(|(i, window)| self.window(i, window));
        let keys = (0..self.keys.len()).map(|i| format!("k{i}"));
        let columns: Vec<String> =
            ["id".into(), "at".into()].into_iter().chain(keys).chain(windows).collect();
        let condition = self.condition.map(|n| format!("\nWHERE {}", self.compare(0, n))).unwrap_or_default();
        format!("SELECT {}\nFROM events{condition}", columns.join(",\n       "))
    }

    fn window(&self, i: usize, window: &Window) -> String {
        let column = window.argument % self.values.len();
        let numeric = matches!(VALUE_KINDS[self.values[column]], "double" | "long");
        let function = match FUNCTIONS[window.function] {
            "SUM" | "AVG" if !numeric => "MAX",
            function => function,
        };
        let call = if function == "COUNT(*)" { function.into() } else { format!("{function}(v{column})") };
        let filter =
            window.filter.map(|n| format!(" FILTER (WHERE {})", self.compare(column, n))).unwrap_or_default();
        let keys =
            (0..self.keys.len()).filter(|key| window.keys & (1 << key) != 0).map(|key| format!("k{key}"));
        let mut keys: Vec<String> = keys.collect();
        if keys.is_empty() {
            keys.push("k0".into());
        }
        let (units, unit) = if window.by_rows { ("ROWS", "") } else { ("RANGE", "s") };
        let bound = |n: u32| match (n, unit) {
            (0, _) => "CURRENT ROW".into(),
            (n, "") => format!("{n} PRECEDING"),
            (n, _) => format!("INTERVAL '{n}' SECOND PRECEDING"),
        };
        let start = window.length.map_or("UNBOUNDED PRECEDING".into(), |length| bound(window.end + length));
        format!(
            "{call}{filter} OVER (PARTITION BY {} ORDER BY at {units} BETWEEN {start} AND {}) AS w{i}",
            keys.join(", "),
            bound(window.end)
        )
    }

    /// A condition on a value column.
    fn compare(&self, column: usize, n: i32) -> String {
        match VALUE_KINDS[self.values[column]] {
            "boolean" => format!("v{column}"),
            "timestamp" => format!("v{column} IS NOT NULL"),
            "string" => format!("v{column} > 's{}'", n.rem_euclid(7)),
            "long" => format!("v{column} > {}", n % 1000),
            _ => format!("v{column} > {:?}", f64::from(n) / 1024.0),
        }
    }

    fn case(&self) -> Result<Case> {
        let header = |prefix: char, kinds: &[usize], names: &[&str], nullable: usize| {
            let column = |(i, kind): (usize, &usize)| {
                format!("{prefix}{i} {}{}", names[*kind], if i >= nullable { "?" } else { "" })
            };
            kinds.iter().enumerate().map(column).collect::<Vec<_>>()
        };
        let columns = ["id long".to_string(), "at timestamp".to_string()].into_iter();
        let columns = columns.chain(header('k', &self.keys, &KEY_KINDS, 1)).chain(header(
            'v',
            &self.values,
            &VALUE_KINDS,
            0,
        ));
        let mut lines = vec![columns.collect::<Vec<_>>().join(" | ")];
        let mut at_ms = 0;
        for (id, row) in self.rows.iter().enumerate() {
            at_ms += row.step_ms;
            let keys =
                self.keys.iter().zip(&row.keys).enumerate().map(|(i, (kind, n))| key_text(i, *kind, *n));
            let values = self.values.iter().zip(&row.values).map(|(kind, n)| value_text(*kind, *n));
            let cells = [id.to_string(), format!("{at_ms}ms")].into_iter().chain(keys).chain(values);
            lines.push(cells.collect::<Vec<_>>().join(" | "));
        }
        Ok(Case::of_one_source(self.sql(), "k0", "at", lines.join("\n")))
    }

    /// The stream of this view gives what DataFusion gives for the SQL of `oracle`.
    fn check(&self, oracle: &View) -> Result<()> {
        let case = self.case()?;
        let app = case.application(self.partitions)?;
        let application =
            millrace_topics::load(app.topics(), app.name()).map_err(|p| anyhow::anyhow!("{p:?}"))?;
        let view = application.topic("view").context("the view")?;
        let service = millrace_features::service(&application, view).map_err(|p| anyhow::anyhow!("{p:?}"))?;
        let rows = case.sources["events"].rows()?;
        let sources = BTreeMap::from([(app.topic("events"), rows.clone())]);
        let outcome = run(&service, &sources, self.batch, self.stop)?;
        ensure!(outcome.rejected.is_empty(), "rejected: {:?}", outcome.rejected);
        let expected = oracle::execute(&oracle.sql(), vec![("events".into(), rows)])?;
        let (actual, expected) = (Table::of(&outcome.rows)?.sorted(), Table::of(&expected)?.sorted());
        ensure!(actual == expected, "{}\nDataFusion says\n{expected}the stream says\n{actual}", case.view);
        Ok(())
    }
}

fn key_text(column: usize, kind: usize, n: u8) -> String {
    match KEY_KINDS[kind] {
        _ if n == 0 && column > 0 => "NULL".into(),
        "string" => format!("k{n}"),
        "long" => n.to_string(),
        _ => n.is_multiple_of(2).to_string(),
    }
}

fn value_text(kind: usize, n: Option<i32>) -> String {
    let Some(n) = n else { return "NULL".into() };
    match VALUE_KINDS[kind] {
        "double" => format!("{:?}", f64::from(n) / 1024.0),
        "long" => (n % 1000).to_string(),
        "string" => format!("s{}", n.rem_euclid(7)),
        "boolean" => (n % 2 == 0).to_string(),
        _ => format!("{}ms", n.unsigned_abs()),
    }
}

#[test]
fn the_stream_equals_datafusion_for_random_views_over_rows_in_order() {
    let mut config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    // The same cases in every run; PROPTEST_RNG_SEED and PROPTEST_CASES ask for others.
    if matches!(config.rng_seed, RngSeed::Random) {
        config.rng_seed = RngSeed::Fixed(7);
    }
    if let Ok(cases) = std::env::var("PROPTEST_CASES") {
        config.cases = cases.parse().unwrap();
    }
    proptest!(config, |(view in views())| {
        let outcome = view.check(&view);
        prop_assert!(outcome.is_ok(), "{:#}", outcome.unwrap_err());
    });
}

#[test]
fn frames_that_are_one_step_too_long_are_told_apart() {
    let mut runner = TestRunner::deterministic();
    let views = (0..60).map(|_| views().new_tree(&mut runner).unwrap().current());
    let told_apart = views.filter(|view| {
        let mut longer = view.clone();
        for window in &mut longer.windows {
            window.length = window.length.map(|length| length + 1);
        }
        view.check(&longer).is_err()
    });
    assert!(told_apart.count() >= 20);
}
