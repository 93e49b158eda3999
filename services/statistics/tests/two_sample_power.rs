//! How often each method sees a change at the same rate of false alarms: the measurements behind the defaults.
//!
//!     cargo test -p millrace-statistics --test two_sample_power -- --ignored --nocapture
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::Random;
use millrace_statistics::sample::Sample;
use millrace_statistics::two_sample::{ColumnKind, Method, compare_numeric, quantile_edges};

const REFERENCE_ROWS: usize = 20_000;
const WINDOW_ROWS: usize = 5000;
const WINDOWS: usize = 200;

/// A row of a column, changed or not.
type Row = fn(&mut Random, bool) -> f64;

fn normal(random: &mut Random) -> f64 {
    (-2.0 * (1.0 - random.uniform()).ln()).sqrt() * (std::f64::consts::TAU * random.uniform()).cos()
}

const CHANGES: [(&str, Row); 9] = [
    ("amounts x 1.3 in a quarter of the rows", |r, changed| {
        let (quarter, mean) = (r.uniform() < 0.25, 5.0 + 95.0 * r.uniform());
        (mean + mean / 2.0 * normal(r)).abs() * if changed && quarter { 1.3 } else { 1.0 }
    }),
    ("normal, + 0.08 deviations", |r, changed| normal(r) + if changed { 0.08 } else { 0.0 }),
    ("normal, x 1.08", |r, changed| normal(r) * if changed { 1.08 } else { 1.0 }),
    ("log-normal (1.5), x 1.15", |r, changed| (1.5 * normal(r)).exp() * if changed { 1.15 } else { 1.0 }),
    ("log-normal (1), 1 % of rows x 20", |r, changed| {
        let few = r.uniform() < 0.01;
        normal(r).exp() * if changed && few { 20.0 } else { 1.0 }
    }),
    ("zero but for 3 % of rows -> 4 %", |r, changed| {
        let (u, value) = (r.uniform(), r.uniform());
        if u < if changed { 0.04 } else { 0.03 } { value } else { 0.0 }
    }),
    ("0/1, 28.6 % -> 31 %", |r, changed| {
        f64::from(u8::from(r.uniform() < if changed { 0.31 } else { 2.0 / 7.0 }))
    }),
    ("counts, 2 % become 0", |r, changed| {
        let (few, count) = (r.uniform() < 0.02, (3.0 + 2.0 * normal(r)).abs().floor() + 1.0);
        if changed && few { 0.0 } else { count }
    }),
    ("uniform, 2 % become one value", |r, changed| {
        let (few, value) = (r.uniform() < 0.02, r.uniform());
        if changed && few { 0.5 } else { value }
    }),
];

/// Per method the share of changed windows with an effect above the 98 % quantile of unchanged ones.
fn power(row: Row, random: &mut Random, methods: &[Method]) -> Vec<f64> {
    let mut window =
        |rows: usize, changed: bool| Sample::of((0..rows).map(|_| row(random, changed)).collect::<Vec<_>>());
    let reference = window(REFERENCE_ROWS, false);
    let edges = quantile_edges(&reference, 10);
    let mut effects = |changed: bool| -> Vec<Vec<f64>> {
        let windows: Vec<Sample> = (0..WINDOWS).map(|_| window(WINDOW_ROWS, changed)).collect();
        let effect = |m: Method, w: &Sample| compare_numeric(m, &reference, w, &edges).unwrap().effect;
        methods.iter().map(|m| windows.iter().map(|w| effect(*m, w)).collect()).collect()
    };
    let (mut unchanged, changed) = (effects(false), effects(true));
    let share = |(before, after): (&mut Vec<f64>, &Vec<f64>)| {
        before.sort_by(f64::total_cmp);
        let threshold = before[WINDOWS * 98 / 100];
        after.iter().filter(|effect| **effect > threshold).count() as f64 / WINDOWS as f64
    };
    unchanged.iter_mut().zip(&changed).map(share).collect()
}

#[test]
#[ignore = "takes half a minute; prints the README's table"]
fn the_defaults_see_what_they_are_chosen_for() {
    let methods: Vec<Method> =
        Method::ALL.into_iter().filter(|m| m.applies_to(ColumnKind::Numeric)).collect();
    let mut random = Random::of(1);
    println!("| change | {} |", methods.iter().map(|m| m.name()).collect::<Vec<_>>().join(" | "));
    for (name, row) in CHANGES {
        let found = power(row, &mut random, &methods);
        println!("| {name} | {} |", found.iter().map(|p| format!("{p:.2}")).collect::<Vec<_>>().join(" | "));
        let of = |method| found[methods.iter().position(|m| *m == method).unwrap()];
        if name.contains("x 1.08") || name.contains("x 20") {
            assert!(of(Method::WassersteinNormed) > 0.9 && of(Method::KolmogorovSmirnov) < 0.9, "{found:?}");
        }
    }
}
