//! What must hold of two-sample statistics whatever the samples, and brute force on small ones.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::Random;
use millrace_statistics::sample::Sample;
use millrace_statistics::two_sample::{
    ColumnKind, Method, Outcome, bin_counts, compare_numeric, quantile_edges, rank_biserial,
};

fn numeric_methods() -> impl Iterator<Item = Method> {
    Method::ALL.into_iter().filter(|m| m.applies_to(ColumnKind::Numeric))
}

/// Rows of which some are tied, of either sign.
fn rows(random: &mut Random, most: u64) -> Vec<f64> {
    let (count, grain) = (2 + random.below(most), [0.0, 0.25, 1.0][random.below(3) as usize]);
    let round = |v: f64| if grain > 0.0 { (v / grain).round() * grain } else { v };
    (0..count).map(|_| round(random.bell() * 2.0)).collect()
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-11 * a.abs().max(1.0)
}

fn same(a: Outcome, b: Outcome) -> bool {
    close(a.effect, b.effect) && a.p_value.zip(b.p_value).is_none_or(|(p, q)| close(p, q))
}

#[test]
fn swapping_the_windows_changes_neither_effect_nor_p_value() {
    let mut random = Random::of(1);
    for _ in 0..300 {
        let [x, y] = [(); 2].map(|()| Sample::of(rows(&mut random, 40)));
        for method in numeric_methods().filter(|m| *m != Method::WassersteinNormed) {
            let edges = [-0.5, 0.0, 0.75];
            let [there, back] = [(&x, &y), (&y, &x)].map(|(a, b)| compare_numeric(method, a, b, &edges));
            match (there, back) {
                (Ok(there), Ok(back)) => assert!(same(there, back), "{method}: {there:?} {back:?}"),
                (there, back) => assert!(there.is_err() && back.is_err(), "{method}"),
            }
        }
    }
}

#[test]
fn merged_parts_give_the_same_bits_as_the_whole() {
    let mut random = Random::of(2);
    for _ in 0..100 {
        let parts: Vec<Vec<f64>> = (0..4).map(|_| rows(&mut random, 30)).collect();
        let y = Sample::of(rows(&mut random, 50));
        let forward = Sample::of(parts.iter().flatten().copied());
        let backward = Sample::of(parts.iter().rev().flatten().rev().copied());
        for method in numeric_methods() {
            let [a, b] = [&forward, &backward].map(|x| compare_numeric(method, x, &y, &[]));
            assert_eq!(a, b, "{method}");
        }
    }
}

#[test]
fn effects_do_not_depend_on_how_many_rows_a_distribution_was_seen_in() {
    let mut random = Random::of(3);
    for _ in 0..100 {
        let [x, y] = [(); 2].map(|()| Sample::of(rows(&mut random, 30)));
        let times = |s: &Sample, k: u64| {
            Sample::of_counts(s.values().iter().copied().zip(s.counts().iter().map(|c| c * k)))
        };
        for method in numeric_methods().filter(|m| *m != Method::Psi) {
            let (Ok(once), Ok(often)) = (
                compare_numeric(method, &x, &y, &[]),
                compare_numeric(method, &times(&x, 7), &times(&y, 3), &[]),
            ) else {
                continue;
            };
            assert!((once.effect - often.effect).abs() < 1e-10, "{method}: {once:?} {often:?}");
        }
    }
}

#[test]
fn distances_are_their_definitions_over_pairs_of_rows() {
    let mut random = Random::of(4);
    for _ in 0..200 {
        let [x, y] = [(); 2].map(|()| rows(&mut random, 12));
        let [a, b] = [&x, &y].map(|v| Sample::of(v.iter().copied()));
        let mean = |f: &dyn Fn(f64, f64) -> f64, p: &[f64], q: &[f64]| {
            p.iter().flat_map(|u| q.iter().map(move |v| f(*u, *v))).sum::<f64>() / (p.len() * q.len()) as f64
        };
        let gap = |u: f64, v: f64| (u - v).abs();
        let energy = (2.0 * mean(&gap, &x, &y) - mean(&gap, &x, &x) - mean(&gap, &y, &y)).max(0.0).sqrt();
        assert!((compare_numeric(Method::Energy, &a, &b, &[]).unwrap().statistic - energy).abs() < 1e-6);
        let wins = |u: f64, v: f64| {
            if u > v {
                1.0
            } else if u < v {
                0.0
            } else {
                0.5
            }
        };
        let u = mean(&wins, &x, &y) * (x.len() * y.len()) as f64;
        assert!(close(compare_numeric(Method::MannWhitney, &a, &b, &[]).unwrap().statistic, u));
        assert!(close(rank_biserial(&a, &b).unwrap(), 1.0 - 2.0 * mean(&wins, &x, &y)));
        let below =
            |rows: &[f64], v: f64| rows.iter().filter(|r| **r <= v).count() as f64 / rows.len() as f64;
        let d = x.iter().chain(&y).map(|v| (below(&x, *v) - below(&y, *v)).abs()).fold(0.0, f64::max);
        assert!(close(compare_numeric(Method::KolmogorovSmirnov, &a, &b, &[]).unwrap().statistic, d));
        // Every row n (or m) times: then the k-th smallest of both are matched.
        let spread = |s: &[f64], k: usize| {
            let mut all: Vec<f64> = s.iter().flat_map(|v| std::iter::repeat_n(*v, k)).collect();
            all.sort_by(f64::total_cmp);
            all
        };
        let (p, q) = (spread(&x, y.len()), spread(&y, x.len()));
        let w = p.iter().zip(&q).map(|(u, v)| (u - v).abs()).sum::<f64>() / p.len() as f64;
        assert!(close(compare_numeric(Method::Wasserstein, &a, &b, &[]).unwrap().statistic, w));
    }
}

#[test]
fn exact_p_values_are_those_of_full_enumeration() {
    for (m, n) in [(1, 1), (1, 4), (2, 2), (2, 5), (3, 3), (3, 4), (4, 6), (5, 5), (6, 4), (8, 3)] {
        for method in [Method::KolmogorovSmirnov, Method::MannWhitney, Method::CramerVonMises] {
            if method == Method::CramerVonMises && m.min(n) < 2 {
                continue;
            }
            let outcomes: Vec<Outcome> = orders(m, n)
                .map(|(x, y)| compare_numeric(method, &Sample::of(x), &Sample::of(y), &[]).unwrap())
                .collect();
            for one in &outcomes {
                // Of U both ends count as extreme: the distance from its mean.
                let extremity = |o: &Outcome| match method {
                    Method::MannWhitney => (o.statistic - (m * n) as f64 / 2.0).abs(),
                    _ => o.statistic,
                };
                let as_extreme = outcomes.iter().filter(|o| extremity(o) >= extremity(one) - 1e-12).count();
                let p = as_extreme as f64 / outcomes.len() as f64;
                assert!((one.p_value.unwrap() - p).abs() < 1e-12, "{method} {m} {n}: {one:?} {p}");
            }
        }
    }
}

/// Every way to share out the ranks 1..=m+n.
fn orders(m: u32, n: u32) -> impl Iterator<Item = (Vec<f64>, Vec<f64>)> {
    (0_u32..1 << (m + n)).filter(move |bits| bits.count_ones() == m).map(move |bits| {
        let (x, y): (Vec<u32>, Vec<u32>) = (0..m + n).partition(|i| bits >> i & 1 == 1);
        (x.into_iter().map(f64::from).collect(), y.into_iter().map(f64::from).collect())
    })
}

#[test]
fn no_result_is_ever_nan_or_infinite() {
    let wild = [0.0, -0.0, 1.0, -1.0, 1e-308, 5e-324, 1e300, -1e300, f64::MAX, f64::MIN, 1e154, f64::EPSILON];
    let mut random = Random::of(5);
    for _ in 0..2000 {
        let mut draw = || {
            let count = random.below(6);
            Sample::of(
                (0..count).map(|_| wild[random.below(wild.len() as u64) as usize]).collect::<Vec<f64>>(),
            )
        };
        let (x, y) = (draw(), draw());
        for method in numeric_methods() {
            if let Ok(o) = compare_numeric(method, &x, &y, &[]) {
                let p = o.p_value.unwrap_or(0.5);
                assert!(
                    o.statistic.is_finite() && o.effect.is_finite() && (0.0..=1.0).contains(&p),
                    "{method} {o:?}"
                );
                assert!(o.effect >= 0.0, "{method} {o:?}");
            }
        }
    }
}

#[test]
fn bins_hold_every_row_once_and_about_equally_many_of_the_reference() {
    let mut random = Random::of(6);
    let reference = Sample::of((0..1000).map(|_| random.bell()));
    let edges = quantile_edges(&reference, 10);
    assert_eq!(bin_counts(&reference, &edges).unwrap(), [100; 10]);
    let coarse = Sample::of((0..1000).map(|_| random.below(2) as f64));
    assert_eq!(quantile_edges(&coarse, 10), [0.0]);
    assert_eq!(quantile_edges(&Sample::of([3.0; 5]), 10), [0.0; 0]);
}
